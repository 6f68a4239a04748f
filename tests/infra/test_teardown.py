"""infra/teardown.sh removes what was deployed, and not the segments."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from dev.infra_checks.template import body, parse, properties
from tests.files import files
from tests.infra.conftest import Azure

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


def test_every_type_that_the_templates_tag_is_removed() -> None:
    order = re.search(r'ORDER="(.*?)"', (INFRA / "teardown.sh").read_text(), re.DOTALL)
    assert order is not None
    tagged = {
        resource.target.partition("@")[0]
        for path in files(INFRA, "**/*.bicep")
        for resource in parse(path).of("resource").values()
        if "tags" in properties(body(resource.value))
    }
    assert set(order[1].split()) == tagged
