"""infra/deploy.sh: what it refuses before it changes anything, the order of its steps, and its second run."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
import yaml

from tests.infra.conftest import Azure
from tests.infra.deployment import Deployment

INFRA = Path(__file__).parents[2] / "infra"
VERSION = re.findall(r"^param pythonVersion .* = '(.*)'$", (INFRA / "main.bicep").read_text(), re.MULTILINE)[0]


@pytest.mark.parametrize(
    ("state", "words", "said"),
    [
        ({"signed_in": False}, [], "az login"),
        ({}, ["--subscription", "Sales"], "az account set --subscription 'Sales'"),
        ({"roles": ["Reader"]}, [], "az role assignment create --assignee 'ada' --role Owner"),
        ({"roles": ["Contributor"]}, [], "User Access Administrator"),
        (
            {"unregistered": ["Microsoft.Web", "Microsoft.App"]},
            [],
            "az provider register --namespace Microsoft.App --wait",
        ),
        ({"deleted_vaults": ["kv-exports-x"]}, [], "az keyvault recover --name kv-exports-x"),
        ({"group": False}, [], "--location"),
        ({"group": False}, ["--what-if", "--location", "westeurope"], "az group create --name 'rg'"),
        ({}, ["--", "telemetry=azure"], "--telemetry azure"),
        ({}, ["--environment", "test"], "infra/parameters/test.bicepparam"),
        ({}, ["--", "storageSku"], "is not PARAMETER=VALUE"),
        ({}, ["--force"], "is not an option"),
    ],
)
def test_it_says_what_is_missing_and_changes_nothing(
    azure: Azure, state: dict[str, object], words: list[str], said: str
) -> None:
    azure.have(**state)
    done = azure.run("deploy.sh", "--yes", *words)
    assert done.returncode == 1
    assert said in done.stderr
    assert azure.changes() == []


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"roles": ["Reader", "Contributor", "User Access Administrator"]}, ["--subscription", "0000-1111"]),
        ({"unregistered": None, "deleted_vaults": None}, []),  # an owner of the resource group only
        ({"roles": ["Exports deployer"]}, ["--skip-role-check", "--subscription", "Marketing"]),
    ],
)
def test_what_is_enough(azure: Azure, state: dict[str, object], words: list[str]) -> None:
    azure.have(**state)
    assert azure.run("deploy.sh", "--what-if", *words).returncode == 0


def test_from_nothing_to_a_healthy_app(azure: Azure) -> None:
    azure.have(group=False)
    done = azure.run("deploy.sh", "--location", "westeurope", "--yes")
    assert done.returncode == 0, done.stderr
    assert [words[:4] for words in azure.changes()] == [
        ["group", "create", "--name", "rg"],
        ["deployment", "group", "create", "--resource-group"],
        ["functionapp", "deployment", "source", "config-zip"],
    ]
    assert f"-m dev.package --python {VERSION} " in azure.packed()
    (upload,) = azure.calls("functionapp")
    assert upload[upload.index("--name") + 1] == "func-exports-dev-x"
    assert upload[upload.index("--build-remote") + 1] == "false"
    assert "https://func-exports-dev-x.azurewebsites.net" in done.stdout
    assert "az keyvault secret set --vault-name kv-exports-x" in done.stdout


def test_a_second_run_makes_the_same_calls_but_no_group(azure: Azure) -> None:
    azure.have(group=False)
    azure.run("deploy.sh", "--location", "westeurope", "--yes")
    first = azure.changes()
    assert azure.run("deploy.sh", "--location", "westeurope", "--yes").returncode == 0
    assert azure.changes()[len(first) :] == first[1:]


def test_what_would_change_is_shown_before_anything_is_applied(azure: Azure) -> None:
    azure.run("deploy.sh", "--yes")
    steps = [words[2] for words in azure.calls("deployment", "group")]
    assert steps.index("what-if") < steps.index("create")
    assert azure.calls("deployment", "group", "what-if")[0][3:] == azure.calls("deployment", "group", "create")[0][3:-4]


def test_a_person_who_says_no_stops_it(azure: Azure) -> None:
    done = azure.run("deploy.sh", answers="n\n")
    assert done.returncode == 1
    assert "nothing was deployed" in done.stderr
    assert "Resource changes" in done.stdout
    assert azure.changes() == []


def test_a_person_who_says_yes_goes_on(azure: Azure) -> None:
    assert azure.run("deploy.sh", answers="y\n").returncode == 0
    assert azure.calls("deployment", "group", "create")


def test_without_a_person_it_needs_yes(azure: Azure) -> None:
    done = azure.run("deploy.sh")
    assert done.returncode == 1
    assert "--yes" in done.stderr
    assert azure.changes() == []


def test_what_if_alone_applies_and_packs_nothing(azure: Azure) -> None:
    done = azure.run("deploy.sh", "--what-if")
    assert done.returncode == 0, done.stderr
    assert "Resource changes" in done.stdout
    assert azure.changes() == []
    assert azure.packed() == ""


def test_parameters_go_to_the_templates_and_the_packer(azure: Azure) -> None:
    given_by_hand = ["pythonVersion=3.12", "publicUrl=https://exports.example"]
    azure.run("deploy.sh", "--yes", "--telemetry", "azure", "--", *given_by_hand)
    (create,) = azure.calls("deployment", "group", "create")
    given = [create[index + 1] for index, word in enumerate(create) if word == "--parameters"]
    assert given[0].endswith("infra/parameters/dev.bicepparam")
    assert given[1:] == ["pythonVersion=3.12", "telemetry=azure", "publicUrl=https://exports.example"]
    assert "-m dev.package --python 3.12" in azure.packed()
    assert "--requirements requirements-telemetry.txt" in azure.packed()


def test_an_upload_that_is_refused_is_tried_again_and_an_app_that_starts_late_is_waited_for(azure: Azure) -> None:
    azure.have(refused_uploads=2, health=2)
    assert azure.run("deploy.sh", "--yes").returncode == 0
    assert len(azure.calls("functionapp")) == 3


def test_an_app_that_never_answers_is_a_failure(azure: Azure) -> None:
    azure.have(health=99)
    done = azure.run("deploy.sh", "--yes")
    assert done.returncode == 1
    assert "/api/health does not answer" in done.stderr
    assert "logs\nof appi-exports-dev" in done.stderr


def test_the_packed_version_is_the_template_s(azure: Azure, deployments: dict[str, Deployment]) -> None:
    azure.run("deploy.sh", "--yes")
    assert f"--python {deployments['dev'].outputs['pythonVersion']} " in azure.packed()


def test_a_second_environment_in_a_group_is_refused_before_anything_is_made(azure: Azure) -> None:
    tags = {"project": "segment-exports", "environment": "prod"}
    azure.have(resources=[{"id": "/vault", "type": "Microsoft.KeyVault/vaults", "tags": tags}])
    done = azure.run("deploy.sh", "--yes")
    assert done.returncode == 1
    assert "holds the environment 'prod'" in done.stderr
    assert azure.changes() == []


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ({"alertEmailCount": "0"}, ["Nobody is told when an alert fires", "alertEmails="]),
        ({"alertEmailCount": "1", "outboundAddress": "198.51.100.4"}, ["come from 198.51.100.4"]),
    ],
)
def test_what_a_person_has_to_know_is_said_at_the_end(azure: Azure, outputs: dict[str, str], said: list[str]) -> None:
    azure.have(outputs=outputs)
    printed = azure.run("deploy.sh", "--yes").stdout
    assert [each for each in said if each not in printed] == []
    assert ("Nobody is told" in printed) is (outputs["alertEmailCount"] == "0")
    assert re.search(r"--expires 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ", printed)


@pytest.mark.parametrize("step", ["what-if", "create"])
def test_where_azure_refuses_the_page_that_helps_is_named(azure: Azure, step: str) -> None:
    azure.have(refused_steps=[step])
    done = azure.run("deploy.sh", "--yes")
    assert done.returncode == 1
    page, heading = re.findall(r'(docs/\S+\.md), "(.*)"', done.stderr)[0]
    assert f"\n## {heading}\n" in (INFRA.parent / page).read_text()
    assert azure.calls("functionapp") == []


AZD = {
    "AZURE_RESOURCE_GROUP": "rg",
    "functionAppName": "func-exports-dev-x",
    "functionAppUrl": "https://func-exports-dev-x.azurewebsites.net",
    "insightsName": "appi-exports-dev",
    "pythonVersion": VERSION,
}
"""What azd puts into the environment of a hook: its own values, and the templates' outputs."""


def test_azd_uploads_the_same_zip(azure: Azure) -> None:
    done = azure.run("azd-deploy.sh", **AZD)
    assert done.returncode == 0, done.stderr
    assert f"-m dev.package --python {VERSION} " in azure.packed()
    (upload,) = azure.calls("functionapp")
    assert upload[upload.index("--build-remote") + 1] == "false"


def test_azd_runs_that_and_its_names_are_outputs(deployments: dict[str, Deployment]) -> None:
    told = yaml.safe_load((INFRA.parent / "azure.yaml").read_text())
    assert told["hooks"]["postprovision"]["run"] == "infra/azd-deploy.sh"
    assert (INFRA / f"{told['infra']['module']}.bicepparam").is_file()
    assert AZD.keys() - {"AZURE_RESOURCE_GROUP"} <= deployments["azd"].outputs.keys()
    assert os.access(INFRA / "azd-deploy.sh", os.X_OK)


def test_every_provider_that_the_templates_use_is_checked(deployments: dict[str, Deployment]) -> None:
    checked = re.search(r'PROVIDERS="(.*?)"', (INFRA / "deploy.sh").read_text(), re.DOTALL)
    assert checked is not None
    used = {each["type"].partition("/")[0] for made in deployments.values() for each in made.resources}
    assert set(checked[1].split()) == used | {"Microsoft.App"}  # the subnet's delegation
