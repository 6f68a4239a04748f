// A page in the portal with what is asked most, for each export: runs, people, refusals, rates, the queue, what costs.
import { readEvents, tags as tagsType } from '../types.bicep'

param name string
param environmentName string
param location string
param tags tagsType
param insightsId string
@description('For GB-seconds: an execution is billed by the memory of its instance.')
param instanceMemoryMB int

// A notice that was told twice has one id.
var once = '${readEvents} | extend id = tostring(told.id) | summarize arg_min(timestamp, *) by id'
var ended = '${once} | where event in ("run_finished", "run_failed", "run_blocked")'

var panels = [
  {
    title: 'Last run of each export'
    view: 'table'
    query: '${ended} | summarize arg_max(timestamp, state, run = tostring(told.run)) by export | order by export asc'
  }
  {
    title: 'Last good end of each export'
    view: 'table'
    query: '${once} | where event == "run_finished" and state in ("succeeded", "succeeded with warnings", "nothing to do") | summarize ended = max(timestamp) by export | extend hours = datetime_diff("hour", now(), ended) | order by hours desc'
  }
  {
    title: 'Runs by how they ended'
    view: 'barchart'
    query: '${ended} | summarize runs = count() by state, bin(timestamp, 1d)'
  }
  {
    title: 'Minutes that runs took'
    view: 'table'
    query: '${once} | where event in ("run_started", "run_finished", "run_failed") | extend run = tostring(told.run) | summarize began = minif(timestamp, event == "run_started"), over = maxif(timestamp, event != "run_started") by export, run | where isnotnull(began) and isnotnull(over) | extend minutes = datetime_diff("second", over, began) / 60.0 | summarize runs = count(), percentiles(minutes, 50, 95) by export'
  }
  {
    title: 'People added, changed and taken off by day'
    view: 'table'
    query: '${once} | where event in ("run_finished", "run_failed") | summarize added = sum(tolong(told.add_accepted)), changed = sum(tolong(told.change_accepted)), taken_off = sum(tolong(told.remove_accepted)) by export, bin(timestamp, 1d) | order by timestamp desc'
  }
  {
    title: 'People refused: here, and by the vendor'
    view: 'table'
    query: '${once} | where event in ("run_finished", "run_failed") | summarize here = sum(tolong(told.refused_here)), by_vendor = sum(tolong(told.add_rejected)) + sum(tolong(told.change_rejected)), largest_share = max(todouble(told.rejected_share)) by export, bin(timestamp, 1d) | order by largest_share desc'
  }
  {
    title: 'Due times without a run in time, and exports that are overdue'
    view: 'table'
    query: '${once} | where event in ("schedule_missed", "export_overdue") | summarize times = count(), latest_one = max(timestamp) by export, event'
  }
  {
    title: 'Requests to vendors, and seconds waited for their limits (with TELEMETRY=azure)'
    view: 'linechart'
    query: 'customMetrics | where name in ("segment_exports.vendor.requests", "segment_exports.vendor.retries", "segment_exports.vendor.throttled") | extend series = strcat(tostring(customDimensions.vendor), " ", name) | summarize sum(valueSum) by series, bin(timestamp, 5m)'
  }
  {
    title: 'Seconds that messages waited for a worker (with TELEMETRY=azure)'
    view: 'linechart'
    query: 'customMetrics | where name == "segment_exports.queue.age" | summarize longest = max(valueMax), mean = sum(valueSum) / sum(valueCount) by bin(timestamp, 5m)'
  }
  {
    title: 'What is billed: executions and GB-seconds by function; each counts a second at least'
    view: 'table'
    query: 'requests | summarize executions = count(), GB_seconds = sum(max_of(duration, 1000.0)) / 1000 * ${instanceMemoryMB} / 1024 by name, bin(timestamp, 1d) | order by GB_seconds desc'
  }
  {
    title: 'What is billed: characters of logs by level'
    view: 'table'
    query: 'traces | summarize lines = count(), characters = sum(strlen(message)) by severityLevel, bin(timestamp, 1d) | order by characters desc'
  }
]

var range = {
  type: 9
  content: {
    version: 'KqlParameterItem/1.0'
    parameters: [
      {
        version: 'KqlParameterItem/1.0'
        name: 'Time'
        type: 4
        isRequired: true
        value: { durationMs: 604800000 }
        typeSettings: {
          selectableValues: [{ durationMs: 86400000 }, { durationMs: 604800000 }, { durationMs: 2592000000 }]
          allowCustom: true
        }
      }
    ]
  }
  name: 'time'
}

var items = map(panels, panel => {
  type: 3
  content: {
    version: 'KqlItem/1.0'
    query: panel.query
    title: panel.title
    size: 0
    timeContextFromParameter: 'Time'
    queryType: 0
    resourceType: 'microsoft.insights/components'
    visualization: panel.view
  }
  name: panel.title
})

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: name
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Segment exports (${environmentName})'
    category: 'workbook'
    sourceId: insightsId
    serializedData: string({ version: 'Notebook/1.0', items: concat([range], items), fallbackResourceIds: [insightsId] })
  }
}
