#!/usr/bin/env bash
# What `azd provision` runs when the resources are there: the same zip as deploy.sh's, of locked libraries, by az.
# azd would have Azure build from requirements.txt, whose versions nobody tested. azd puts outputs into the environment.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/lib.sh"

GROUP=${AZURE_RESOURCE_GROUP:?is set by azd: run azd provision} APP=${functionAppName:?is an output of the templates}
URL=${functionAppUrl:?is an output of the templates} INSIGHTS=${insightsName:?is an output of the templates}
VERSION=${pythonVersion:?is an output of the templates} ZIP="$here/../build/app.zip"
PYTHON=${PYTHON:-python$VERSION}
need az "azd makes resources and does not upload the app: https://aka.ms/azure-cli"
need curl "It asks the deployed app whether it is well."
need "$PYTHON" "The app is packed with Python $VERSION; name it: PYTHON=/path/to/python azd provision"
pack "$VERSION"
upload
smoke_test
