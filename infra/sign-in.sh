#!/usr/bin/env bash
# Registers the app in Microsoft Entra ID, with its three roles, so that people can sign in. Run it after deploy.sh, as
# often as you like: it makes what is missing and leaves the rest.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

usage() {
  cat <<'TEXT'
usage: infra/sign-in.sh --environment NAME --resource-group GROUP [options]

  --public-url URL        https://host as people's browsers have it; default: the deployed app's own address
  --name NAME             of the registration; default: Segment exports (ENVIRONMENT)
  --secret-name NAME      of the Key Vault secret; default: sign-in-secret
  --new-secret            makes a new client secret although there is one, to rotate it
  --subscription ID|NAME  stops unless az is set to this one
  --yes                   applies without asking, for automation

You need: the right to register applications (Application Developer in Entra ID) and, on the Key Vault, the role
Key Vault Secrets Officer. The client secret goes from Entra ID to Key Vault through a pipe: it is on no command line, in
no file and in no output. It ends after a year.
The Azure CLI is authorised for the registration, so that people with az login can use the command line; what they may
do there, their role says.
TEXT
}

ENVIRONMENT='' GROUP='' SUBSCRIPTION='' ASSUME_YES=no URL='' NAME='' SECRET=sign-in-secret NEW_SECRET=no
while [ $# -gt 0 ]; do
  case "$1" in
    --environment) ENVIRONMENT=${2:?} && shift 2 ;;
    --resource-group) GROUP=${2:?} && shift 2 ;;
    --public-url) URL=${2:?} && shift 2 ;;
    --name) NAME=${2:?} && shift 2 ;;
    --secret-name) SECRET=${2:?} && shift 2 ;;
    --new-secret) NEW_SECRET=yes && shift ;;
    --subscription) SUBSCRIPTION=${2:?} && shift 2 ;;
    --yes) ASSUME_YES=yes && shift ;;
    --help | -h) usage && exit 0 ;;
    *) usage >&2 && die "'$1' is not an option." ;;
  esac
done
[ -n "$ENVIRONMENT" ] && [ -n "$GROUP" ] || { usage >&2; die "--environment and --resource-group are needed."; }
NAME=${NAME:-Segment exports ($ENVIRONMENT)}
case "$NAME" in *\'*) die "the name must have no quote in it." ;; esac

# The ids never change: people keep their roles when this runs again.
ROLES='[
  {"id": "4f1f9c52-6f0e-4b0f-9a54-0d7e6f3a1c01", "value": "Administrator", "displayName": "Administrator",
   "description": "Owns connections, secrets and consent, and may do everything.",
   "allowedMemberTypes": ["User", "Application"], "isEnabled": true},
  {"id": "4f1f9c52-6f0e-4b0f-9a54-0d7e6f3a1c02", "value": "Contributor", "displayName": "Contributor",
   "description": "Makes and runs exports on connections that are shared with contributors.",
   "allowedMemberTypes": ["User", "Application"], "isEnabled": true},
  {"id": "4f1f9c52-6f0e-4b0f-9a54-0d7e6f3a1c03", "value": "Viewer", "displayName": "Viewer",
   "description": "Sees exports and how they went, and no people.",
   "allowedMemberTypes": ["User", "Application"], "isEnabled": true}
]'
# What the Azure CLI asks for in people's name, so that `az login` signs in to the command line too.
SCOPE=4f1f9c52-6f0e-4b0f-9a54-0d7e6f3a1c10
SCOPE_ENTRY='{"id": "'$SCOPE'", "value": "use", "type": "User", "isEnabled": true,
  "adminConsentDisplayName": "Use segment exports", "userConsentDisplayName": "Use segment exports",
  "adminConsentDescription": "Use segment exports in the name of the person who signed in, within their role.",
  "userConsentDescription": "Use segment exports in your name, within your role."}'
AZURE_CLI=04b07795-8ddb-461a-bbee-02f9e1bf7b46

output() {
  az deployment group show --resource-group "$GROUP" --name "segment-exports-$ENVIRONMENT" \
    --query "properties.outputs.$1.value" --output tsv
}

find_app() {
  local found
  found=$(az ad app list --filter "displayName eq '$NAME'" --query '[].appId' --output tsv)
  [ "$(grep -c . <<<"$found")" -le 1 ] || die "several registrations are called '$NAME'; choose another with --name."
  printf '%s' "$found"
}

# A secret that nobody can be told is a secret that was never seen: az writes it into the pipe, az reads it there.
store_secret() {
  az ad app credential reset --id "$CLIENT" --append --display-name "$SECRET" --years 1 --query password --output tsv |
    tr -d '\r\n' |
    az keyvault secret set --vault-name "$VAULT" --name "$SECRET" --file /dev/stdin --encoding utf-8 \
      --expires "$(in_a_year)" --output none ||
    die "the client secret could not be stored in $VAULT. Either you lack the role Key Vault Secrets Officer there, or, in a
virtual network, allowedAddresses lacks the address that you come from (the message above names it). Run this again."
  say "A new client secret is in $VAULT, named $SECRET."
}

exposed() {
  az ad app show --id "$CLIENT" --query "api.$1" --output json
}

# more LIST ENTRY: the JSON list with one more entry.
more() {
  local entries
  entries=$(tr -d '\r\n' <<<"$1")
  entries=${entries#\[} entries=${entries%\]}
  case "$entries" in *[![:space:]]*) printf '[%s, %s]' "$entries" "$2" ;; *) printf '[%s]' "$2" ;; esac
}

expose() {
  az rest --method PATCH --url "https://graph.microsoft.com/v1.0/applications(appId='$CLIENT')" --output none \
    --headers Content-Type=application/json --body "{\"api\": {\"requestedAccessTokenVersion\": 2, \"$1\": $2}}"
}

# What others exposed or authorised stays. Entra ID may take some seconds to know the scope that it was just given.
authorise_azure_cli() {
  local tries=${EXPOSE_TRIES:-6}
  if [ "$(exposed "oauth2PermissionScopes[?id=='$SCOPE'] | length(@)")" = 0 ]; then
    expose oauth2PermissionScopes "$(more "$(exposed "oauth2PermissionScopes[?id!='$SCOPE']")" "$SCOPE_ENTRY")"
  fi
  [ "$(exposed "preAuthorizedApplications[?appId=='$AZURE_CLI' && contains(delegatedPermissionIds, '$SCOPE')] | length(@)")" = 0 ] ||
    return 0
  local others entry='{"appId": "'$AZURE_CLI'", "delegatedPermissionIds": ["'$SCOPE'"]}'
  others=$(exposed "preAuthorizedApplications[?appId!='$AZURE_CLI']")
  until expose preAuthorizedApplications "$(more "$others" "$entry")"; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || die "the Azure CLI could not be authorised for the registration. Run this again in a minute."
    sleep "${EXPOSE_WAIT:-10}"
  done
}

has_secret() {
  az keyvault secret show --vault-name "$VAULT" --name "$SECRET" --query id --output none 2>/dev/null
}

need az "Install it: https://aka.ms/azure-cli"
check_account
TENANT=$(az account show --query tenantId --output tsv)
VAULT=$(output keyVaultName) || die "there is no deployment 'segment-exports-$ENVIRONMENT' in '$GROUP'; run infra/deploy.sh first."
URL=${URL:-$(output functionAppUrl)}
URL=${URL%/}
case "$URL" in https://?*) ;; *) die "'$URL' is not https://host." ;; esac
case "${URL#https://}" in */*) die "'$URL' must be https://host, without a path." ;; esac

CLIENT=$(find_app)
confirm "$([ -n "$CLIENT" ] && printf 'Update' || printf 'Make') the registration '$NAME' for $URL?" || die "nothing was changed."
if [ -z "$CLIENT" ]; then
  CLIENT=$(az ad app create --display-name "$NAME" --sign-in-audience AzureADMyOrg --query appId --output tsv)
fi
az ad app update --id "$CLIENT" --web-redirect-uris "$URL/auth/callback" "$URL/auth/signed-out" --identifier-uris "api://$CLIENT" \
  --requested-access-token-version 2 --app-roles "$ROLES" --output none
az ad sp show --id "$CLIENT" --query id --output none 2>/dev/null || az ad sp create --id "$CLIENT" --output none
authorise_azure_cli
# Whoever has no role is turned away by Entra ID already.
az ad sp update --id "$CLIENT" --set appRoleAssignmentRequired=true --output none
if [ "$NEW_SECRET" = yes ] || ! has_secret; then store_secret; fi

cat <<TEXT

Registered: $NAME ($CLIENT) in tenant $TENANT
What to do next:
  1. Hand it to the app:  infra/deploy.sh --environment $ENVIRONMENT --resource-group $GROUP -- \\
       entraTenantId=$TENANT entraClientId=$CLIENT entraSecretName=$SECRET
  2. Give people roles:   Entra ID, Enterprise applications, "$NAME", Users and groups: Administrator, Contributor, Viewer
  3. Within a year:       infra/sign-in.sh --environment $ENVIRONMENT --resource-group $GROUP --new-secret
                          az ad app credential list --id $CLIENT     (and delete the old one there a day later)
TEXT
