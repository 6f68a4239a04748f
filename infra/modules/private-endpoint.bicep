// One way into the network for one service of one resource, and its name. Deployed after network.bicep.
import { tags as tagsType } from '../types.bicep'

param name string
param location string
param tags tagsType
param subnetId string
param targetId string
param part 'blob' | 'queue' | 'table' | 'vault'

var zone = part == 'vault' ? 'privatelink.vaultcore.azure.net' : 'privatelink.${part}.${environment().suffixes.storage}'

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: subnetId
    }
    privateLinkServiceConnections: [
      {
        name: part
        properties: {
          privateLinkServiceId: targetId
          groupIds: [part]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: part
        properties: {
          privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', zone)
        }
      }
    ]
  }
}
