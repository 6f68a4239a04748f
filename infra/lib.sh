# What the scripts share; sourced, not run.

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

# A date that az takes, a year from now; the two lines are for the two kinds of date.
in_a_year() {
  date -u -d '+365 days' +%Y-%m-%dT%H:%M:%SZ 2>/dev/null ||
    date -u -v+365d +%Y-%m-%dT%H:%M:%SZ
}

# The version that the app is deployed for, as the templates say it.
python_version() {
  sed -n "s/^param pythonVersion .* = '\(.*\)'\$/\1/p" "$here/main.bicep"
}

# pack VERSION [options]: the app and its locked libraries into $ZIP.
pack() {
  local version=$1
  shift
  say "Packing the app ..."
  (cd "$here/.." && "$PYTHON" -m dev.package --python "$version" --output "$ZIP" "$@") ||
    die "the app could not be packed; nothing was changed."
}

# A role that was given a moment ago may take minutes to count, so the first tries may be refused.
upload() {
  local try
  say "Uploading the app to $APP ..."
  for try in 1 2 3; do
    az functionapp deployment source config-zip --resource-group "$GROUP" --name "$APP" --src "$ZIP" \
      --build-remote false --output none && return 0
    say "The upload failed (try $try of 3)."
    sleep "${SMOKE_WAIT:-10}"
  done
  die "the app could not be uploaded. The resources are there; run the same command again."
}

smoke_test() {
  local try tries=${SMOKE_TRIES:-30}
  say "Waiting for $URL/api/health ..."
  for ((try = 1; try <= tries; try++)); do
    curl --fail --silent --max-time 30 --output /dev/null "$URL/api/health" && return 0
    sleep "${SMOKE_WAIT:-10}"
  done
  die "$URL/api/health does not answer. Look at the app's log stream in the portal, and at the logs
of $INSIGHTS there:  traces | order by timestamp desc | take 50"
}
