"""What the templates promise besides: ledgers safe, reasons for roles, alerts for all that a person should hear of."""

from __future__ import annotations

import logging
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from dev.infra_checks.compiler import Compiler
from shared.cloud.blobs import CONTAINER
from shared.cloud.events import KINDS, Event
from shared.delivery.state import layout
from shared.delivery.state.records import State
from tests.files import files
from tests.infra.deployment import Deployment

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
LEDGERS = layout.ledger_folder("", "").partition("/")[0] + "/"


def lifecycle_rules(deployments: dict[str, Deployment]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = deployments["dev"].one("Storage/storageAccounts/managementPolicies")["properties"][
        "policy"
    ]["rules"]
    assert rules
    return [rule["definition"] for rule in rules]


def test_no_lifecycle_rule_deletes_a_blob_that_is_current(deployments: dict[str, Deployment]) -> None:
    for rule in lifecycle_rules(deployments):
        assert list(rule["actions"]) == ["version"]


def folders() -> set[str]:
    """First parts of the names of all blobs that the code writes into its container."""
    written = set(re.findall(r"""f?"([a-z]+)/""", (ROOT / "shared/delivery/state/layout.py").read_text()))
    for path in files(ROOT / "shared", "**/*.py"):
        written |= set(re.findall(r"""blobs\.\w+\(f?"([a-z]+)/""", path.read_text()))
    return written


def test_versions_of_ledgers_are_kept_for_days_and_those_of_everything_else_for_one(
    deployments: dict[str, Deployment],
) -> None:
    """What was deleted, by expiry or to forget a person, must not live on in earlier versions."""
    assert {"runs", "ledgers", "poison"} <= folders()
    for folder in folders():
        name = f"{CONTAINER}/{folder}/"
        found = [
            rule["actions"]["version"]["delete"]["daysAfterCreationGreaterThan"]
            for rule in lifecycle_rules(deployments)
            if name in rule["filters"]["prefixMatch"]
        ]
        assert found == [14 if name == f"{CONTAINER}/{LEDGERS}" else 1], folder


def test_the_app_s_container_is_the_code_s(deployments: dict[str, Deployment]) -> None:
    account = deployments["dev"].outputs["stateStorageName"]
    containers = deployments["dev"].of("Storage/storageAccounts/blobServices/containers")
    assert f"{account}/default/{CONTAINER}" in [each["name"] for each in containers]


def test_every_role_has_its_reason() -> None:
    assigned = 0
    for path in files(INFRA, "**/*.bicep"):
        for before in path.read_text().split("'Microsoft.Authorization/roleAssignments@")[:-1]:
            comment = before.rpartition("\n\n")[2]
            assert comment.startswith("// Reason: "), f"{path}: {comment}"
            assigned += 1
    assert assigned


def test_every_diagnostic_that_is_switched_off_has_its_reason() -> None:
    for path in files(INFRA, "**/*.bicep"):
        lines = path.read_text().splitlines()
        for before, line in pairwise(lines):
            assert "#disable" not in line or before.lstrip().startswith("// "), f"{path}: {line}"


def queries(made: Deployment) -> dict[str, str]:
    """Name of the rule -> its query."""
    return {
        rule["name"]: condition["query"]
        for rule in made.of("Insights/scheduledQueryRules")
        for condition in rule["properties"]["criteria"]["allOf"]
    }


def test_every_event_that_is_a_warning_or_worse_has_an_alert(deployments: dict[str, Deployment]) -> None:
    asked = {name for query in queries(deployments["dev"]).values() for name in re.findall(r'event == "(\w+)"', query)}
    assert asked >= {str(event) for event, kind in KINDS.items() if kind.level >= logging.WARNING}


def test_every_alert_has_its_page(deployments: dict[str, Deployment]) -> None:
    pages = set(re.findall(r"^### (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE))
    made = deployments["prod"]
    for rule in [*made.of("Insights/scheduledQueryRules"), *made.of("Insights/metricAlerts")]:
        [page] = re.findall(r'"(.*)"', rule["properties"]["description"])
        assert page in pages


def test_success_is_what_the_code_calls_success(deployments: dict[str, Deployment]) -> None:
    [query] = [query for name, query in queries(deployments["prod"]).items() if name.endswith("-no-success")]
    states = re.search(r'event == "(\w+)" and state in \((.*?)\)', query)
    assert states is not None
    assert states[1] == Event.RUN_FINISHED
    good = {State.SUCCEEDED, State.WARNINGS, State.NOTHING}
    assert set(re.findall(r'"(.*?)"', states[2])) == {str(state) for state in good}


def test_the_version_of_python_is_said_in_one_place(deployments: dict[str, Deployment]) -> None:
    runtime = deployments["dev"].one("Web/sites")["properties"]["functionAppConfig"]["runtime"]
    assert runtime == {"name": "python", "version": deployments["dev"].outputs["pythonVersion"]}
    written = re.findall(r"^param pythonVersion .* = '(.*)'$", (INFRA / "main.bicep").read_text(), re.MULTILINE)
    assert written == [runtime["version"]]


def test_every_environment_has_a_file_with_its_name(compiler: Compiler) -> None:
    for path in files(INFRA / "parameters", "*.bicepparam"):
        assert compiler.parameters(path)["environmentName"] == path.stem


def test_who_is_told_is_known_after_a_deployment(deployments: dict[str, Deployment]) -> None:
    assert deployments["dev"].outputs["alertEmailCount"] == 0
    assert deployments["prod"].outputs["alertEmailCount"] == 1
    [told] = deployments["prod"].one("Insights/actionGroups")["properties"]["emailReceivers"]
    assert told["emailAddress"] == "it@exports.example"
