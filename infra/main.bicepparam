// For azd, which puts an environment's name into this variable. deploy.sh takes parameters/NAME.bicepparam.
using 'main.bicep'

param environmentName = readEnvironmentVariable('AZURE_ENV_NAME')
