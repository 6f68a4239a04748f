"""infra/teardown.sh removes what was deployed, and not the segments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.infra.conftest import Azure
from tests.infra.deployment import Deployment

INFRA = Path(__file__).parents[2] / "infra"


def resource(kind: str, name: str, environment: str = "dev", **tags: str) -> dict[str, object]:
    own = {"project": "segment-exports", "environment": environment, **tags}
    return {"id": f"/subscriptions/s/resourceGroups/rg/providers/{kind}/{name}", "type": kind, "tags": own}


@pytest.fixture
def deployed(azure: Azure) -> Azure:
    azure.have(
        resources=[
            resource("Microsoft.Storage/storageAccounts", "segments", holds="segments"),
            resource("Microsoft.Storage/storageAccounts", "state", holds="state"),
            resource("Microsoft.Storage/storageAccounts", "tag-was-lost"),
            resource("Microsoft.KeyVault/vaults", "vault"),
            resource("Microsoft.Web/serverfarms", "plan"),
            resource("Microsoft.Web/sites", "app"),
            resource("Microsoft.Web/sites", "app-of-prod", environment="prod"),
            {"id": "/other/of-somebody-else", "type": "Microsoft.Web/sites", "tags": {}},
        ]
    )
    return azure


def removed(azure: Azure) -> list[str]:
    return [words[words.index("--ids") + 1].rpartition("/")[2] for words in azure.calls("resource", "delete")]


def test_everything_of_this_environment_goes_but_the_segments(deployed: Azure) -> None:
    done = deployed.run("teardown.sh", "--yes")
    assert done.returncode == 0, done.stderr
    assert removed(deployed) == ["app", "plan", "vault", "state"]


def test_the_ledgers_can_be_kept(deployed: Azure) -> None:
    deployed.run("teardown.sh", "--yes", "--keep-state")
    assert removed(deployed) == ["app", "plan"]


def test_the_resource_group_is_never_removed(deployed: Azure) -> None:
    deployed.run("teardown.sh", "--yes")
    assert deployed.calls("group", "delete") == []


def test_only_the_lock_on_the_ledgers_is_taken_off(deployed: Azure) -> None:
    deployed.run("teardown.sh", "--yes")
    (lock,) = deployed.calls("lock", "delete")
    assert lock[lock.index("--resource") + 1].endswith("/state")


def test_a_person_is_asked_with_the_list_before_their_eyes(deployed: Azure) -> None:
    done = deployed.run("teardown.sh", answers="n\n")
    assert done.returncode == 1
    assert "/sites/app\n" in done.stdout
    assert "ledgers" in done.stdout
    assert deployed.changes() == []


def test_without_a_person_it_needs_yes(deployed: Azure) -> None:
    assert deployed.run("teardown.sh").returncode == 1
    assert deployed.changes() == []


def test_a_second_run_finds_nothing(azure: Azure) -> None:
    done = azure.run("teardown.sh", "--yes")
    assert done.returncode == 0
    assert "Nothing of the environment" in done.stdout


def test_what_the_platform_holds_back_stops_nothing_and_is_explained(deployed: Azure) -> None:
    """The subnet of a deleted app keeps a link for days."""
    network = resource("Microsoft.Network/virtualNetworks", "network")
    deployed.have(resources=[network, *deployed.state()["resources"]], held_back=["virtualNetworks"])
    done = deployed.run("teardown.sh", "--yes")
    assert done.returncode == 1
    assert removed(deployed) == ["app", "plan", "network", "vault", "state"]
    assert "Run the same command again tomorrow" in done.stderr
    assert str(network["id"]) in done.stderr


def test_what_cannot_be_removed_for_another_reason_is_listed(deployed: Azure) -> None:
    deployed.have(held_back=["vaults"])
    done = deployed.run("teardown.sh", "--yes")
    assert done.returncode == 1
    assert removed(deployed)[-1] == "state"
    assert "/vaults/vault" in done.stderr


def test_roles_are_those_of_the_identity_that_is_there_whatever_its_name(deployed: Azure) -> None:
    identity = resource("Microsoft.ManagedIdentity/userAssignedIdentities", "id-of-azd")
    deployed.have(resources=[identity, *deployed.state()["resources"]])
    deployed.run("teardown.sh", "--yes")
    (shown,) = deployed.calls("identity", "show")
    assert shown[shown.index("--ids") + 1].endswith("/id-of-azd")


def test_what_is_removed_is_what_exists(deployments: dict[str, Deployment]) -> None:
    order = re.search(r'ORDER="(.*?)"', (INFRA / "teardown.sh").read_text(), re.DOTALL)
    assert order is not None
    tagged = {each["type"] for made in deployments.values() for each in made.resources if "tags" in each}
    assert set(order[1].split()) == tagged
