"""Values of enumerations that Azure leaves open: the compiler takes any text there, and Azure refuses it, or worse."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from dev.infra_checks.problem import Problem

CLOSED: Mapping[str, frozenset[str]] = {
    "*.principalType": frozenset({"ServicePrincipal"}),
    "*.minimumTlsVersion": frozenset({"TLS1_2", "TLS1_3"}),
    "*.minTlsVersion": frozenset({"1.2", "1.3"}),
    "*.scmMinTlsVersion": frozenset({"1.2", "1.3"}),
    "*.publicNetworkAccess": frozenset({"Enabled", "Disabled"}),
    "*.defaultAction": frozenset({"Allow", "Deny"}),
    "*.bypass": frozenset({"AzureServices"}),
    "*.publicAccess": frozenset({"None"}),
    "Microsoft.Storage/storageAccounts.kind": frozenset({"StorageV2"}),
    "Microsoft.Storage/storageAccounts.name": frozenset(
        {"Standard_LRS", "Standard_ZRS", "Standard_GRS", "Standard_GZRS"}
    ),
    "Microsoft.Storage/storageAccounts/managementPolicies.blobTypes": frozenset({"blockBlob", "appendBlob"}),
    "Microsoft.KeyVault/vaults.name": frozenset({"standard"}),
    "Microsoft.Authorization/locks.level": frozenset({"CanNotDelete"}),
    "Microsoft.OperationalInsights/workspaces.name": frozenset({"PerGB2018"}),
    "Microsoft.Insights/components.Application_Type": frozenset({"web"}),
    "Microsoft.Insights/scheduledQueryRules.timeAggregation": frozenset({"Count", "Total"}),
    "Microsoft.Insights/scheduledQueryRules.operator": frozenset({"GreaterThan", "LessThan", "Include"}),
    "Microsoft.Insights/scheduledQueryRules.kind": frozenset({"LogAlert"}),
    "Microsoft.Insights/scheduledQueryRules.evaluationFrequency": frozenset({"PT5M", "PT15M", "PT1H"}),
    "Microsoft.Insights/diagnosticSettings.category": frozenset(
        {"AuditEvent", "StorageRead", "StorageWrite", "StorageDelete", "Transaction"}
    ),
    "Microsoft.Web/serverfarms.tier": frozenset({"FlexConsumption"}),
    "Microsoft.Web/serverfarms.name": frozenset({"FC1"}),
    "Microsoft.Web/sites.kind": frozenset({"functionapp,linux"}),
    "Microsoft.Web/sites.version": frozenset({"3.11", "3.12", "3.13"}),
    "Microsoft.Network/publicIPAddresses.publicIPAllocationMethod": frozenset({"Static"}),
    "Microsoft.Network/virtualNetworks.serviceName": frozenset({"Microsoft.App/environments"}),
    "Microsoft.Network/privateEndpoints.groupIds": frozenset({"blob", "queue", "table", "vault"}),
}
"""`type.property` (`*`: of any type), at any depth -> what may stand there."""
_NAMED_AT_THE_TOP = "name"
"""The resource's own name is no enumeration; an SKU's is."""


def enumerations(snapshot: Mapping[str, Any], file: Path) -> list[Problem]:
    """Values that are not among those that Azure knows."""
    return sorted(
        Problem(file, 1, f"{each['type']} {each['name']}: {name} is {value!r}, not one of {sorted(known)}")
        for each in snapshot["predictedResources"]
        for name, value in _texts({key: each[key] for key in each if key != _NAMED_AT_THE_TOP})
        if (known := CLOSED.get(f"{each['type']}.{name}") or CLOSED.get(f"*.{name}")) and value not in known
    )  # fmt: skip


def _texts(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """Property -> text, at any depth. Tags are people's own words."""
    if isinstance(value, dict):
        for key, each in value.items():
            if key != "tags":
                yield from _texts(each, key)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name)
    elif isinstance(value, str) and not value.startswith("["):
        yield name, value
