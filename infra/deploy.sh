#!/usr/bin/env bash
# Deploys everything, from an empty resource group or over an earlier deployment: az CLI, curl and Python only.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

usage() {
  cat <<'TEXT'
usage: infra/deploy.sh --environment NAME --resource-group GROUP [options] [-- PARAMETER=VALUE ...]

  --environment NAME      dev or prod: takes infra/parameters/NAME.json
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
PARAMETERS="$here/parameters/$ENVIRONMENT.json"
[ -f "$PARAMETERS" ] || die "there is no infra/parameters/$ENVIRONMENT.json."

PYTHON_VERSION=$(sed -n "s/^param pythonVersion string = '\(.*\)'\$/\1/p" "$here/main.bicep")
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

# What the templates made: APP, URL, VAULT and SEGMENTS.
read_outputs() {
  local query='properties.outputs.[functionAppName.value, functionAppUrl.value, keyVaultName.value, segmentStorageName.value]'
  local outputs
  outputs=$(az deployment group show --resource-group "$GROUP" --name "$DEPLOYMENT" --query "$query" --output tsv)
  { read -r APP && read -r URL && read -r VAULT && read -r SEGMENTS; } <<<"$outputs"
}

# A role that was given a moment ago may take minutes to count, so the first tries may be refused.
upload() {
  local try
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
  for ((try = 1; try <= tries; try++)); do
    curl --fail --silent --max-time 30 --output /dev/null "$URL/api/health" && return 0
    sleep "${SMOKE_WAIT:-10}"
  done
  die "$URL/api/health does not answer. Look at the log stream in the portal, or at:
  az monitor app-insights query --resource-group '$GROUP' --app 'appi-exports-$ENVIRONMENT' --analytics-query 'traces | order by timestamp desc | take 50'"
}

next_steps() {
  cat <<TEXT

Deployed: $URL
What to do next:
  1. Let yourself set secrets:  az role assignment create --role 'Key Vault Secrets Officer' --assignee YOU \\
       --scope \$(az keyvault show --name $VAULT --query id --output tsv)
  2. Put a vendor's key there:  az keyvault secret set --vault-name $VAULT --name iterable-api-key --file KEY-FILE
  3. Land segments in:          storage account $SEGMENTS
  4. Let people sign in:        infra/sign-in.sh --environment $ENVIRONMENT --resource-group '$GROUP'
  5. A key for programs:        az functionapp keys list --resource-group '$GROUP' --name $APP
TEXT
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
if [ "$WHAT_IF" = no ]; then
  say "Packing the app ..."
  (cd "$here/.." && "$PYTHON" -m dev.package --python "$PYTHON_VERSION" --output "$ZIP" \
    ${LIBRARIES[@]+"${LIBRARIES[@]}"}) || die "the app could not be packed; nothing was changed."
fi
make_group
say "What would change:"
template what-if
[ "$WHAT_IF" = no ] || exit 0
confirm "Apply this to '$GROUP'?" || die "nothing was deployed."
template create --mode Incremental --output none
read_outputs
say "Uploading the app to $APP ..."
upload
say "Waiting for $URL/api/health ..."
smoke_test
next_steps
