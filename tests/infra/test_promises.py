"""Every promise holds in every variant, evaluated by the compiler; and no two environments get in each other's way."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dev.costs import month
from dev.infra_checks.compiler import PLACE, Compiler, CompilerFailed
from dev.infra_checks.enumerations import enumerations
from dev.infra_checks.variants import VARIANTS, Variant, snapshot
from tests.infra.deployment import Deployment, evaluated
from tests.infra.promises import LIMITS, PRESCRIBED, PROMISES

INFRA = Path(__file__).parents[2] / "infra"


@pytest.mark.parametrize("promise", PROMISES)
def test_it_is_kept(made: Deployment, promise: str) -> None:
    PROMISES[promise](made)


def test_open_enumerations_have_known_values(made: Deployment) -> None:
    assert enumerations({"predictedResources": made.resources}, INFRA) == []


def test_everything_but_the_domain_of_storage_is_known_before_a_deployment(made: Deployment) -> None:
    """Otherwise what-if could not tell what a deployment does."""
    assert [name for _, name in made.names() if "(" in evaluated(name)] == []


def test_what_differs_between_variants_is_what_their_parameters_say(deployments: dict[str, Deployment]) -> None:
    """So that no variant is the same deployment under another name."""
    known = {name: repr((made.resources, made.outputs)) for name, made in deployments.items()}
    assert len(set(known.values())) == len(VARIANTS)
    assert deployments["zones"].one("Web/serverfarms")["properties"]["zoneRedundant"] is True
    assert deployments["hierarchical namespace"].one("Storage/storageAccounts", "stseg")["properties"]["isHnsEnabled"]
    assert deployments["telemetry"].settings()["TELEMETRY"] == "azure"
    assert deployments["other settings"].settings()["SLICE_SECONDS"] == "120"
    assert len(deployments["existing segment account"].of("Storage/storageAccounts")) == 1


def test_a_fixed_address_is_that_of_a_gateway_on_the_app_s_subnet(deployments: dict[str, Deployment]) -> None:
    made = deployments["fixed outbound address"]
    app, endpoints = made.one("Network/virtualNetworks")["properties"]["subnets"]
    assert app["properties"]["natGateway"]["id"] == made.one("Network/natGateways")["id"]
    assert endpoints["properties"].get("natGateway") is None
    [address] = made.one("Network/natGateways")["properties"]["publicIpAddresses"]
    assert address["id"] == made.one("Network/publicIPAddresses")["id"]


def test_what_a_month_is_billed_by_the_hour_is_what_prod_makes(deployments: dict[str, Deployment]) -> None:
    made = deployments["prod"]
    assert len(made.of("Insights/scheduledQueryRules")) == month.ALERT_RULES
    assert len(made.of("Network/privateEndpoints")) == month.PRIVATE_ENDPOINTS


def test_slices_under_way_end_before_new_code_comes(deployments: dict[str, Deployment]) -> None:
    for name, kind in (("dev", "RollingUpdate"), ("prod", "RollingUpdate"), ("telemetry", "Recreate")):
        config = deployments[name].one("Web/sites")["properties"]["functionAppConfig"]
        assert config["siteUpdateStrategy"] == {"type": kind}


def test_the_app_s_logs_are_kept_once(made: Deployment) -> None:
    """Application Insights has them; a diagnostic setting would keep, and bill, each line a second time."""
    assert [each["id"] for each in made.of("Insights/diagnosticSettings") if "Microsoft.Web" in each["id"]] == []


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"virtualNetwork": True}, "say in allowedAddresses from where people reach Key Vault"),
        ({"fixedOutboundAddress": True}, "fixedOutboundAddress needs virtualNetwork=true"),
        ({"storageSku": "Standard_GRZS"}, "Standard_GRZS"),
        ({"environmentName": ""}, "too short"),
        ({"virtualNetwrok": True}, "virtualNetwrok"),
        ({"logDays": 7}, "minimum allowable value is 30"),
    ],
)
def test_a_parameter_that_cannot_be_right_is_refused_before_anything_is_made(
    compiler: Compiler, given: dict[str, object], said: str
) -> None:
    with pytest.raises(CompilerFailed, match=re.escape(said)):
        snapshot(compiler, INFRA, Variant(given=given))


def test_production_as_it_stands_is_refused_until_somebody_says_from_where_people_come(compiler: Compiler) -> None:
    with pytest.raises(CompilerFailed, match="allowedAddresses"):
        snapshot(compiler, INFRA, Variant("parameters/prod.bicepparam"))


GLOBAL = {"Storage/storageAccounts", "KeyVault/vaults", "Web/sites"}
"""Types whose names are addresses, which all of Azure shares."""


def named(compiler: Compiler, environment: str, group: str, network: bool = False) -> Deployment:
    given = {"environmentName": environment, "virtualNetwork": network, "peopleComeThroughNetwork": network}
    place = {**PLACE, "resourceGroup": group}
    found = snapshot(compiler, INFRA, Variant(given=given), place=place)
    return Deployment(environment, found["predictedResources"], found["outputs"])


LONG = "marketing-exports-of-the-whole-group-of-companies-and-its-brands"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (("dev", "one"), ("dev", "two")),
        (("dev", "one"), ("prod", "one")),
        (("dev", "one"), ("Dev", "one")),
        (("a_b", "one"), ("a.b", "one")),
        ((LONG, "one"), (LONG[:-1], "one")),
    ],
)
def test_two_environments_of_one_subscription_never_share_a_name(
    compiler: Compiler, one: tuple[str, str], other: tuple[str, str]
) -> None:
    first, second = (named(compiler, *each) for each in (one, other))
    assert {each["id"].lower() for each in first.resources} & {each["id"].lower() for each in second.resources} == set()
    addresses = [{name for kind, name in each.names() if kind in GLOBAL} for each in (first, second)]
    assert addresses[0] & addresses[1] == set()


def test_two_networks_in_one_group_would_share_the_zones_of_names(compiler: Compiler) -> None:
    """Azure has a zone of one name once in a group; deploy.sh refuses a second environment with a network there."""
    first, second = (named(compiler, each, "one", network=True) for each in ("dev", "prod"))
    shared = {each["id"] for each in first.resources} & {each["id"] for each in second.resources}
    assert len(shared) == 4
    assert all("Microsoft.Network/privateDnsZones'" in each or "/privateDnsZones/" in each for each in shared)


def test_every_type_s_names_are_judged(deployments: dict[str, Deployment]) -> None:
    used = {kind for made in deployments.values() for kind, _ in made.names()}
    assert used <= LIMITS.keys() | PRESCRIBED
