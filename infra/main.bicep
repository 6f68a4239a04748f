// One deployment of segment exports in one resource group. Plain resources only, so that all of it can be checked offline.
// Written in the part of Bicep that both offline parsers read: no union types, no spread, no typed variables.
targetScope = 'resourceGroup'

@description('Short name of this deployment: dev, prod, …')
@minLength(2)
@maxLength(10)
param environmentName string

@description('Azure region of everything that is created.')
param location string = resourceGroup().location

@description('Python of the app; the version that the tests run on.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.11'

@description('Memory of one instance in MB. DuckDB takes 500 of it, one slice 800; an instance works on two slices.')
@allowed([2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances. Not what keeps vendors\' limits: the account\'s lease does that.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('How often the timer looks for exports that are due: six fields, seconds first, UTC.')
param exportSchedule string = '0 * * * * *'

@description('Days after its end at which a run\'s files expire.')
@minValue(1)
@maxValue(3650)
param artefactDays int = 30

@description('Days for which an earlier version of a ledger can be brought back. A forgotten person is in those versions for so long.')
@minValue(1)
@maxValue(365)
param ledgerVersionDays int = 14

@description('Other app settings by name, in place of the values in modules/function-app.bicep. Never secrets.')
param settingOverrides object = {}

@description('Replication of the storage accounts that are created.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

@description('Whether the plan is spread over availability zones; not every region can.')
param zoneRedundant bool = false

@description('Where segments land, as container or container/prefix.')
@minLength(1)
param segmentLocations array = ['segments']

@description('Existing storage account that segments land in; empty: one is created.')
param segmentStorageAccountName string = ''

@description('Resource group of that account.')
param segmentStorageResourceGroup string = resourceGroup().name

@description('Only for an account that is created: object id of who lands the segments (an Entra service principal, such as that of Customer Insights).')
param segmentWriterPrincipalId string = ''

@description('Only for an account that is created: Data Lake Storage (hierarchical namespace), where the source product asks for it.')
param segmentHierarchicalNamespace bool = false

@description('Only for an account that is created: allow account keys, where the source product knows no identity. The app never uses one.')
param segmentSharedKeyAccess bool = false

@description('Whether the app reaches storage and Key Vault through a virtual network and private endpoints only.')
param virtualNetwork bool = false

@description('Address space of that network, /24 or larger.')
param virtualNetworkAddress string = '10.70.0.0/24'

@description('With a virtual network: public addresses, or ranges of /30 and larger, from which people reach Key Vault to set secrets, and the storage that links to rejected rows lead to.')
param allowedAddresses array = []

@description('Whether the app may write secrets: vendors\' sign-ins and the key of sessions. Without, people put both there, and vendors with OAuth cannot be used.')
param appWritesSecrets bool = true

@description('Whether a lock guards ledgers and segments against deletion. Deploying it needs Owner or User Access Administrator.')
param lockData bool = false

@description('Who is told by e-mail when an alert fires.')
param alertEmails array = []

@description('Hours without a successful run after which an alert fires; 0: never.')
@allowed([0, 1, 2, 3, 4, 5, 6, 24, 48])
param hoursWithoutSuccess int = 24

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Sign-in: tenant id of the Entra app registration; empty: nobody can sign in, and the API takes function keys only.')
param entraTenantId string = ''

@description('Sign-in: client id of the Entra app registration.')
param entraClientId string = ''

@description('Sign-in: name of the Key Vault secret with the app registration\'s client secret; the secret itself is never a parameter.')
param entraSecretName string = 'sign-in-secret'

@description('Sign-in: name of the Key Vault secret that sessions are sealed with.')
param sessionKeySecretName string = 'session-key'

@description('Vendors that this deployment is registered at: vendor=client id:name of the Key Vault secret, …')
param oauthApps string = ''

@description('Address under which people reach the app, https and without a path; empty: the app\'s own.')
param publicUrl string = ''

@description('Notifications: https address that gets them by POST; empty: none. Secure, since such an address often holds a key.')
@secure()
param notifyUrl string = ''

@description('Notifications: name of the Key Vault secret that they are signed with; needed with notifyUrl.')
param notifySecretName string = ''

@description('Traces and metrics over OpenTelemetry, to Application Insights or a collector; deploy.sh --telemetry also packs the libraries.')
@allowed(['', 'azure', 'otlp'])
param telemetry string = ''

var token = uniqueString(resourceGroup().id, environmentName)
// Names are made here, since a loop's range and a role's scope must be known before anything is deployed.
var stateStorageName = 'stexports${token}'
var createSegmentStorage = empty(segmentStorageAccountName)
var segmentStorageName = createSegmentStorage ? 'stsegments${token}' : segmentStorageAccountName
var segmentGroup = createSegmentStorage ? resourceGroup().name : segmentStorageResourceGroup
var vaultName = 'kv-exports-${token}'
var appName = 'func-exports-${environmentName}-${token}'
var segmentContainers = union([], map(segmentLocations, place => split(place, '/')[0]))
var tags = {
  project: 'segment-exports'
  environment: environmentName
  'azd-env-name': environmentName
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    logDays: logDays
    alertEmails: alertEmails
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    actionGroupId: monitoring.outputs.actionGroupId
    hoursWithoutSuccess: hoursWithoutSuccess
  }
}

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
  }
}

module stateStorage 'modules/state-storage.bicep' = {
  name: 'state-storage'
  params: {
    name: stateStorageName
    location: location
    tags: tags
    sku: storageSku
    publicNetworkAccess: virtualNetwork && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    defaultAction: virtualNetwork ? 'Deny' : 'Allow'
    allowedAddresses: allowedAddresses
    ledgerVersionDays: ledgerVersionDays
    lockData: lockData
    workspaceId: monitoring.outputs.workspaceId
  }
}

module segmentStorage 'modules/segment-storage.bicep' = if (createSegmentStorage) {
  name: 'segment-storage'
  params: {
    name: segmentStorageName
    location: location
    tags: tags
    sku: storageSku
    containers: segmentContainers
    writerPrincipalId: segmentWriterPrincipalId
    hierarchicalNamespace: segmentHierarchicalNamespace
    sharedKeyAccess: segmentSharedKeyAccess
    lockData: lockData
    workspaceId: monitoring.outputs.workspaceId
  }
}

module segmentAccess 'modules/segment-access.bicep' = {
  name: 'segment-access'
  scope: resourceGroup(segmentGroup)
  params: {
    storageName: segmentStorageName
    containers: segmentContainers
    principalId: identity.outputs.principalId
  }
  dependsOn: [segmentStorage]
}

module keyVault 'modules/key-vault.bicep' = {
  name: 'key-vault'
  params: {
    name: vaultName
    location: location
    tags: tags
    publicNetworkAccess: virtualNetwork && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
    defaultAction: virtualNetwork ? 'Deny' : 'Allow'
    allowedAddresses: allowedAddresses
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    principalId: identity.outputs.principalId
    stateStorageName: stateStorage.outputs.name
    vaultName: keyVault.outputs.name
    insightsName: monitoring.outputs.insightsName
    writesSecrets: appWritesSecrets
  }
}

module network 'modules/network.bicep' = if (virtualNetwork) {
  name: 'network'
  params: {
    environmentName: environmentName
    location: location
    tags: tags
    addressSpace: virtualNetworkAddress
  }
}

var possibleEndpoints = [
  { name: 'state-blob', part: 'blob', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  { name: 'state-queue', part: 'queue', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  { name: 'state-table', part: 'table', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  { name: 'segments-blob', part: 'blob', target: resourceId(segmentGroup, 'Microsoft.Storage/storageAccounts', segmentStorageName) }
  { name: 'vault', part: 'vault', target: resourceId('Microsoft.KeyVault/vaults', vaultName) }
]

var endpoints = virtualNetwork ? possibleEndpoints : []

module privateEndpoints 'modules/private-endpoint.bicep' = [for endpoint in endpoints: {
  name: 'endpoint-${endpoint.name}'
  params: {
    name: 'pe-exports-${environmentName}-${endpoint.name}'
    environmentName: environmentName
    location: location
    tags: tags
    targetId: endpoint.target
    part: endpoint.part
  }
  dependsOn: [network, stateStorage, segmentStorage, keyVault]
}]

module functionApp 'modules/function-app.bicep' = {
  name: 'function-app'
  params: {
    name: appName
    environmentName: environmentName
    location: location
    tags: tags
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    zoneRedundant: zoneRedundant
    subnetId: virtualNetwork ? resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet-exports-${environmentName}', 'app') : ''
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    stateStorageName: stateStorage.outputs.name
    packageContainerUrl: stateStorage.outputs.packageContainerUrl
    segmentStorageName: segmentStorageName
    segmentLocations: join(segmentLocations, ', ')
    vaultUri: keyVault.outputs.uri
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    workspaceId: monitoring.outputs.workspaceId
    exportSchedule: exportSchedule
    artefactDays: artefactDays
    signInIssuer: empty(entraTenantId) ? '' : '${environment().authentication.loginEndpoint}${entraTenantId}/v2.0'
    signInClientId: entraClientId
    signInSecretName: entraSecretName
    sessionKeySecretName: sessionKeySecretName
    publicUrl: publicUrl
    oauthApps: oauthApps
    notifyUrl: notifyUrl
    notifySecretName: notifySecretName
    telemetry: telemetry
    settingOverrides: settingOverrides
  }
  // Roles and private endpoints first: an app that starts without them fails, and keeps the refusal for minutes.
  dependsOn: [roles, segmentAccess, privateEndpoints]
}

output functionAppName string = functionApp.outputs.name
output functionAppUrl string = functionApp.outputs.url
output pythonVersion string = pythonVersion
output keyVaultName string = keyVault.outputs.name
output stateStorageName string = stateStorage.outputs.name
output segmentStorageName string = segmentStorageName
output segmentStorageResourceGroup string = segmentGroup
output identityName string = identity.outputs.name
output identityPrincipalId string = identity.outputs.principalId
