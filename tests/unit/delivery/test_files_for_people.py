"""What people can read of a delivery: who is planned, who was refused and why, what did not arrive, and the report."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from shared.catalog.models import Target
from shared.delivery.commit import report
from shared.delivery.commit.new_ledger import Outcomes, Why
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile, keep
from shared.delivery.state.ledger import LedgerFile
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import State
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.vendors.contract import FieldType
from shared.wording import kept as stored
from shared.wording import say
from tests.unit.delivery.parts import LONG_AGO, bucket
from tests.unit.delivery.planning import ANN, AT, BOB, CYD, NAME, PEOPLE, RUN_ID, World, planning

DAN, EVE = "dan@example.com", "eve@example.com"
TAKEN = AT - timedelta(hours=1)
BOTH = (Target(segments=("People", "Others")),)
INVALID = "This is not a valid e-mail address."
PLACE = ("segment", "file", "row")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with planning(tmp_path) as made:
        yield made


def table(world: World, name: str) -> list[dict[str, str]]:
    """Lines of a CSV file by its header. The mark at its beginning tells spreadsheets that it is UTF-8."""
    found = world.cloud.blobs.read(name)
    assert found
    assert found[0].startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig"), newline="")))


def read(world: World, name: str) -> Any:
    found = world.cloud.blobs.read(name)
    assert found
    return json.loads(found[0])


def path(segment: str, number: int) -> str:
    return f"{segment}/{TAKEN:%Y%m%dT%H%M%SZ}/part-{number}.csv"


def land_both(world: World) -> None:
    """Two segments, in whose files people are refused in different places."""
    world.land_files([(ANN, "Ulm"), (BOB, "Köln")], [(CYD, "Ulm"), ("=odd", "Ulm")])
    world.land_files([("nobody", "Ulm"), (DAN, "Ulm"), ("no one", "Ulm")], segment="Others")


def with_states(world: World) -> None:
    """Bob is a member, Cyd was one, Eve is one; of Dan and of one more it is not known."""
    known: list[dict[str, object]] = [
        {"address": BOB, "status": "member"},
        {"address": CYD, "status": "removed", "removed_at": LONG_AGO},
        {"address": EVE, "status": "member"},
        {"address": "fay@example.com", "status": "maybe"},
    ]
    world.known_as(*known)


# What became of it


def kept(world: World, work: Work, name: str, query: str) -> DataFile:
    with work.scratch.database() as connection:
        file = keep(work.files, connection, query, layout.rejected_files(work.folder) + name, world.to / "kept.parquet")
    assert file
    return file


WRONG = say("%(vendor)s took it for wrong.", vendor="Acmé")
REJECTED = (
    f"SELECT '{ANN}' AS address, 'add' AS kind, 'rejected' AS outcome, 'wrong' AS code, "
    "'=1+1' AS reason, 'when changed' AS retry"
)
LEFT_OUT = (
    "SELECT 1::BIGINT AS n, 0::INTEGER AS segment, 0::INTEGER AS file_index, 'city' AS field, "
    "'refused_by_vendor' AS why"
)


def delivered(world: World) -> tuple[Work, Plan, Outcomes]:
    """A delivery whose people and values were partly refused, here and by the vendor."""
    world.vendor.types = {"city": FieldType.INTEGER}
    land_both(world)
    work = world.plan(targets=BOTH)
    assert work.planned
    outcomes = Outcomes(
        counts={"add accepted": 3, "add rejected": 1},
        reasons={Why("rejected", "wrong", WRONG, "when changed"): 1, Why("unknown", "no_answer", "Odd.", None): 7},
        files=[
            LedgerFile(0, 127, 3, DataFile("a", "m", 1, 3), 0),
            LedgerFile(128, 255, 2, DataFile("b", "m", 1, 2), 0),
        ],
        rejected=[kept(world, work, "000-rejected.parquet", REJECTED)],
        left_out={"city": 1, "age": 2},
        values_left_out=[kept(world, work, "000-left-out.parquet", LEFT_OUT)],
        evidence={"confirmed": 3},
    )
    return work, work.planned[0], outcomes


def reason(outcome: str, code: str, words: str, retry: str | None, people: int) -> dict[str, Any]:
    told: dict[str, Any] = {"outcome": outcome, "code": code, "reason": words, "retry": retry}
    return told | {"message": stored(words), "people": people, "removed": 0}


def test_the_report_has_everything_counted(world: World) -> None:
    work, plan, outcomes = delivered(world)
    work.requests_before, work.retries_before, work.throttled_before = 10, 20, 1.25
    counters = work.opened.link.counters
    counters.requests, counters.retries, counters.throttled_seconds = 3, 2, 0.111
    work.note(
        decision="deliver",
        message="All well.",
        target={"name": "My list"},
        started_at=AT - timedelta(seconds=61.26),
        warnings=["It is late."],
    )
    plan = replace(plan, findings=[{"guard": "size", "message": "Too many."}])
    assert report.describe(work, plan, outcomes, State.WARNINGS) == {
        "export": NAME,
        "run": RUN_ID,
        "state": "succeeded with warnings",
        "message": "All well.",
        "target": {"key": "list", "name": "My list"},
        "snapshots": [
            {
                "segment": name,
                "snapshot": f"segments:{name}@{TAKEN.isoformat()}",
                "taken_at": TAKEN.isoformat(),
                "files": files,
                "rows": rows,
            }
            for name, files, rows in (("People", 2, 4), ("Others", 1, 3))
        ],
        "rows": {
            **dict.fromkeys(("duplicates", "unchanged", "held", "left", "outside", "later", "change", "remove"), 0),
            **dict.fromkeys(("moved", "shared_addresses", "without_id"), 0),
            "rows_read": 7,
            "add": 4,
            "refused_here": 3,
            "kept_back": 0,
            "removed_by_rules": 0,
        },
        "outcomes": {"add accepted": 3, "add rejected": 1},
        "evidence_of_receipts": {"confirmed": 3},
        "members": 5,
        "reasons": [
            reason("unknown", "no_answer", "Odd.", None, 7),
            reason("refused here", "address_invalid", INVALID, "when changed", 3),
            reason("rejected", "wrong", WRONG, "when changed", 1),
        ],
        "values_left_out": {"city": 8, "age": 2},
        "guards": [{"guard": "size", "message": "Too many."}],
        "decision": "deliver",
        "warnings": ["It is late."],
        "requests": 13,
        "retries": 22,
        "throttled_seconds": 1.4,
        "seconds": 61.3,
    }


def test_everybody_who_was_refused_stands_in_a_file_with_place_and_reason(world: World) -> None:
    work, plan, outcomes = delivered(world)
    report.write(work, plan, outcomes, State.WARNINGS)
    rows = table(world, layout.rejected(work.folder))
    assert list(rows[0]) == ["address", *PLACE, "operation", "outcome", "code", "reason", "tried_again"]
    here = ("", "refused", "address_invalid", INVALID, "when changed")
    assert [tuple(row.values()) for row in rows] == [
        ("'=odd", "People", path("People", 1), "2", *here),
        ("nobody", "Others", path("Others", 0), "1", *here),
        ("no one", "Others", path("Others", 0), "3", *here),
        (ANN, "", "", "", "add", "rejected", "wrong", "'=1+1", "when changed"),
    ]


def test_every_value_that_did_not_arrive_stands_in_a_file_with_its_place(world: World) -> None:
    work, plan, outcomes = delivered(world)
    report.write(work, plan, outcomes, State.WARNINGS)
    rows = table(world, layout.left_out(work.folder))
    assert list(rows[0]) == [*PLACE, "field", "code", "reason"]
    own = [tuple(row.values())[:5] for row in rows if row["code"] == "not_of_type"]
    assert own[:3] == [
        ("People", path("People", 0), "1", "city", "not_of_type"),
        ("People", path("People", 0), "2", "city", "not_of_type"),
        ("People", path("People", 1), "1", "city", "not_of_type"),
    ]
    assert len(own) == 7
    vendors = rows[-1]
    assert (vendors["segment"], vendors["row"], vendors["code"]) == ("People", "1", "refused_by_vendor")
    assert all(row["reason"].endswith(".") for row in rows)


def test_what_the_files_were_made_of_is_dropped(world: World) -> None:
    work, plan, outcomes = delivered(world)
    report.write(work, plan, outcomes, State.WARNINGS)
    report.tidy(work, outcomes)
    assert not list(world.cloud.blobs.names(layout.rejected_files(work.folder)))
    assert not list(work.where.iterdir()), "nor is anything left on the worker's disk"


def test_a_file_that_is_gone_is_no_short_list_of_people(world: World) -> None:
    work, plan, outcomes = delivered(world)
    world.cloud.blobs.delete(outcomes.rejected[0].name)
    with pytest.raises(RuntimeError, match="a file of this run's own rows is missing"):
        report.write(replace_files(work, world), plan, outcomes, State.WARNINGS)


def replace_files(work: Work, world: World) -> Work:
    """The same work on another worker, which remembers no file."""
    return replace(work, files=type(work.files)(world.cloud.blobs))


def test_where_nobody_was_refused_there_are_only_headers(world: World) -> None:
    world.land((ANN, "Ulm"))
    work = world.plan()
    assert work.planned
    report.write(work, work.planned[0], Outcomes(), State.SUCCEEDED)
    assert table(world, layout.rejected(work.folder)) == []
    assert world.cloud.blobs.read(layout.left_out(work.folder)) is None


def test_the_report_of_a_delivery_that_was_never_planned_is_empty(world: World) -> None:
    work = world.work()
    report.write(work, None, Outcomes(), State.FAILED)
    found = read(world, layout.report(work.folder))
    empty: dict[str, Any] = {"snapshots": [], "rows": {}, "outcomes": {}, "reasons": [], "values_left_out": {}}
    assert {name: found[name] for name in empty} == empty
    assert (found["members"], found["guards"], found["decision"], found["seconds"]) == (None, [], None, 0.0)
    assert table(world, layout.rejected(work.folder)) == []


def test_the_report_is_laid_out_for_people(world: World) -> None:
    work, plan, outcomes = delivered(world)
    report.write(work, plan, outcomes, State.WARNINGS)
    found = world.cloud.blobs.read(layout.report(work.folder))
    assert found
    text = found[0].decode()
    assert text.startswith('{\n  "export": "newsletter",\n')
    assert "Acmé took it for wrong." in text


# Who is planned


def test_everybody_who_is_planned_stands_in_a_file_with_the_reason(world: World) -> None:
    land_both(world)
    with_states(world)
    work = world.plan(RunKind.DRY_RUN, targets=BOTH)
    rows = table(world, layout.planned(work.folder))
    assert list(rows[0]) == ["address", "operation", "reason", *PLACE]
    shown = [tuple(row.values()) for row in rows]
    gone = "Not in the segment any more"
    assert shown == [
        (ANN, "add", "In the segment, and not on the list.", "", "", ""),
        (CYD, "add", "In the segment again, after having been taken off the list.", "", "", ""),
        (DAN, "add", "In the segment, and not on the list.", "", "", ""),
        (BOB, "change", "Values changed, or are sent again.", "", "", ""),
        (EVE, "remove", f"{gone}.", "", "", ""),
        ("fay@example.com", "remove", f"{gone}, and perhaps on the list.", "", "", ""),
        ("'=odd", "refused", INVALID, "People", path("People", 1), "2"),
        ("nobody", "refused", INVALID, "Others", path("Others", 0), "1"),
        ("no one", "refused", INVALID, "Others", path("Others", 0), "3"),
    ]


def test_a_few_of_each_kind_are_shown_as_the_vendor_would_get_them(world: World) -> None:
    land_both(world)
    with_states(world)
    work = world.plan(RunKind.DRY_RUN, targets=BOTH)
    shown = read(world, layout.sample(work.folder))
    assert {each["address"]: (each["operation"], each["values"], each["reason"]) for each in shown} == {
        ANN: ("add", {"city": "Ulm"}, "In the segment, and not on the list."),
        CYD: ("add", {"city": "Ulm"}, "In the segment again, after having been taken off the list."),
        DAN: ("add", {"city": "Ulm"}, "In the segment, and not on the list."),
        BOB: ("change", {"city": "Köln"}, "Values changed, or are sent again."),
        EVE: ("remove", {}, "Not in the segment any more."),
        "fay@example.com": ("remove", {}, "Not in the segment any more, and perhaps on the list."),
        "=odd": ("refused", {}, INVALID),
        "nobody": ("refused", {}, INVALID),
        "no one": ("refused", {}, INVALID),
    }


def test_ten_of_each_kind_are_enough_to_look_at(world: World) -> None:
    world.cloud.settings = replace(world.cloud.settings, rows_per_file=20)
    second = [each for each in PEOPLE if bucket(each) // 64 == 1]
    world.land(*((each, "Ulm") for each in PEOPLE), *[(f"nobody {n}", "Ulm") for n in range(80)])
    world.known(*second, of=4)
    shown = read(world, layout.sample(world.plan(RunKind.DRY_RUN).folder))
    counts = {kind: sum(each["operation"] == kind for each in shown) for kind in ("add", "refused")}
    assert counts == {"add": 10, "refused": 10}
