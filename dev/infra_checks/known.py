"""Facts that the checks compare with: built-in roles, and functions of Bicep."""

from __future__ import annotations

from collections.abc import Mapping

ROLES: Mapping[str, str] = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "storageBlobDataOwner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "storageBlobDataContributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "storageBlobDataReader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "storageQueueDataContributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "storageTableDataContributor",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "keyVaultSecretsOfficer",
    "4633458b-17de-408a-b874-0445c86b69e6": "keyVaultSecretsUser",
    "3913510d-42f4-4e42-8a64-420c390055eb": "monitoringMetricsPublisher",
}
"""Id of a built-in role -> its name as the templates write it."""

# fmt: off
FUNCTIONS = frozenset({
    "any", "array", "base64", "bool", "cidrHost", "cidrSubnet", "coalesce", "concat", "contains", "copyIndex",
    "deployment", "empty", "endsWith", "environment", "filter", "first", "flatten", "format", "guid", "indexOf",
    "int", "intersection", "items", "join", "json", "last", "lastIndexOf", "length", "loadJsonContent",
    "loadTextContent", "map", "max", "min", "objectKeys", "padLeft", "parseCidr", "range", "reduce", "replace",
    "resourceGroup", "resourceId", "shallowMerge", "skip", "sort", "split", "startsWith", "string", "subscription",
    "subscriptionResourceId", "substring", "take", "tenant", "tenantResourceId", "toLower", "toObject", "toUpper",
    "trim", "union", "uniqueString", "uri", "uriComponent", "utcNow",
})
# fmt: on
"""Without those that read keys (listKeys and its like): nothing here may need one."""

SECRET_FUNCTIONS = ("list", "getSecret")
"""Beginnings of functions that answer with secrets."""
