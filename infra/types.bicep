// Types that main.bicep and its modules share, and how events are read.

@export()
@description('On everything that is created: teardown.sh, azd and bills find it by these.')
type tags = {
  project: string
  environment: string
  'azd-env-name': string
}

@export()
@description('How often storage is replicated, and how far apart.')
type replication = 'Standard_LRS' | 'Standard_ZRS' | 'Standard_GRS' | 'Standard_GZRS'

@export()
@description('Name of a blob container.')
@minLength(3)
@maxLength(63)
type container = string

@export()
@description('Where segments land: container, or container/prefix.')
@minLength(3)
@maxLength(1024)
type segmentLocation = string

@export()
@description('Object id or tenant id.')
@minLength(36)
@maxLength(36)
type id = string

@export()
@description('A public IPv4 address, or a range of /30 and larger.')
@minLength(7)
@maxLength(18)
type address = string

@export()
@description('An e-mail address.')
@minLength(6)
@maxLength(254)
type email = string

@export()
@description('Name of a Key Vault secret.')
@minLength(1)
@maxLength(127)
type secretName = string

@export()
@description('App settings by name. Never secrets.')
type appSettings = {
  *: string
}

@export()
@description('From where a storage account or a vault is reached, other than through private endpoints.')
type reach = {
  publicNetworkAccess: 'Enabled' | 'Disabled'
  defaultAction: 'Allow' | 'Deny'
  allowedAddresses: address[]
}

@export()
@description('Beginning of queries about events. The text of an event is JSON; where OpenTelemetry sends it, its fields are custom dimensions as well.')
var readEvents = 'traces | where message has "event" | extend told = parse_json(message) | extend event = coalesce(tostring(customDimensions.event), tostring(told.event)), export = coalesce(tostring(customDimensions.export), tostring(told.export), "-"), state = coalesce(tostring(customDimensions.state), tostring(told.state))'
