// The account that segments land in. The source product writes, the app only reads.
import { container as containerType, replication, tags as tagsType } from '../types.bicep'

param name string
param location string
param tags tagsType
param sku replication
param containers containerType[]
param writerPrincipalId string
param hierarchicalNamespace bool
param sharedKeyAccess bool
param lockData bool
param workspaceId string

var roleIds = {
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
}

var writtenContainers = empty(writerPrincipalId) ? [] : containers

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: union(tags, { holds: 'segments' })
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: sharedKeyAccess
    defaultToOAuthAuthentication: true
    allowCrossTenantReplication: false
    isHnsEnabled: hierarchicalNamespace
    // The source product delivers from outside of any network of this subscription.
    publicNetworkAccess: 'Enabled'
    networkAcls: {
      defaultAction: 'Allow'
      bypass: 'AzureServices'
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: storage
  name: 'default'
  properties: {
    // Customer Insights refuses to export to an account that has it on.
    deleteRetentionPolicy: {
      enabled: false
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource segments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = [
  for container in containers: {
    parent: blobService
    name: container
    properties: {
      publicAccess: 'None'
    }
  }
]

// Reason: whoever lands the segments writes files into these containers.
resource writers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in writtenContainers: {
    scope: segments[i]
    name: guid(storage.id, container, writerPrincipalId, roleIds.storageBlobDataContributor)
    properties: {
      roleDefinitionId: subscriptionResourceId(
        'Microsoft.Authorization/roleDefinitions',
        roleIds.storageBlobDataContributor
      )
      principalId: writerPrincipalId
      principalType: 'ServicePrincipal'
    }
  }
]

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockData) {
  scope: storage
  name: 'keep-segments'
  properties: {
    level: 'CanNotDelete'
    notes: 'Segments belong to the source product; removing the app must not remove them.'
  }
}

// Reason: see modules/key-vault.bicep.
#disable-next-line use-recent-api-versions
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageRead', enabled: true }
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
  }
}
