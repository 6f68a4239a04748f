"""What the templates promise: least privilege, ledgers safe, alerts for every event that a person should hear of."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

from tree_sitter import Node

from dev.infra_checks.template import Template, body, literal, parse, properties, text, walk
from shared.cloud.blobs import CONTAINER
from shared.cloud.events import KINDS, Event
from shared.delivery.state import layout
from tests.files import files

ROOT = Path(__file__).parents[2]
INFRA = ROOT / "infra"
LEDGERS = layout.ledger_folder("", "").partition("/")[0] + "/"


def module(name: str) -> Template:
    return parse(INFRA / f"modules/{name}.bicep")


def resource(template: Template, name: str) -> dict[str, Node]:
    return properties(body(template.of("resource")[name].value))


def texts(node: Node) -> list[str]:
    return [text(each).strip("'") for each in walk(node) if each.type == "string"]


def lifecycle_rules() -> list[dict[str, Node]]:
    policy = properties(properties(resource(module("state-storage"), "lifecycle")["properties"])["policy"])
    rules = [properties(rule) for rule in policy["rules"].named_children]
    assert rules
    return rules


def prefixes(rule: dict[str, Node]) -> list[str]:
    filters = properties(properties(rule["definition"])["filters"])
    return [prefix.replace("${container}", CONTAINER) for prefix in texts(filters["prefixMatch"])]


def deleted_after(rule: dict[str, Node]) -> str:
    delete = properties(properties(properties(properties(rule["definition"])["actions"])["version"])["delete"])
    return text(delete["daysAfterCreationGreaterThan"])


def test_no_lifecycle_rule_deletes_a_blob_that_is_current() -> None:
    for rule in lifecycle_rules():
        assert list(properties(properties(rule["definition"])["actions"])) == ["version"]


def folders() -> set[str]:
    """First parts of the names of all blobs that the code writes into its container."""
    written = set(re.findall(r"""f?"([a-z]+)/""", (ROOT / "shared/delivery/state/layout.py").read_text()))
    for path in files(ROOT / "shared", "**/*.py"):
        written |= set(re.findall(r"""blobs\.\w+\(f?"([a-z]+)/""", path.read_text()))
    return written


def test_versions_of_ledgers_are_kept_for_days_and_those_of_everything_else_for_one() -> None:
    """What was deleted, by expiry or to forget a person, must not live on in earlier versions."""
    assert {"runs", "ledgers", "poison"} <= folders()
    for folder in folders():
        name = f"{CONTAINER}/{folder}/"
        found = [deleted_after(rule) for rule in lifecycle_rules() if name in prefixes(rule)]
        assert found == ["ledgerVersionDays" if name == f"{CONTAINER}/{LEDGERS}" else "1"], folder


def test_the_app_s_container_is_the_code_s() -> None:
    assert literal(module("state-storage").of("variable")["container"].value) == CONTAINER


def test_where_segments_land_there_is_no_soft_delete_and_for_ledgers_there_are_versions() -> None:
    segments = properties(resource(module("segment-storage"), "blobService")["properties"])
    assert text(properties(segments["deleteRetentionPolicy"])["enabled"]) == "false"
    state = properties(resource(module("state-storage"), "blobService")["properties"])
    assert text(state["isVersioningEnabled"]) == "true"


def test_the_app_may_only_read_segments() -> None:
    roles = module("segment-access").of("variable")["roleIds"].value
    assert list(properties(roles)) == ["storageBlobDataReader"]


def test_every_role_has_its_reason() -> None:
    assigned = 0
    for path in files(INFRA, "**/*.bicep"):
        for before in path.read_text().split("'Microsoft.Authorization/roleAssignments@")[:-1]:
            comment = before.rpartition("\n\n")[2]
            assert comment.startswith("// Reason: "), f"{path}: {comment}"
            assigned += 1
    assert assigned


def test_storage_takes_neither_keys_nor_strangers() -> None:
    for name in ("state-storage", "segment-storage"):
        account = properties(resource(module(name), "storage")["properties"])
        assert text(account["allowBlobPublicAccess"]) == "false"
        assert literal(account["minimumTlsVersion"]) == "TLS1_2"
    assert (
        text(properties(resource(module("state-storage"), "storage")["properties"])["allowSharedKeyAccess"]) == "false"
    )


def test_the_vault_keeps_what_is_deleted() -> None:
    vault = properties(resource(module("key-vault"), "vault")["properties"])
    wanted = ("enableRbacAuthorization", "enableSoftDelete", "enablePurgeProtection")
    assert {text(vault[name]) for name in wanted} == {"true"}


def test_telemetry_is_taken_by_identity_only() -> None:
    insights = properties(resource(module("monitoring"), "insights")["properties"])
    assert text(insights["DisableLocalAuth"]) == "true"


def alerts() -> dict[str, str]:
    """Event -> severity."""
    table = module("alerts").of("variable")["alerts"].value
    assert table is not None
    rows = [properties(row) for row in table.named_children if row.type == "object"]
    return {literal(row["event"]) or "": text(row["severity"]) for row in rows}


def test_every_event_that_is_a_warning_or_worse_has_an_alert() -> None:
    loud = {str(event) for event, kind in KINDS.items() if kind.level >= logging.WARNING}
    assert alerts().keys() == loud


def test_every_alert_has_its_page() -> None:
    pages = re.findall(r"^### (.*)$", (ROOT / "docs/operations.md").read_text(), re.MULTILINE)
    assert {*alerts(), "no successful run"} <= set(pages)


def test_success_is_what_the_code_calls_success() -> None:
    source = (INFRA / "modules/alerts.bicep").read_text()
    states = re.search(r'event == "(\w+)" and state in \((.*?)\)', source)
    assert states is not None
    from shared.delivery.state.records import State

    assert states[1] == Event.RUN_FINISHED
    good = {State.SUCCEEDED, State.WARNINGS, State.NOTHING}
    assert set(re.findall(r'"(.*?)"', states[2])) == {str(state) for state in good}


def test_the_app_is_python_of_the_version_that_the_tests_run_on() -> None:
    wanted = literal(parse(INFRA / "main.bicep").of("parameter")["pythonVersion"].value)
    assert f'python_version = "{wanted}"' in (ROOT / "pyproject.toml").read_text()


def test_azd_finds_the_app() -> None:
    service = re.search(r"^services:\n  (\w+):", (ROOT / "azure.yaml").read_text(), re.MULTILINE)
    tags = properties(resource(module("function-app"), "app")["tags"].child_by_field_name("arguments"))
    assert service is not None
    assert f"'azd-service-name': '{service[1]}'" in text(resource(module("function-app"), "app")["tags"]), tags


def test_every_environment_has_a_file_with_its_name() -> None:
    for path in files(INFRA / "parameters", "*.json"):
        assert json.loads(path.read_text())["parameters"]["environmentName"]["value"] == path.stem
