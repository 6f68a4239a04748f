"""What every deployment keeps, whatever its parameters. Each promise raises AssertionError where one does not."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path

from shared.cloud.events import Event
from tests.infra.deployment import Deployment

ROOT = Path(__file__).parents[2]
Promise = Callable[[Deployment], None]


def no_key_opens_anything(made: Deployment) -> None:
    """Everything is opened by identity; account keys of the segments only where a parameter asks for them."""
    for account in made.of("Storage/storageAccounts"):
        asked = made.variant == "account keys for the source" and account["tags"]["holds"] == "segments"
        assert account["properties"]["allowSharedKeyAccess"] is asked, account["name"]
    assert made.one("KeyVault/vaults")["properties"]["enableRbacAuthorization"] is True
    assert made.one("Insights/components")["properties"]["DisableLocalAuth"] is True
    assert made.one("OperationalInsights/workspaces")["properties"]["features"]["disableLocalAuth"] is True
    passwords = {
        each["name"].rpartition("/")[2]: each for each in made.of("Web/sites/basicPublishingCredentialsPolicies")
    }
    assert {name: each["properties"]["allow"] for name, each in passwords.items()} == {"scm": False, "ftp": False}
    assert not re.search(r"listKeys|AccountKey=|SharedAccess|getSecret", json.dumps(made.resources))


def nothing_private_is_public(made: Deployment) -> None:
    """Blobs never; in a network the vault and the service's storage are reached from inside and by named addresses."""
    for account in made.of("Storage/storageAccounts"):
        assert account["properties"]["allowBlobPublicAccess"] is False
        assert account["properties"]["supportsHttpsTrafficOnly"] is True
        assert account["properties"]["minimumTlsVersion"] == "TLS1_2"
    for container in made.of("Storage/storageAccounts/blobServices/containers"):
        assert container["properties"]["publicAccess"] == "None"
    app = made.one("Web/sites")["properties"]
    assert app["httpsOnly"] is True
    if made.of("Network/virtualNetworks"):
        _reached_from_inside(made)


def _reached_from_inside(made: Deployment) -> None:
    vault, storage = made.one("KeyVault/vaults"), made.one("Storage/storageAccounts", "stexports")
    for each in (vault, storage):
        rules = each["properties"]["networkAcls"]
        assert rules["defaultAction"] == "Deny"
        assert each["properties"]["publicNetworkAccess"] == ("Enabled" if rules["ipRules"] else "Disabled")
        assert [rule["value"] for rule in rules["ipRules"]] in (["203.0.113.7"], [])
    assert made.one("Web/sites")["properties"]["virtualNetworkSubnetId"].endswith("/subnets/app")
    reached = {
        (connection["privateLinkServiceId"].rpartition("/")[2], *connection["groupIds"])
        for each in made.of("Network/privateEndpoints")
        for connection in (one["properties"] for one in each["properties"]["privateLinkServiceConnections"])
    }
    state, segments = storage["name"], made.outputs["segmentStorageName"]
    assert reached == {
        *((state, part) for part in ("blob", "queue", "table")),
        (segments, "blob"),
        (vault["name"], "vault"),
    }
    zones = {name for kind, name in made.names() if kind == "Network/privateDnsZones"}
    assert zones == {f"privatelink.{part}.core.windows.net" for part in ("blob", "queue", "table")} | {
        "privatelink.vaultcore.azure.net"
    }


def documented_roles() -> list[dict[str, str]]:
    """The table of docs/deploying.md: who, role, on, when."""
    table = (ROOT / "docs/deploying.md").read_text().partition("## Who may do what")[2].partition("\n## ")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in table.splitlines() if line.startswith("|")
    ]
    return [dict(zip(rows[0], row, strict=True)) for row in rows[2:]]


def roles_are_the_documented_ones(made: Deployment) -> None:
    """No more and no fewer, each on the narrowest scope."""
    places = {
        "the service's storage account": [f"Microsoft.Storage/storageAccounts/{made.outputs['stateStorageName']}"],
        "the vault": [f"Microsoft.KeyVault/vaults/{made.outputs['keyVaultName']}"],
        "Application Insights": [f"Microsoft.Insights/components/{made.outputs['insightsName']}"],
        "each segment container": [
            f"Microsoft.Storage/storageAccounts/{made.outputs['segmentStorageName']}/blobServices/default/containers/{name}"
            for name in {place.split("/")[0] for place in made.settings()["SEGMENT_LOCATIONS"].split(", ")}
        ],
    }
    writes = made.variant != "no secrets written"
    whether = {
        "always": True,
        "`appWritesSecrets`": writes,
        "without `appWritesSecrets`": not writes,
        "`segmentWriterPrincipalId`": made.variant == "writer of segments",
    }
    rows = [row for row in documented_roles() if whether[row["when"]]]
    assert made.roles() == {(row["who"], row["role"], place) for row in rows for place in places[row["on"]]}


LIMITS: Mapping[str, str] = {
    "Storage/storageAccounts": r"[a-z0-9]{3,24}",
    "Storage/storageAccounts/blobServices/containers": r"(?!.*--)[a-z0-9][a-z0-9-]{1,61}[a-z0-9]",
    "KeyVault/vaults": r"(?!.*--)[a-zA-Z][a-zA-Z0-9-]{1,22}[a-zA-Z0-9]",
    "Web/sites": r"[a-zA-Z0-9][a-zA-Z0-9-]{0,58}[a-zA-Z0-9]",
    "Web/serverfarms": r"[a-zA-Z0-9-]{1,40}",
    "ManagedIdentity/userAssignedIdentities": r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,127}",
    "OperationalInsights/workspaces": r"[a-zA-Z0-9][a-zA-Z0-9-]{2,61}[a-zA-Z0-9]",
    "Insights/components": r"[^%&\\?/]{0,259}[^%&\\?/. ]",
    "Insights/actionGroups": r"[^:<>+/&%\\?|]{0,259}[^:<>+/&%\\?|. ]",
    "Insights/scheduledQueryRules": r"[^*<>%:&\\?+#/{}]{0,259}[^*<>%:&\\?+#/{}. ]",
    "Insights/workbooks": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    "Insights/metricAlerts": r"[^*#&+:<>?@%{}\\/]{0,259}[^*#&+:<>?@%{}\\/. ]",
    "Network/virtualNetworks": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Network/networkSecurityGroups": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Network/publicIPAddresses": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Network/natGateways": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Network/privateEndpoints": r"[a-zA-Z0-9][\w.-]{0,62}\w",
    "Network/privateDnsZones": r"[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63}){1,33}",
    "Network/privateDnsZones/virtualNetworkLinks": r"[a-zA-Z0-9][\w.-]{0,78}\w",
    "Authorization/locks": r"[\w.()-]{1,90}",
    "Authorization/roleAssignments": r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
}
"""Azure's rules for names, by type. Types whose names the platform prescribes are in PRESCRIBED."""
PRESCRIBED = {
    "Storage/storageAccounts/blobServices",
    "Storage/storageAccounts/queueServices",
    "Storage/storageAccounts/tableServices",
    "Storage/storageAccounts/managementPolicies",
    "Network/privateEndpoints/privateDnsZoneGroups",
    "Web/sites/config",
    "Web/sites/basicPublishingCredentialsPolicies",
    "Insights/diagnosticSettings",
}


def names_fit(made: Deployment) -> None:
    """Every name is one that Azure takes."""
    for kind, name in made.names():
        assert kind in PRESCRIBED or re.fullmatch(LIMITS[kind], name), f"{kind}: {name} ({len(name)})"
    [group] = made.of("Insights/actionGroups")
    assert 1 <= len(group["properties"]["groupShortName"]) <= 12


def everything_can_be_found_again(made: Deployment) -> None:
    """teardown.sh goes by tags: what stands by itself has them, and everything else goes with what it belongs to."""
    tagged = tuple(f"{each['id']}/" for each in made.resources if _ours(each))
    on_segments = f"/storageAccounts/{made.outputs['segmentStorageName']}/"  # not ours where it is an existing account
    for each in made.resources:
        belongs = each["id"].startswith(tagged) or on_segments in each["id"]
        assert _ours(each) or belongs, f"{each['id']} has no tags, and belongs to nothing that has"


def _ours(resource: Mapping[str, object]) -> bool:
    tags = resource.get("tags") or {}
    assert isinstance(tags, Mapping)
    return tags.get("project") == "segment-exports" and bool(tags.get("environment")) and bool(tags.get("azd-env-name"))


def alerts_are_about_what_the_code_tells(made: Deployment) -> None:
    """An event that nobody emits never fires."""
    rules = made.of("Insights/scheduledQueryRules")
    asked = {
        name
        for rule in rules
        for condition in rule["properties"]["criteria"]["allOf"]
        for name in re.findall(r'event == "(\w+)"', condition["query"])
    }
    assert asked
    assert asked <= {str(event) for event in Event}
    for rule in rules:
        assert rule["properties"]["actions"]["actionGroups"] == [made.one("Insights/actionGroups")["id"]]
        assert rule["properties"]["enabled"] is True


def ledgers_and_secrets_come_back(made: Deployment) -> None:
    """What is deleted by mistake can be had again; where segments land, Customer Insights wants no soft delete."""
    vault = made.one("KeyVault/vaults")["properties"]
    assert (vault["enableSoftDelete"], vault["enablePurgeProtection"]) == (True, True)
    services = {each["name"].partition("/")[0]: each for each in made.of("Storage/storageAccounts/blobServices")}
    for name, service in services.items():
        own = name == made.outputs["stateStorageName"]
        assert service["properties"].get("isVersioningEnabled", False) is own
        assert service["properties"]["deleteRetentionPolicy"]["enabled"] is own


def locks_are_where_they_are_asked_for(made: Deployment) -> None:
    locks = {each["name"] for each in made.of("Authorization/locks")}
    assert locks == ({"keep-ledgers", "keep-segments"} if made.variant in ("lock", "prod") else set())


PROMISES: Mapping[str, Promise] = {
    promise.__name__: promise
    for promise in (
        no_key_opens_anything,
        nothing_private_is_public,
        roles_are_the_documented_ones,
        names_fit,
        everything_can_be_found_again,
        alerts_are_about_what_the_code_tells,
        ledgers_and_secrets_come_back,
        locks_are_where_they_are_asked_for,
    )
}
