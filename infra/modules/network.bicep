// A network of the app's own: one subnet for the app, one for private endpoints, and the names that lead to them.
import { tags as tagsType } from '../types.bicep'

param name string
param label string
param location string
param tags tagsType
@description('A network of /24 or larger.')
param addressSpace string
@description('Whether a NAT gateway gives the app one address that vendors see.')
param fixedOutboundAddress bool

var zones = [
  'privatelink.blob.${environment().suffixes.storage}'
  'privatelink.queue.${environment().suffixes.storage}'
  'privatelink.table.${environment().suffixes.storage}'
  'privatelink.vaultcore.azure.net'
]

// The platform's own rules let the network talk within itself and out, and nobody in.
resource firewall 'Microsoft.Network/networkSecurityGroups@2025-05-01' = {
  name: 'nsg-exports-${label}'
  location: location
  tags: tags
}

resource outbound 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (fixedOutboundAddress) {
  name: 'pip-exports-${label}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    publicIPAllocationMethod: 'Static'
    publicIPAddressVersion: 'IPv4'
  }
}

resource gateway 'Microsoft.Network/natGateways@2025-05-01' = if (fixedOutboundAddress) {
  name: 'ng-exports-${label}'
  location: location
  tags: tags
  sku: {
    name: 'Standard'
  }
  properties: {
    idleTimeoutInMinutes: 4
    publicIpAddresses: [
      {
        id: outbound.id
      }
    ]
  }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: {
      addressPrefixes: [addressSpace]
    }
    subnets: [
      {
        name: 'app'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 25, 0)
          networkSecurityGroup: {
            id: firewall.id
          }
          natGateway: fixedOutboundAddress
            ? {
                id: gateway.id
              }
            : null
          delegations: [
            {
              name: 'flex-consumption'
              properties: {
                serviceName: 'Microsoft.App/environments'
              }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressSpace, 27, 4)
          networkSecurityGroup: {
            id: firewall.id
          }
          privateEndpointNetworkPolicies: 'Enabled'
        }
      }
    ]
  }
}

resource names 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in zones: {
    name: zone
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, i) in zones: {
    parent: names[i]
    name: 'exports-${label}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      virtualNetwork: {
        id: network.id
      }
    }
  }
]

output outboundAddress string = fixedOutboundAddress ? outbound!.properties.ipAddress : ''
