// What the app's identity may do in this resource group, and why. Segments: segment-access.bicep.
param identityName string
@description('Known only once the identity exists; names are made of its resource id instead, so that what-if sees them.')
param principalId string
param stateStorageName string
param vaultName string
param insightsName string
@description('Whether the app may also write secrets.')
param writesSecrets bool

var roleIds = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
}

var secretsRole = writesSecrets ? roleIds.keyVaultSecretsOfficer : roleIds.keyVaultSecretsUser

resource stateStorage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: stateStorageName
}

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' existing = {
  name: vaultName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: insightsName
}

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' existing = {
  name: identityName
}

// Reason: the host keeps its locks and keys in blobs of this account and asks for Owner; the app writes plans, journals,
// ledgers and reports, and signs download links; the platform reads the deployed package.
resource blobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: stateStorage
  name: guid(stateStorage.id, identity.id, roleIds.storageBlobDataOwner)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageBlobDataOwner)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Reason: the app makes its queue and sends slices; the host takes them and fills the poison queue.
resource queues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: stateStorage
  name: guid(stateStorage.id, identity.id, roleIds.storageQueueDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageQueueDataContributor
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Reason: connections, exports, targets and runs are rows of tables that the app makes itself.
resource tables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: stateStorage
  name: guid(stateStorage.id, identity.id, roleIds.storageTableDataContributor)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.storageTableDataContributor
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Reason: the app reads connections' secrets, and writes what it is given or makes: a vendor's sign-in, which is renewed
// all the time, and the key of sessions. No built-in role reads and writes only; what it could delete can be recovered.
resource secrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: vault
  name: guid(vault.id, identity.id, secretsRole)
  properties: {
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', secretsRole)
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}

// Reason: Application Insights takes telemetry by identity only (local authentication is off), and this role is what it asks for.
resource telemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, identity.id, roleIds.monitoringMetricsPublisher)
  properties: {
    roleDefinitionId: subscriptionResourceId(
      'Microsoft.Authorization/roleDefinitions',
      roleIds.monitoringMetricsPublisher
    )
    principalId: principalId
    principalType: 'ServicePrincipal'
  }
}
