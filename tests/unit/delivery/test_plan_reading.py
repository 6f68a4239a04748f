"""Plans of other versions of the service are read as far as that can be; else the error has a name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import duckdb
import pytest

from shared.delivery.send.reading import sent_rows
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.plan import Balance, Plan, PlanFile
from shared.errors import Blocked
from shared.vendors.contract import FieldType, Kind, Row
from shared.wording import reading_in, said, say

FILE = DataFile("plan/a/000-add.parquet", "d41d8cd98f00b204e9800998ecf8427e", 10, 3)
PLAN = Plan(
    batch_rows=2,
    parts=1,
    base="",
    fresh=False,
    members_before=0,
    snapshots=[{"name": "Loyal", "files": []}],
    snapshot_rows=[3],
    balance=Balance(rows_read=3, add=3),
    fields={"city": FieldType.STRING},
    files=[PlanFile(Kind.ADD, 0, FILE, 0)],
    refused=[FILE],
    kept_back=[FILE],
    rules={"limit": say("Is not among the first %(people)s by %(column)s.", people=5, column="Score")},
    excluded=[{"name": "Suppressed", "files": []}],
    excluded_rows=[9],
    file_starts=[(0, 0, 1)],
)


class OneBlob:
    def __init__(self, content: bytes) -> None:
        self.content = content

    def read(self, name: str) -> tuple[bytes, str]:
        return self.content, "etag"


def read(**changes: Any) -> Plan:
    """The plan above, with these changes of its manifest; None takes one away."""
    plain = {**json.loads(PLAN.to_json()), **changes}
    kept = {name: value for name, value in plain.items() if value is not None}
    found = plans.read(OneBlob(json.dumps(kept).encode()), "")  # type: ignore[arg-type]  # only `read` is used
    assert found is not None
    return found[0]


def test_a_plan_comes_back_as_it_was_written() -> None:
    assert read() == PLAN


def test_its_rules_are_said_in_the_readers_language() -> None:
    with reading_in("sv"):
        assert said(read().rules["limit"]) == "Hör inte till de 5 första efter Score."


def test_a_plan_from_before_there_were_rules_keeps_nobody_back() -> None:
    found = read(rules=None, kept_back=None, excluded=None, excluded_rows=None)
    assert (found.rules, found.kept_back, found.excluded, found.balance.kept_back) == ({}, [], [], {})


def test_what_only_a_newer_version_writes_is_passed_over() -> None:
    balance = {**json.loads(PLAN.to_json())["balance"], "postponed": 7}
    files = [{**each, "priority": 1} for each in json.loads(PLAN.to_json())["files"]]
    assert read(balance=balance, files=files, made_by={"version": "9"}) == PLAN


@pytest.mark.parametrize("name", ["file_starts", "refused", "fields", "findings", "made_at"])
def test_what_an_older_version_did_not_write_is_empty(name: str) -> None:
    assert not getattr(read(**{name: None}), name)


def test_files_of_an_older_version_have_batches_of_their_own() -> None:
    file = {key: value for key, value in json.loads(PLAN.to_json())["files"][0].items() if key != "first"}
    [found] = read(files=[{**file, "first_batch": 3, "batches": 2}]).files
    assert PLAN.batches(found) == {3: 2, 4: 1}


@pytest.mark.parametrize("changes", [{"batch_rows": None}, {"files": None}, {"balance": []}, {"fields": {"a": "blob"}}])
def test_a_plan_that_lacks_what_is_needed_says_so(changes: dict[str, Any]) -> None:
    with pytest.raises(Blocked) as error:
        read(**changes)
    assert error.value.code == "plan_unreadable"


def test_a_plan_that_is_no_json_says_so() -> None:
    with pytest.raises(Blocked, match="cannot be read"):
        plans.read(OneBlob(b"{"), "")  # type: ignore[arg-type]  # only `read` is used


@pytest.mark.parametrize(("newer", "since"), [("", None), (", 5.0::DOUBLE AS unsure_since, 1 AS newer_still", 5.0)])
def test_operations_of_other_versions_are_rows_too(tmp_path: Path, newer: str, since: float | None) -> None:
    path = tmp_path / "operations.parquet"
    columns = (
        "'a@x.com' AS address, 0 AS bucket, '{\"a\":1}' AS \"values\", 7 AS hash, 'id' AS vendor_id, true AS came_back"
    )
    with duckdb.connect() as database:
        database.execute(f"COPY (SELECT {columns}{newer}) TO '{path}' (FORMAT parquet)")
        [row] = database.execute(sent_rows(path)).fetchall()
    assert Row(*row) == Row("a@x.com", '{"a":1}', "id", True, since)
