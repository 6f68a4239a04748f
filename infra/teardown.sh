#!/usr/bin/env bash
# Removes what deploy.sh made, one resource after the other, and never the storage account that segments land in.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

usage() {
  cat <<'TEXT'
usage: infra/teardown.sh --environment NAME --resource-group GROUP [options]

  --subscription ID|NAME  stops unless az is set to this one
  --keep-state            keeps the ledgers: a later deployment goes on where this one ended
  --yes                   removes without asking, for automation

Without its ledgers nobody knows any more whom the service added to which list. To take these people off first, run
every export once with {"kind": "withdraw"}.
TEXT
}

# What depends on others first. Everything else of ours comes before the last line's types.
ORDER="Microsoft.Insights/scheduledQueryRules Microsoft.Insights/workbooks Microsoft.Web/sites Microsoft.Web/serverfarms
  Microsoft.Network/privateEndpoints Microsoft.Network/privateDnsZones/virtualNetworkLinks
  Microsoft.Network/privateDnsZones Microsoft.Network/virtualNetworks Microsoft.Network/natGateways
  Microsoft.Network/publicIPAddresses Microsoft.Network/networkSecurityGroups
  Microsoft.Insights/actionGroups Microsoft.Insights/components Microsoft.OperationalInsights/workspaces
  Microsoft.ManagedIdentity/userAssignedIdentities Microsoft.KeyVault/vaults Microsoft.Storage/storageAccounts"

ENVIRONMENT='' GROUP='' SUBSCRIPTION='' ASSUME_YES=no KEEP_STATE=no
while [ $# -gt 0 ]; do
  case "$1" in
    --environment) ENVIRONMENT=${2:?} && shift 2 ;;
    --resource-group) GROUP=${2:?} && shift 2 ;;
    --subscription) SUBSCRIPTION=${2:?} && shift 2 ;;
    --keep-state) KEEP_STATE=yes && shift ;;
    --yes) ASSUME_YES=yes && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "'$1' is not an option." ;;
  esac
done
[ -n "$ENVIRONMENT" ] && [ -n "$GROUP" ] || { usage >&2; die "--environment and --resource-group are needed."; }

# Of our resources: type, what they hold, id.
list_ours() {
  az resource list --resource-group "$GROUP" --output tsv \
    --query "[?tags.project=='segment-exports' && tags.environment=='$ENVIRONMENT'].[type, tags.holds, id]"
}

# Ids of one type; of storage accounts only the service's own, by what it says that it holds. Azure's case varies.
of_type() {
  awk -F '\t' -v type="$1" 'tolower($1) == tolower(type) && (tolower(type) !~ /storageaccounts$/ || $2 == "state") { print $3 }'
}

kept() {
  [ "$KEEP_STATE" = yes ] || return 1
  case "$1" in Microsoft.Storage/storageAccounts | Microsoft.KeyVault/vaults) return 0 ;; *) return 1 ;; esac
}

# Roles do not go with the identity that has them, and the one on the segments is outside of what is removed.
remove_roles() {
  local identity principal
  identity=$(of_type Microsoft.ManagedIdentity/userAssignedIdentities <<<"$found")
  [ -n "$identity" ] || return 0
  principal=$(az identity show --ids "$identity" --query principalId --output tsv 2>/dev/null) || return 0
  az role assignment list --assignee "$principal" --all --query '[].id' --output tsv | while read -r id; do
    az role assignment delete --ids "$id" --output none </dev/null ||
      say "a role on a locked resource stays; its identity is about to go, so that it gives nothing to anyone"
  done
}

remove() {
  case "$1" in
    */storageAccounts/*) az lock delete --name keep-ledgers --resource "$1" --output none 2>/dev/null || true ;;
  esac
  say "removing ${1##*/}"
  az resource delete --ids "$1" --output none </dev/null
}

need az "Install it: https://aka.ms/azure-cli"
check_account
[ "$(az group exists --name "$GROUP")" = true ] || die "there is no resource group '$GROUP'."
found=$(list_ours)
doomed=''
for type in $ORDER; do
  kept "$type" || doomed="$doomed$(of_type "$type" <<<"$found")
"
done
doomed=$(grep -v '^$' <<<"$doomed" || true)
[ -n "$doomed" ] || { say "Nothing of the environment '$ENVIRONMENT' is in '$GROUP'."; exit 0; }
say "These will be removed:"
say "$doomed"
[ "$KEEP_STATE" = yes ] || say "The ledgers are among them: afterwards nobody knows whom the service added to which list."
confirm "Remove them?" || die "nothing was removed."
remove_roles
stays=''
while read -r id; do
  remove "$id" </dev/null || stays="$stays
$id"
done <<<"$doomed"
case "$stays" in
  *virtualNetworks*) die "everything is removed but this:$stays
The platform keeps its link to the app's subnet for hours, and sometimes days, after the app is gone, and the network with
it. It costs nothing, unless a NAT gateway or public address is among it. Run the same command again tomorrow." ;;
  ?*) die "these could not be removed; the reasons stand above. Mend them and run the same command again:$stays" ;;
esac
say "Done. The account with the segments is untouched. A removed Key Vault is kept for 90 days: az keyvault recover."
