"""Runs one export in memory, from its definition to its verification, and takes what is kept as it goes."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import orjson

from shared.access.person import How, Person, Role
from shared.access.sealing import Seal
from shared.access.sessions import Sessions
from shared.catalog.authorizations import Authorizations
from shared.catalog.dialects import UNDECLARED, DialectInput, DialectStore
from shared.catalog.opt_outs import OptOutsWanted
from shared.cloud.tables import Table
from shared.delivery import inbox
from shared.delivery.erase import forgetting
from shared.delivery.opt_outs import collecting
from shared.delivery.opt_outs import record as opt_outs
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import FormerFolder
from shared.delivery.state import layout
from shared.delivery.verify import doctor
from tests.integration.delivery.engine import Engine, engine
from tests.integration.delivery.engine import Person as Row
from tests.integration.faults.world import Undelayed
from tests.kits import KITS
from tests.memory import in_memory
from tests.unit.access.conftest import MemoryVault

FOLDER = Path(__file__).parent
VERSION: str = tomllib.loads((FOLDER.parents[1] / "pyproject.toml").read_text())["project"]["version"]
NAME, KEY = "newsletter", "recorded" * 6
MARK = "$datetime"
RULES = {"require": [{"column": "City"}], "limit": {"first": 6, "by": "FirstName", "read_as": "text"}}
MATCHING = [
    {"field": "firstName", "column": "FirstName"},
    {
        "field": "city",
        "derived": {
            "take": "join",
            "columns": ["City", "FirstName"],
            "separator": ", ",
            "steps": [{"function": "map", "values": {"x": "y"}, "otherwise": "keep"}, {"function": "title"}],
        },
    },
]
ADA = Person("ada-1", "Ada", frozenset({Role.ADMINISTRATOR}), How.SESSION)


def plain(content: Any) -> Any:
    """As JSON has it; times are marked."""
    if isinstance(content, datetime):
        return {MARK: content.astimezone(UTC).isoformat()}
    if isinstance(content, Mapping):
        return {str(name): plain(each) for name, each in content.items()}
    if isinstance(content, list | tuple):
        return [plain(each) for each in content]
    return content


def real(content: Any) -> Any:
    """The other way round."""
    if isinstance(content, Mapping):
        if MARK in content:
            return datetime.fromisoformat(content[MARK])
        return {name: real(each) for name, each in content.items()}
    return [real(each) for each in content] if isinstance(content, list) else content


def record() -> dict[str, Any]:
    """Shape -> what this version keeps. Blobs are their JSON, a journal is a list of its lines."""
    with in_memory() as address, engine(address, "recorded", KITS["iterable"], verify_seconds=0.01) as made:
        made.cloud.slices = Undelayed(address, "recorded-slices", [])
        made.connect()
        cron = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "Europe/Stockholm"}
        made.define(schedule=cron, rules=RULES, matching=MATCHING, id_column="CustomerId")
        people = [Row(f"person{n}@example.com", f"First{n}", "City", f"c{n}") for n in range(6)]
        made.land([*people, Row("late@example.com", "A", "City"), Row("bad@@example")])
        found = _of_a_run(made)
        made.connect(opt_outs=OptOutsWanted(location="recorded-segments/back"))
        return {**found, **_of_definitions(made), **_of_opt_outs(made), **_of_jobs(made), **_of_browsers()}


def _of_a_run(made: Engine) -> dict[str, Any]:
    run = made.start(NAME)
    found: dict[str, Any] = {"message of a slice": _message(made)}
    folder, place = layout.delivery_folder(NAME, run.run, 0), layout.verification(NAME, run.run, 0)
    while not made.cloud.blobs.exists(place):
        _carry_on(made)
    found["verification"], found["message of a verification"] = _blob(made, place), _message(made)
    made.pump()
    journals = [made.cloud.blobs.read(name) for name in made.cloud.blobs.names(layout.journal_folder(folder))]
    lines = b"".join(each[0] for each in journals if each).splitlines()
    claim = made.catalog.targets.owner(made.catalog.export(NAME).item.account, "name:Loyal")
    assert claim is not None
    found |= {
        "plan": _blob(made, layout.plan_manifest(folder)),
        "journal": [orjson.loads(line) for line in lines],
        "ledger": _blob(made, layout.ledger_manifest(str(claim.memory["ledger"]))),
        "report": _blob(made, layout.report(folder)),
        "lease": _blob(made, layout.lease(claim.account)),
        "row of a target": claim.entity(),
    }
    rows = [each.entity for each in made.cloud.runs.scan("RowKey ne ''", {})]
    for kind in ("run", "delivery", "notice"):
        found[f"row of a {kind}"] = next(row for row in rows if str(row["RowKey"]).startswith(f"{kind}:"))
    return found


def _of_definitions(made: Engine) -> dict[str, Any]:
    made.service.overlook(NAME, ["Loyal"])
    DialectStore(made.cloud.snapshots).declare(
        "x:Loyal", DialectInput(encoding="windows-1252", nulls=("NULL",)), UNDECLARED
    )
    made.service.row_counts([each.id for each in made.service.segments()])
    message = _message(made)
    made.pump()
    Authorizations(made.cloud.snapshots).begin("iterable", ADA, "https://exports.example/back")
    return {
        "message of a count": message,
        "row of a connection": _row(made.cloud.connections, "iterable"),
        "row of an export": _row(made.cloud.exports, NAME),
        "row of a schedule": _row(made.cloud.runs, "ticks"),
        "row of a dialect": _first(made.cloud.snapshots, "dialects"),
        "row of a count": _first(made.cloud.snapshots, "rows"),
        "row of a sign-in at a vendor": _first(made.cloud.snapshots, "authorizations"),
    }


def _of_jobs(made: Engine) -> dict[str, Any]:
    made.tell("people", {"erased": ["person0@example.com"]})
    made.service.start_check_up(NAME, 0, full=True, by="ada")
    found = {"message of a check-up": _message(made)}
    made.pump()
    found["check-up"] = _blob(made, layout.check_up(NAME, 0))
    found["findings"] = _blob(made, layout.found_manifest(NAME, 0))
    checked = doctor.read(made.cloud, NAME, 0)
    assert checked is not None
    doctor.KIND.write(made.cloud, replace(checked, mends=True))
    doctor.KIND.wake(made.cloud)
    found["message of a repair"] = _message(made)
    made.pump()
    made.service.start_probe("iterable", "ada@example.com", "ada")
    found |= {"message of a probe": _message(made), "probe": _blob(made, layout.probe("iterable"))}
    made.queue.clear_messages()
    return found | _of_forgetting(made)


def _of_forgetting(made: Engine) -> dict[str, Any]:
    asked = made.service.forget("person1@example.com", "ada")
    found = {"message of a request to forget": _message(made)}
    while not _has_found(made, asked.id):
        _carry_on(made)
    found["request to forget"] = _blob(made, layout.forgetting(asked.id))
    made.pump()
    return found | {"row of a certificate": _first(made.cloud.forgotten, "requests")}


def _has_found(made: Engine, request: str) -> bool:
    """Whether the request has found what it erases in files of runs."""
    course = forgetting.read(made.cloud, request)
    return course is not None and bool(course.found)


def _carry_on(made: Engine) -> None:
    message = made.queue.receive_message(visibility_timeout=600)
    assert message is not None
    inbox.receive(made.cloud, message.content.encode())
    made.queue.delete_message(message)


def _of_opt_outs(made: Engine) -> dict[str, Any]:
    collecting.start(made.cloud, "iterable", "ada")
    found = {"message of a reading": _message(made), "reading": _blob(made, layout.collecting("iterable"))}
    kept = opt_outs.read(made.cloud, "iterable")
    assert kept is not None
    part, since = Part(1, 3, "2026-11-29T06:00:00+00:00"), {"emailBounce": "2026-11-28T10:00:00+00:00"}
    former = FormerFolder("recorded-segments/before", (part,))
    opt_outs.write(made.cloud, "iterable", replace(kept, parts=(part,), since=since, former=(former,)))
    message = made.queue.receive_message()
    assert message is not None
    made.queue.delete_message(message)
    return found | {"record of opt-outs": _blob(made, layout.opt_outs("iterable"))}


def _of_browsers() -> dict[str, Any]:
    seal = Seal(MemoryVault({"session-key": KEY}), "session-key")
    sessions = Sessions(seal, secure=True)
    cookies = {"session": sessions.begin(ADA), "sign-in": sessions.wait({"state": "s", "nonce": "n"}, "/exports")}
    return {name: _opened(seal, cookie) for name, cookie in cookies.items()}


def _opened(seal: Seal, cookie: str) -> Any:
    content = seal.open(cookie.partition(";")[0].partition("=")[2])
    assert content is not None
    return json.loads(content)


def _message(made: Engine) -> Any:
    [message] = made.queue.peek_messages()
    return json.loads(message.content)


def _blob(made: Engine, name: str) -> Any:
    found = made.cloud.blobs.read(name)
    assert found is not None, name
    return json.loads(found[0])


def _row(table: Table, key: str) -> Any:
    return next(each.entity for each in table.scan("RowKey eq @key", {"key": key}))


def _first(table: Table, partition: str) -> Any:
    return next(iter(table.query(partition))).entity


__all__ = ["ADA", "FOLDER", "KEY", "MARK", "NAME", "VERSION", "plain", "real", "record"]
