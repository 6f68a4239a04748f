// What the app may do where segments land: read the named containers, and nothing else in that account.
import { container as containerType } from '../types.bicep'

param storageName string
@minLength(1)
param containers containerType[]
@description('Resource id of the app\'s identity: it is known before anything is deployed, so names are made of it.')
param identityId string
param principalId string

var roleIds = {
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
}

resource storage 'Microsoft.Storage/storageAccounts@2025-06-01' existing = {
  name: storageName
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-06-01' existing = {
  parent: storage
  name: 'default'
}

resource segments 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-06-01' existing = [
  for container in containers: {
    parent: blobService
    name: container
  }
]

// Reason: segments are listed and read. Per container, so that other data in a shared account stays out of reach.
resource readers 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (container, i) in containers: {
    scope: segments[i]
    name: guid(storage.id, container, identityId, roleIds.storageBlobDataReader)
    properties: {
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', roleIds.storageBlobDataReader)
      principalId: principalId
      principalType: 'ServicePrincipal'
    }
  }
]
