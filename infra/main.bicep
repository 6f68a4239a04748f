// One deployment of segment exports in one resource group. Plain resources only: nothing is fetched to compile it.
targetScope = 'resourceGroup'

import { address, appSettings, email, reach, replication, secretName, segmentLocation, tags } from 'types.bicep'

@description('Name of this deployment: dev, prod, or the name of an azd environment.')
@minLength(1)
@maxLength(64)
param environmentName string

@description('Azure region of everything that is created.')
param location string = resourceGroup().location

@description('Python of the app. The one place that says it: deploy.sh packs with this version.')
param pythonVersion '3.11' | '3.12' | '3.13' = '3.13'

@description('Memory of one instance in MB. DuckDB takes 500 of it, one slice 800; an instance works on two slices.')
param instanceMemoryMB 2048 | 4096 = 2048

@description('Most instances. Not what keeps vendors\' limits: the account\'s lease does that.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Whether a deployment of code lets slices under way end first. In preview: turn it off where your region refuses it.')
param rollingUpdates bool = true

@description('How often the timer looks for exports that are due: six fields, seconds first, UTC.')
@minLength(11)
param exportSchedule string = '0 * * * * *'

@description('Days after its end at which a run\'s files expire.')
@minValue(1)
@maxValue(3650)
param artefactDays int = 30

@description('Days for which it is known what happened to whom; 0: it is not written down.')
@minValue(0)
@maxValue(3650)
param eventDays int = 400

@description('Whether what happened to people names them by a salted hash of their address alone, or by the address too.')
@allowed(['hashed', 'plain'])
param eventAddresses string = 'hashed'

@description('Days for which an earlier version of a ledger can be brought back. A forgotten person is in those versions for so long.')
@minValue(1)
@maxValue(365)
param ledgerVersionDays int = 14

@description('Other app settings by name, in place of the values in modules/function-app.bicep. Never secrets.')
param settingOverrides appSettings = {}

@description('Replication of the storage accounts that are created.')
param storageSku replication = 'Standard_ZRS'

@description('Whether the plan is spread over availability zones; not every region can.')
param zoneRedundant bool = false

@description('Where segments land, as container or container/prefix.')
@minLength(1)
param segmentLocations segmentLocation[] = ['segments']

@description('Existing storage account that segments land in; empty: one is created.')
@maxLength(24)
param segmentStorageAccountName string = ''

@description('Resource group of that account.')
@maxLength(90)
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
@minLength(9)
@maxLength(18)
param virtualNetworkAddress string = '10.70.0.0/24'

@description('With a virtual network: public addresses, or ranges of /30 and larger, from which people reach Key Vault to set secrets, and the storage that links to rejected rows lead to.')
param allowedAddresses address[] = []

@description('With a virtual network and no allowed address: say true where people come through the network itself (VPN, peering, jump host).')
param peopleComeThroughNetwork bool = false

@description('With a virtual network: whether the app calls vendors from one fixed address (NAT gateway), for vendors that list whom they let in. Costs money all the time.')
param fixedOutboundAddress bool = false

@description('Whether the app may write secrets: vendors\' sign-ins and the key of sessions. Without, people put both there, and vendors with OAuth cannot be used.')
param appWritesSecrets bool = true

@description('Whether a lock guards ledgers and segments against deletion. Deploying it needs Owner or User Access Administrator.')
param lockData bool = false

@description('Who is told by e-mail when an alert fires.')
param alertEmails email[] = []

@description('Hours without a successful run after which an alert fires; 0: never.')
param hoursWithoutSuccess 0 | 1 | 2 | 3 | 4 | 5 | 6 | 24 | 48 = 24

@description('Days for which logs are kept.')
@minValue(30)
@maxValue(730)
param logDays int = 30

@description('Sign-in: tenant id of the Entra app registration; empty: nobody can sign in, and the API takes function keys only.')
param entraTenantId string = ''

@description('Sign-in: client id of the Entra app registration.')
param entraClientId string = ''

@description('Sign-in: name of the Key Vault secret with the app registration\'s client secret; the secret itself is never a parameter.')
param entraSecretName secretName = 'sign-in-secret'

@description('Sign-in: name of the Key Vault secret that sessions are sealed with.')
param sessionKeySecretName secretName = 'session-key'

@description('Vendors that this deployment is registered at: vendor=client id:name of the Key Vault secret, …')
param oauthApps string = ''

@description('Address under which people reach the app, https and without a path; empty: the app\'s own.')
param publicUrl string = ''

@description('Notifications: https address that gets them by POST; empty: none. Secure, since such an address often holds a key.')
@secure()
param notifyUrl string = ''

@description('Notifications: name of the Key Vault secret that they are signed with; needed with notifyUrl.')
@maxLength(127)
param notifySecretName string = ''

@description('Traces and metrics over OpenTelemetry, to Application Insights or a collector; deploy.sh --telemetry also packs the libraries.')
param telemetry '' | 'azure' | 'otlp' = ''

var token = uniqueString(resourceGroup().id, environmentName)
// What names are made of. A name that is short and plain stays as it is; any other is cut and gets the token, which
// makes it longer than every plain one, so that no two environments of one group share a name.
var simple = replace(replace(replace(replace(toLower(environmentName), '_', '-'), '.', '-'), '(', '-'), ')', '-')
var isPlain = simple == environmentName && length(environmentName) <= 10
var label = isPlain ? environmentName : '${take(simple, 10)}-${token}'

// Names are made here and nowhere else: what-if sees only what is known before anything is deployed.
var stateStorageName = 'stexports${token}'
var createSegmentStorage = empty(segmentStorageAccountName)
var segmentStorageName = createSegmentStorage ? 'stsegments${token}' : segmentStorageAccountName
var segmentGroup = createSegmentStorage ? resourceGroup().name : segmentStorageResourceGroup
var vaultName = 'kv-exports-${token}'
var appName = 'func-exports-${take(simple, 10)}-${token}'
var identityName = 'id-exports-${label}'
var insightsName = 'appi-exports-${label}'
var networkName = 'vnet-exports-${label}'
var segmentContainers = union([], map(segmentLocations, place => split(place, '/')[0]))
var allTags tags = {
  project: 'segment-exports'
  environment: environmentName
  'azd-env-name': environmentName
}

// Refused before anything is made: nobody could set a secret, and the vault would blame their roles.
var nobodyReachesVault = virtualNetwork && empty(allowedAddresses) && !peopleComeThroughNetwork
var closed = nobodyReachesVault
  ? fail('With virtualNetwork, say in allowedAddresses from where people reach Key Vault to set secrets: allowedAddresses=["203.0.113.7"]. Where they come through the network itself, say peopleComeThroughNetwork=true.')
  : virtualNetwork
var withNat = fixedOutboundAddress && !virtualNetwork
  ? fail('fixedOutboundAddress needs virtualNetwork=true: the fixed address is that of a gateway in the network.')
  : fixedOutboundAddress

var dataReach reach = {
  publicNetworkAccess: closed && empty(allowedAddresses) ? 'Disabled' : 'Enabled'
  defaultAction: closed ? 'Deny' : 'Allow'
  allowedAddresses: allowedAddresses
}

module monitoring 'modules/monitoring.bicep' = {
  params: {
    label: label
    insightsName: insightsName
    location: location
    tags: allTags
    logDays: logDays
    alertEmails: alertEmails
  }
}

module alerts 'modules/alerts.bicep' = {
  params: {
    label: label
    environmentName: environmentName
    location: location
    tags: allTags
    insightsId: monitoring.outputs.insightsId
    workspaceId: monitoring.outputs.workspaceId
    actionGroupId: monitoring.outputs.actionGroupId
    hoursWithoutSuccess: hoursWithoutSuccess
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    name: guid(resourceGroup().id, 'workbook', label)
    environmentName: environmentName
    location: location
    tags: allTags
    insightsId: monitoring.outputs.insightsId
    instanceMemoryMB: instanceMemoryMB
  }
}

module identity 'modules/identity.bicep' = {
  params: {
    name: identityName
    location: location
    tags: allTags
  }
}

module stateStorage 'modules/state-storage.bicep' = {
  params: {
    name: stateStorageName
    location: location
    tags: allTags
    sku: storageSku
    reach: dataReach
    ledgerVersionDays: ledgerVersionDays
    lockData: lockData
    workspaceId: monitoring.outputs.workspaceId
  }
}

module segmentStorage 'modules/segment-storage.bicep' = if (createSegmentStorage) {
  params: {
    name: segmentStorageName
    location: location
    tags: allTags
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
  scope: resourceGroup(segmentGroup)
  params: {
    storageName: segmentStorageName
    containers: segmentContainers
    identityId: resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', identityName)
    principalId: identity.outputs.principalId
  }
  dependsOn: [segmentStorage]
}

module keyVault 'modules/key-vault.bicep' = {
  params: {
    name: vaultName
    location: location
    tags: allTags
    reach: dataReach
    workspaceId: monitoring.outputs.workspaceId
  }
}

module roles 'modules/roles.bicep' = {
  params: {
    identityName: identityName
    principalId: identity.outputs.principalId
    stateStorageName: stateStorageName
    vaultName: vaultName
    insightsName: insightsName
    writesSecrets: appWritesSecrets
  }
  dependsOn: [stateStorage, keyVault, monitoring]
}

module network 'modules/network.bicep' = if (closed) {
  params: {
    name: networkName
    label: label
    location: location
    tags: allTags
    addressSpace: virtualNetworkAddress
    fixedOutboundAddress: withNat
  }
}

var possibleEndpoints = [
  { name: 'state-blob', part: 'blob', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  { name: 'state-queue', part: 'queue', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  { name: 'state-table', part: 'table', target: resourceId('Microsoft.Storage/storageAccounts', stateStorageName) }
  {
    name: 'segments-blob'
    part: 'blob'
    target: resourceId(segmentGroup, 'Microsoft.Storage/storageAccounts', segmentStorageName)
  }
  { name: 'vault', part: 'vault', target: resourceId('Microsoft.KeyVault/vaults', vaultName) }
]

var endpoints = closed ? possibleEndpoints : []

module privateEndpoints 'modules/private-endpoint.bicep' = [
  for endpoint in endpoints: {
    params: {
      name: 'pe-exports-${label}-${endpoint.name}'
      location: location
      tags: allTags
      subnetId: resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'endpoints')
      targetId: endpoint.target
      part: endpoint.part
    }
    dependsOn: [network, stateStorage, segmentStorage, keyVault]
  }
]

module functionApp 'modules/function-app.bicep' = {
  params: {
    name: appName
    label: label
    location: location
    tags: allTags
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    rollingUpdates: rollingUpdates
    zoneRedundant: zoneRedundant
    subnetId: closed ? resourceId('Microsoft.Network/virtualNetworks/subnets', networkName, 'app') : ''
    identityId: resourceId('Microsoft.ManagedIdentity/userAssignedIdentities', identityName)
    identityClientId: identity.outputs.clientId
    stateStorageName: stateStorageName
    packageContainerUrl: stateStorage.outputs.packageContainerUrl
    segmentStorageName: segmentStorageName
    segmentLocations: join(segmentLocations, ', ')
    vaultUri: keyVault.outputs.uri
    insightsConnectionString: monitoring.outputs.insightsConnectionString
    exportSchedule: exportSchedule
    artefactDays: artefactDays
    eventDays: eventDays
    eventAddresses: eventAddresses
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
output keyVaultName string = vaultName
output stateStorageName string = stateStorageName
output segmentStorageName string = segmentStorageName
output segmentStorageResourceGroup string = segmentGroup
output insightsName string = insightsName
output identityName string = identityName
output identityPrincipalId string = identity.outputs.principalId
@description('How many people are told when an alert fires; deploy.sh warns where it is nobody.')
output alertEmailCount int = length(alertEmails)
@description('The address that vendors see, where it is fixed.')
output outboundAddress string = network.?outputs.?outboundAddress ?? ''
