// The service's own account: queue, tables, run artefacts, ledgers, and the deployed package.
import { reach as reachType, replication, tags as tagsType } from '../types.bicep'

param name string
param location string
param tags tagsType
param sku replication
param reach reachType
param ledgerVersionDays int
param lockData bool
param workspaceId string

// The app's container and the prefixes in it; a test compares them with shared/delivery/state/layout.py.
var container = 'segment-exports'

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' = {
  name: name
  location: location
  tags: union(tags, { holds: 'state' })
  kind: 'StorageV2'
  sku: {
    name: sku
  }
  properties: {
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    allowBlobPublicAccess: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    allowCrossTenantReplication: false
    publicNetworkAccess: reach.publicNetworkAccess
    networkAcls: {
      // Without a virtual network a Flex Consumption app calls from addresses that nobody can list.
      defaultAction: reach.defaultAction
      bypass: 'AzureServices'
      ipRules: [
        for address in reach.allowedAddresses: {
          value: address
          action: 'Allow'
        }
      ]
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' = {
  parent: storage
  name: 'default'
  properties: {
    // For the ledgers; it cannot be switched on for one container alone. What it keeps of everything else goes after a day.
    isVersioningEnabled: true
    deleteRetentionPolicy: {
      enabled: true
      days: 7
    }
    containerDeleteRetentionPolicy: {
      enabled: true
      days: 7
    }
  }
}

resource exportsContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: container
  properties: {
    publicAccess: 'None'
  }
}

resource packageContainer 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' = {
  parent: blobService
  name: 'app-package'
  properties: {
    publicAccess: 'None'
  }
}

// Only earlier versions, never a current blob: age cannot tell an open run from an ended one, and the app can. It deletes
// what ended ARTEFACT_DAYS ago (shared/delivery/erase/expiry.py), which leaves a version behind; these rules remove that.
resource lifecycle 'Microsoft.Storage/storageAccounts/managementPolicies@2025-06-01' = {
  parent: storage
  name: 'default'
  dependsOn: [blobService]
  properties: {
    policy: {
      rules: [
        {
          name: 'versions-of-run-artefacts'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob', 'appendBlob']
              prefixMatch: [
                '${container}/runs/'
                '${container}/doctor/'
                '${container}/leases/'
                '${container}/locks/'
                '${container}/poison/'
                '${container}/probes/'
                '${container}/verifying/'
                'app-package/'
                'azure-webjobs-'
              ]
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: 1
                }
              }
            }
          }
        }
        {
          // A rule of its own, since one takes ten prefixes at the most.
          name: 'versions-of-jobs'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: [
                '${container}/collecting/'
                '${container}/events/'
                '${container}/forgetting/'
                '${container}/found/'
                '${container}/salts/'
              ]
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: 1
                }
              }
            }
          }
        }
        {
          name: 'versions-of-ledgers'
          type: 'Lifecycle'
          enabled: true
          definition: {
            filters: {
              blobTypes: ['blockBlob']
              prefixMatch: ['${container}/ledgers/']
            }
            actions: {
              version: {
                delete: {
                  daysAfterCreationGreaterThan: ledgerVersionDays
                }
              }
            }
          }
        }
      ]
    }
  }
}

resource lock 'Microsoft.Authorization/locks@2020-05-01' = if (lockData) {
  scope: storage
  name: 'keep-ledgers'
  properties: {
    level: 'CanNotDelete'
    notes: 'Without its ledgers the service no longer knows whom it added, and cannot take anyone off a list.'
  }
}

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-06-01' = {
  parent: storage
  name: 'default'
}

// Reason: see modules/key-vault.bicep.
#disable-next-line use-recent-api-versions
resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: blobService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [
      { category: 'Transaction', enabled: true }
    ]
  }
}

// Reason: see modules/key-vault.bicep.
#disable-next-line use-recent-api-versions
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: queueService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    // Every poll of an empty queue is a read; writes and deletions alone tell what happened to a message.
    logs: [
      { category: 'StorageWrite', enabled: true }
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [
      { category: 'Transaction', enabled: true }
    ]
  }
}

// Reason: see modules/key-vault.bicep.
#disable-next-line use-recent-api-versions
resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: tableService
  name: 'to-workspace'
  properties: {
    workspaceId: workspaceId
    logs: [
      { category: 'StorageDelete', enabled: true }
    ]
    metrics: [
      { category: 'Transaction', enabled: true }
    ]
  }
}

output packageContainerUrl string = '${storage.properties.primaryEndpoints.blob}${packageContainer.name}'
