#!/usr/bin/env bash
# Deploys everything, from an empty resource group or over an earlier deployment: az CLI, curl and Python only.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

usage() {
  cat <<'TEXT'
usage: infra/deploy.sh --environment NAME --resource-group GROUP [options] [-- PARAMETER=VALUE ...]

  --environment NAME      dev or prod: takes infra/parameters/NAME.bicepparam
  --resource-group GROUP  is made where it is missing
  --location REGION       needed where the group is missing
  --subscription ID|NAME  stops unless az is set to this one
  --telemetry azure|otlp  packs OpenTelemetry's libraries, and switches it on
  --what-if               shows what would change, and stops
  --yes                   applies without asking, for automation
  --skip-role-check       where a role of your own gives the rights
  -- PARAMETER=VALUE ...  parameters of infra/main.bicep

environment: PYTHON (Python of the deployed version, with pip), SMOKE_TRIES (30), SMOKE_WAIT (10 seconds)
TEXT
}

# Every namespace that the templates use; a test compares them.
PROVIDERS="Microsoft.Authorization Microsoft.Insights Microsoft.KeyVault Microsoft.ManagedIdentity
  Microsoft.OperationalInsights Microsoft.Storage Microsoft.Web Microsoft.App Microsoft.Network"

ENVIRONMENT='' GROUP='' LOCATION='' SUBSCRIPTION='' TELEMETRY='' ASSUME_YES=no WHAT_IF=no CHECK_ROLES=yes
while [ $# -gt 0 ]; do
  case "$1" in
    --environment) ENVIRONMENT=${2:?} && shift 2 ;;
    --resource-group) GROUP=${2:?} && shift 2 ;;
    --location) LOCATION=${2:?} && shift 2 ;;
    --subscription) SUBSCRIPTION=${2:?} && shift 2 ;;
    --telemetry) TELEMETRY=${2:?} && shift 2 ;;
    --what-if) WHAT_IF=yes && shift ;;
    --yes) ASSUME_YES=yes && shift ;;
    --skip-role-check) CHECK_ROLES=no && shift ;;
    --help | -h) usage && exit 0 ;;
    --) shift && break ;;
    *) usage >&2 && die "'$1' is not an option." ;;
  esac
done
[ -n "$ENVIRONMENT" ] && [ -n "$GROUP" ] || { usage >&2; die "--environment and --resource-group are needed."; }
PARAMETERS="$here/parameters/$ENVIRONMENT.bicepparam"
[ -f "$PARAMETERS" ] || die "there is no infra/parameters/$ENVIRONMENT.bicepparam."

PYTHON_VERSION=$(python_version)
ZIP="$here/../build/app.zip"
DEPLOYMENT="segment-exports-$ENVIRONMENT"

check_roles() {
  local scope roles
  scope="/subscriptions/$SUBSCRIPTION_ID"
  [ "$GROUP_EXISTS" = true ] && scope="$scope/resourceGroups/$GROUP"
  roles=$(az role assignment list --assignee "$SIGNED_IN" --include-inherited --include-groups --scope "$scope" \
    --query '[].roleDefinitionName' --output tsv) || die "your roles on $scope cannot be read. If you are sure of them, repeat with --skip-role-check."
  grep -qx 'Owner' <<<"$roles" && return 0
  if grep -qx 'Contributor' <<<"$roles" &&
    grep -qxE 'User Access Administrator|Role Based Access Control Administrator' <<<"$roles"; then
    return 0
  fi
  die "you need the role Owner on $scope, or Contributor together with User Access Administrator, since roles are given
to the app's identity. Ask an owner to run:
  az role assignment create --assignee '$SIGNED_IN' --role Owner --scope '$scope'
Where a role of your own gives these rights, repeat with --skip-role-check."
}

check_providers() {
  local registered provider missing=''
  registered=$(az provider list --query "[?registrationState=='Registered'].namespace" --output tsv 2>/dev/null) || {
    say "Whether the resource providers are registered cannot be seen from here; going on."
    return 0
  }
  for provider in $PROVIDERS; do
    grep -qixF "$provider" <<<"$registered" || missing="$missing
  az provider register --namespace $provider --wait"
  done
  [ -z "$missing" ] || die "the subscription has not registered all resource providers. Run:$missing"
}

# A vault that was deleted keeps its name for 90 days, and a new one cannot take it. Not everyone may see such vaults.
check_deleted_vault() {
  local deleted
  deleted=$(az keyvault list-deleted --resource-type vault \
    --query "[?contains(properties.vaultId, '/resourceGroups/$GROUP/') && starts_with(name, 'kv-exports-')].name" --output tsv \
    2>/dev/null) || return 0
  [ -z "$deleted" ] || die "a Key Vault of an earlier deployment was deleted and is still kept, with its secrets. Bring it back first:
  az keyvault recover --name $deleted"
}

# Two networks in one group would share the zones that private names are looked up in, and teardown.sh takes them away.
check_other_environments() {
  local other
  [ "$GROUP_EXISTS" = true ] || return 0
  other=$(az resource list --resource-group "$GROUP" --output tsv \
    --query "[?tags.project=='segment-exports' && tags.environment!='$ENVIRONMENT'].tags.environment | [0]")
  [ -z "$other" ] || die "the resource group '$GROUP' holds the environment '$other'. Each environment has a group of its own: name another one."
}

make_group() {
  [ "$GROUP_EXISTS" = false ] || return 0
  [ "$WHAT_IF" = no ] || die "the resource group '$GROUP' does not exist, and Azure compares with an existing one. Run:
  az group create --name '$GROUP' --location REGION"
  [ -n "$LOCATION" ] || die "the resource group '$GROUP' does not exist; say where to make it: --location westeurope"
  confirm "Make the resource group '$GROUP' in $LOCATION?" || die "nothing was changed."
  az group create --name "$GROUP" --location "$LOCATION" --tags project=segment-exports --output none
}

template() { # template VERB [options]
  local verb=$1
  shift
  az deployment group "$verb" --resource-group "$GROUP" --name "$DEPLOYMENT" --template-file "$here/main.bicep" \
    --parameters "$PARAMETERS" --parameters "pythonVersion=$PYTHON_VERSION" "${EXTRA[@]}" "$@"
}

# What the templates made.
read_outputs() {
  local query outputs # the last one is never empty: an empty last line would be lost
  query='properties.outputs.[functionAppName.value, functionAppUrl.value, keyVaultName.value, segmentStorageName.value, insightsName.value, outboundAddress.value, alertEmailCount.value]'
  outputs=$(az deployment group show --resource-group "$GROUP" --name "$DEPLOYMENT" --query "$query" --output tsv)
  { read -r APP && read -r URL && read -r VAULT && read -r SEGMENTS && read -r INSIGHTS && read -r OUTBOUND &&
    read -r TOLD; } <<<"$outputs"
}

next_steps() {
  cat <<TEXT

Deployed: $URL
What to do next:
  1. Let yourself set secrets:  az role assignment create --role 'Key Vault Secrets Officer' --assignee YOU \\
       --scope \$(az keyvault show --name $VAULT --query id --output tsv)
  2. Put a vendor's key there:  az keyvault secret set --vault-name $VAULT --name iterable-api-key --file KEY-FILE \\
       --expires $(in_a_year)     (when the key ends, or when you want to be reminded of it)
     A refusal there names roles also where your address is the reason: in a network, allowedAddresses must have it.
  3. Land segments in:          storage account $SEGMENTS
  4. Let people sign in:        infra/sign-in.sh --environment $ENVIRONMENT --resource-group '$GROUP'
  5. A key for programs:        az functionapp keys list --resource-group '$GROUP' --name $APP
TEXT
  [ "$TOLD" != 0 ] || say "
Nobody is told when an alert fires: deploy again with -- 'alertEmails=[\"you@example.com\"]', or put it into $PARAMETERS."
  [ -z "$OUTBOUND" ] || say "
Vendors see the app come from $OUTBOUND: have them let it in."
}

EXTRA=(--parameters "telemetry=$TELEMETRY") LIBRARIES=()
[ -z "$TELEMETRY" ] || LIBRARIES+=(--requirements requirements-telemetry.txt)
for pair in "$@"; do
  case "$pair" in
    pythonVersion=*) PYTHON_VERSION=${pair#*=} ;;
    telemetry=*) die "say --telemetry ${pair#*=}, which also packs its libraries." ;;
    *=*) EXTRA+=(--parameters "$pair") ;;
    *) die "'$pair' is not PARAMETER=VALUE." ;;
  esac
done
PYTHON=${PYTHON:-python$PYTHON_VERSION}
need az "Install it: https://aka.ms/azure-cli"
need curl "It asks the deployed app whether it is well."
need "$PYTHON" "The app is packed with Python $PYTHON_VERSION; name it: PYTHON=/path/to/python infra/deploy.sh ..."
check_account
GROUP_EXISTS=$(az group exists --name "$GROUP")
[ "$CHECK_ROLES" = no ] || check_roles
check_providers
check_deleted_vault
check_other_environments
[ "$WHAT_IF" = yes ] || pack "$PYTHON_VERSION" ${LIBRARIES[@]+"${LIBRARIES[@]}"}
make_group
say "What would change:"
template what-if ||
  die "nothing was deployed: Azure or the compiler refused. What to do: docs/deploying.md, \"When something refuses\"."
[ "$WHAT_IF" = no ] || exit 0
confirm "Apply this to '$GROUP'?" || die "nothing was deployed."
template create --mode Incremental --output none ||
  die "Azure refused; its words stand above. What to do about them: docs/deploying.md, \"When something refuses\"."
read_outputs
upload
smoke_test
next_steps
