using '../main.bicep'

param environmentName = 'dev'
param storageSku = 'Standard_LRS'
param hoursWithoutSuccess = 0
