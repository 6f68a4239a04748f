// One way into the network for one service of one resource, and its name. Deployed after network.bicep.
param name string
param environmentName string
param location string
param tags object
param targetId string
@allowed(['blob', 'queue', 'table', 'vault'])
param part string

var zone = part == 'vault' ? 'privatelink.vaultcore.azure.net' : 'privatelink.${part}.${environment().suffixes.storage}'

resource endpoint 'Microsoft.Network/privateEndpoints@2024-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: {
      id: resourceId('Microsoft.Network/virtualNetworks/subnets', 'vnet-exports-${environmentName}', 'endpoints')
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

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2024-05-01' = {
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
