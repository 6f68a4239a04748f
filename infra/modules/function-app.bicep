// The app: Flex Consumption plan, identity for everything, and every app setting that the code reads.
import { appSettings, tags as tagsType } from '../types.bicep'

param name string
param label string
param location string
param tags tagsType
param pythonVersion string
param instanceMemoryMB int
param maximumInstanceCount int
param rollingUpdates bool
param zoneRedundant bool
param subnetId string
param identityId string
param identityClientId string
param stateStorageName string
param packageContainerUrl string
param segmentStorageName string
param segmentLocations string
param vaultUri string
param insightsConnectionString string
param exportSchedule string
param artefactDays int
param eventDays int
param eventAddresses string
param signInIssuer string
param signInClientId string
param signInSecretName string
param sessionKeySecretName string
param publicUrl string
param oauthApps string
@secure()
param notifyUrl string
param notifySecretName string
param telemetry string
param settingOverrides appSettings

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-exports-${label}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: {
    tier: 'FlexConsumption'
    name: 'FC1'
  }
  properties: {
    reserved: true
    zoneRedundant: zoneRedundant
  }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: tags
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: {
      '${identityId}': {}
    }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageContainerUrl
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      // Recreate, the default, kills slices that are under way; they are repeated, and cost the vendor twice.
      // The property is documented; the published types lack it.
      #disable-next-line BCP037
      siteUpdateStrategy: {
        type: rollingUpdates ? 'RollingUpdate' : 'Recreate'
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        triggers: {
          http: {
            // A Python app on Flex answers one request at a time unless told: pages mostly wait for storage, and three
            // previews of DUCKDB_MEMORY_MB each fit into the smallest instance. The threads below are one more.
            perInstanceConcurrency: 3
          }
        }
      }
      runtime: {
        name: 'python'
        version: pythonVersion
      }
    }
  }
}

// User names and passwords for deployment are off; deployment signs in with Entra.
resource deploymentPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: {
    allow: false
  }
}

resource ftpPassword 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: {
    allow: false
  }
}

// A test compares these names with those that the code reads, both ways. Settings of one-machine stand-ins are never set here.
var standardSettings = {
  // The host: its storage by identity, telemetry by identity, and our page in place of its own.
  AzureWebJobsStorage__accountName: stateStorageName
  AzureWebJobsStorage__credential: 'managedidentity'
  AzureWebJobsStorage__clientId: identityClientId
  AzureWebJobsDisableHomepage: 'true'
  PYTHON_THREADPOOL_THREAD_COUNT: '4'
  APPLICATIONINSIGHTS_CONNECTION_STRING: insightsConnectionString
  APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identityClientId};Authorization=AAD'
  // Where things are.
  SegmentStorage__accountName: segmentStorageName
  SegmentStorage__clientId: identityClientId
  SEGMENT_LOCATIONS: segmentLocations
  SEGMENT_MARKS: '_SUCCESS'
  SEGMENT_SETTLE_MINUTES: '10'
  KEY_VAULT_URL: vaultUri
  AZURE_CLIENT_ID: identityClientId
  // Sign-in of people, and of this deployment at vendors; secrets by their names in Key Vault.
  SIGN_IN_ISSUER: signInIssuer
  SIGN_IN_CLIENT_ID: signInClientId
  SIGN_IN_SECRET: signInSecretName
  SESSION_KEY_SECRET: sessionKeySecretName
  OAUTH_APPS: oauthApps
  PUBLIC_URL: empty(publicUrl) ? 'https://${app.properties.defaultHostName}' : publicUrl
  TRUSTED_PROXIES: '0'
  // When, how long, how much; the numbers are the code's own defaults.
  EXPORT_SCHEDULE: exportSchedule
  ARTEFACT_DAYS: string(artefactDays)
  EVENT_DAYS: string(eventDays)
  EVENT_ADDRESSES: eventAddresses
  SLICE_SECONDS: '240'
  STALE_SECONDS: '900'
  JOB_SECONDS: '2'
  VERIFY_SECONDS: '300'
  ROWS_PER_FILE: '1000000'
  DUCKDB_MEMORY_MB: '500'
  DUCKDB_TEMPORARY_MB: '400'
  // Who is told.
  NOTIFY_URL: notifyUrl
  NOTIFY_SECRET: notifySecretName
  REJECTED_SHARE: '0.1'
  MISSED_MINUTES: '15'
  TELEMETRY: telemetry
}

resource settings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(standardSettings, settingOverrides)
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
