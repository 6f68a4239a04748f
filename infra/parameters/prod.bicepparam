using '../main.bicep'

param environmentName = 'prod'
param storageSku = 'Standard_ZRS'
param virtualNetwork = true
// From where people reach Key Vault. Name your offices' addresses before the first deployment; it is refused without.
param allowedAddresses = []
param lockData = true
param hoursWithoutSuccess = 24
param logDays = 90
// Who is told when an alert fires. Nobody, until you name somebody; deploy.sh says so each time.
param alertEmails = []
