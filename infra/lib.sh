# What deploy.sh and teardown.sh share; sourced, not run.

say() { printf '%s\n' "$*"; }
die() { printf '%s: %s\n' "$(basename "$0")" "$*" >&2; exit 1; }
need() { command -v "$1" >/dev/null 2>&1 || die "$1 was not found. $2"; }

# confirm QUESTION: yes with --yes, else what a person answers; no person, no answer.
confirm() {
  [ "$ASSUME_YES" = yes ] && return 0
  [ -t 0 ] || [ "${ASK_ANYWAY:-}" = yes ] || die "$1 There is nobody to ask; repeat with --yes to agree."
  local answer
  read -r -p "$1 [y/N] " answer || true
  case "$answer" in y | Y | yes) return 0 ;; *) return 1 ;; esac
}

# Signed in, and to the subscription that was named. Never switches: other windows share az's choice.
check_account() {
  local account name
  account=$(az account show --query '[id, name, user.name]' --output tsv 2>/dev/null) ||
    die "you are not signed in. Run: az login"
  { read -r SUBSCRIPTION_ID && read -r name && read -r SIGNED_IN; } <<<"$account"
  if [ -n "$SUBSCRIPTION" ] && [ "$SUBSCRIPTION" != "$SUBSCRIPTION_ID" ] && [ "$SUBSCRIPTION" != "$name" ]; then
    die "az is set to the subscription '$name' ($SUBSCRIPTION_ID), not to '$SUBSCRIPTION'. Run: az account set --subscription '$SUBSCRIPTION'"
  fi
  say "Subscription: $name ($SUBSCRIPTION_ID), as $SIGNED_IN"
}
