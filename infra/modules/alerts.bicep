// One alert per event that a person should hear of. The events and their fields: shared/cloud/events.py.
import { readEvents, tags as tagsType } from '../types.bicep'

param label string
param environmentName string
param location string
param tags tagsType
param insightsId string
param workspaceId string
param actionGroupId string
@minValue(0)
@maxValue(48)
param hoursWithoutSuccess int

// Severity: 1 means that something is lost if nobody acts, 2 that nothing goes on until somebody does, 3 that somebody should look.
var alerts = [
  { name: 'run-failed', event: 'run_failed', severity: 2, title: 'A run failed' }
  { name: 'run-blocked', event: 'run_blocked', severity: 2, title: 'A run waits for a decision' }
  {
    name: 'poison-message'
    event: 'poison_message'
    severity: 1
    title: 'A queue message failed five times and was set aside'
  }
  { name: 'schedule-missed', event: 'schedule_missed', severity: 2, title: 'An export did not run when it was due' }
  {
    name: 'export-overdue'
    event: 'export_overdue'
    severity: 2
    title: 'An export has not ended well for longer than its schedule allows'
  }
  { name: 'rejected-share', event: 'rejected_share', severity: 3, title: 'Many people of an export were refused' }
  {
    name: 'verification-differs'
    event: 'verification_differs'
    severity: 3
    title: 'A list is not what was delivered'
  }
  { name: 'notification-failed', event: 'notification_failed', severity: 3, title: 'A notification could not be sent' }
  { name: 'timer-trouble', event: 'timer_trouble', severity: 2, title: 'A part of the timer\'s work fails' }
]

resource rules 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for alert in alerts: {
    name: 'alert-exports-${label}-${alert.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${alert.title} (${environmentName})'
      description: 'What to do: docs/operations.md, "${alert.event}".'
      severity: alert.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: 'PT5M'
      // Longer than the frequency, since telemetry arrives minutes late.
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: '${readEvents} | where event == "${alert.event}"'
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            // One alert per export.
            dimensions: [
              {
                name: 'export'
                operator: 'Include'
                values: ['*']
              }
            ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]

// What the app cannot tell of itself. `split`: one alert for each value of this column.
var conditions = [
  {
    name: 'function-failing'
    page: 'function failing'
    severity: 1
    title: 'Schedules are not looked at, or failed messages not set aside'
    scope: insightsId
    query: 'requests | where name in ("schedule", "poison") and success == "False"'
    split: 'name'
    above: 2
    window: 'PT15M'
  }
  {
    name: 'poison-growing'
    page: 'poison growing'
    severity: 1
    title: 'Many queue messages were set aside within an hour'
    scope: insightsId
    query: '${readEvents} | where event == "poison_message"'
    split: ''
    above: 5
    window: 'PT1H'
  }
  {
    name: 'server-errors'
    page: 'server errors'
    severity: 2
    title: 'The app answers with errors of its own'
    scope: insightsId
    query: 'requests | where toint(resultCode) >= 500'
    split: ''
    above: 5
    window: 'PT15M'
  }
  {
    name: 'secrets-ending'
    page: 'secrets ending'
    severity: 2
    title: 'A secret in Key Vault ends soon, or has ended'
    scope: workspaceId
    query: 'AzureDiagnostics | where ResourceProvider == "MICROSOFT.KEYVAULT" and (OperationName startswith "SecretNearExpiry" or OperationName startswith "SecretExpired")'
    split: ''
    above: 0
    window: 'P1D'
  }
]

resource others 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for each in conditions: {
    name: 'alert-exports-${label}-${each.name}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${each.title} (${environmentName})'
      description: 'What to do: docs/operations.md, "${each.page}".'
      severity: each.severity
      enabled: true
      scopes: [each.scope]
      evaluationFrequency: each.window == 'P1D' ? 'PT1H' : 'PT5M'
      windowSize: each.window
      autoMitigate: true
      // A new workspace has no table yet that nothing was written to.
      skipQueryValidation: true
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: each.above
            dimensions: empty(each.split)
              ? []
              : [
                  {
                    name: each.split
                    operator: 'Include'
                    values: ['*']
                  }
                ]
            failingPeriods: {
              numberOfEvaluationPeriods: 1
              minFailingPeriodsToAlert: 1
            }
          }
        ]
      }
      actions: {
        actionGroups: [actionGroupId]
      }
    }
  }
]

// Also fires when the whole app is down, which no event of its own can tell.
resource noSuccess 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = if (hoursWithoutSuccess > 0) {
  name: 'alert-exports-${label}-no-success'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'No run succeeded for ${hoursWithoutSuccess} hours (${environmentName})'
    description: 'What to do: docs/operations.md, "no successful run".'
    severity: 2
    enabled: true
    scopes: [insightsId]
    evaluationFrequency: 'PT1H'
    windowSize: 'PT${hoursWithoutSuccess}H'
    autoMitigate: true
    criteria: {
      allOf: [
        {
          // Summarised without groups, so that there is a row with 0 where there is no event.
          query: '${readEvents} | where event == "run_finished" and state in ("succeeded", "succeeded with warnings", "nothing to do") | summarize successes = count()'
          timeAggregation: 'Total'
          metricMeasureColumn: 'successes'
          operator: 'LessThan'
          threshold: 1
          failingPeriods: {
            numberOfEvaluationPeriods: 1
            minFailingPeriodsToAlert: 1
          }
        }
      ]
    }
    actions: {
      actionGroups: [actionGroupId]
    }
  }
}
