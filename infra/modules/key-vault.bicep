// The connections' secrets. People set them (role Key Vault Secrets Officer); the app reads them.
import { reach as reachType, tags as tagsType } from '../types.bicep'

param name string
param location string
param tags tagsType
param reach reachType
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: {
      family: 'A'
      name: 'standard'
    }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: reach.publicNetworkAccess
    networkAcls: {
      defaultAction: reach.defaultAction
      bypass: 'AzureServices'
      ipRules: [
        for address in reach.allowedAddresses: {
          value: address
        }
      ]
    }
  }
}

// Reason: the only newer version that the compiler knows is 2016-09-01, which cannot do this.
#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'AuditEvent', enabled: true }
    ]
  }
}

output uri string = vault.properties.vaultUri
