"""Three hundred exports with five thousand runs each, made as they are asked for: 1.5 million runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, cast

from dev.bench.tables import Made, Tables, serve
from shared.catalog.models import Connection, Export
from shared.catalog.store import connection_store, export_store
from shared.cloud.tables import Rows, Stored, Table
from shared.delivery.state import every_run, latest
from shared.delivery.state.records import Delivery, Run, State, Step, run_key
from shared.delivery.state.transitions import RunKind

EXPORTS, RUNS, CONNECTIONS = 300, 5_000, 12
_NEWEST = datetime(2026, 11, 29, 6, 0, tzinfo=UTC)
_APART = timedelta(minutes=8)
_STATES = (State.SUCCEEDED,) * 7 + (State.NOTHING, State.WARNINGS, State.FAILED)
_COUNTS = {
    "rows_read": 12_000,
    "add": 40,
    "change": 300,
    "remove": 12,
    "unchanged": 11_500,
    "refused_here": 8,
    "add accepted": 39,
    "add rejected": 1,
    "change accepted": 300,
    "remove accepted": 12,
}


@cache
def connections() -> list[Connection]:
    return [
        Connection(
            name=f"account-{number:02}",
            display_name=f"Account {number:02}",
            vendor=("iterable", "dotdigital", "omnisend", "campaign-monitor")[number % 4],
            account=f"account-{number:02}",
            **_stamps(number),
        )
        for number in range(CONNECTIONS)
    ]


def export(number: int) -> Export:
    """One of them, as rich as they are: two segments, twelve fields, a schedule."""
    return Export.model_validate(
        {
            "name": f"export-{number:03}",
            "display_name": f"Export {number:03} of the shops",
            "connection": f"account-{number % CONNECTIONS:02}",
            "account": f"account-{number % CONNECTIONS:02}",
            "targets": [{"segments": [f"segments:S{number}", f"segments:T{number}"], "list_name": f"List {number}"}],
            "address_column": "EMail",
            "matching": [{"field": f"field{each}", "column": f"Column{each}"} for each in range(12)],
            "schedule": {
                "kind": "cron",
                "expression": f"{number % 60} {number % 24} * * {'1-5' if number % 2 else '*'}",
                "time_zone": "Europe/Stockholm",
            },
            "tags": ["nordic", "weekly"] if number % 3 else [],
            **_stamps(number),
        }
    )


def _stamps(number: int) -> dict[str, Any]:
    at = _NEWEST - timedelta(days=number % 90)
    return {"created_at": at, "created_by": "Ada", "updated_at": at, "updated_by": "Ada"}


def _at(export_number: int, age: int) -> datetime:
    return _NEWEST - _APART * age - timedelta(seconds=export_number)


def _id(export_number: int, age: int) -> str:
    return f"{_at(export_number, age):%Y%m%d-%H%M%S}-000-{age:04x}"


def run(export_number: int, age: int) -> Run:
    """The newest has the age 0."""
    at = _at(export_number, age)
    return Run(
        export=f"export-{export_number:03}",
        run=_id(export_number, age),
        state=_STATES[(export_number + age) % len(_STATES)],
        trigger="schedule cron",
        definition=_definition(export_number),
        deliveries=1,
        kind=RunKind.DELIVERY,
        created_at=at,
        finished_at=at + timedelta(seconds=95),
        message="12 removed, 40 added, 300 changed, 9 not taken.",
        vendor=connections()[export_number % CONNECTIONS].vendor,
        counts=_COUNTS,
        members=11_840 - age,
    )


@cache
def _definition(number: int) -> str:
    return export(number).model_dump_json()


def _delivery(of: Run) -> Delivery:
    return Delivery(
        export=of.export,
        run=of.run,
        index=0,
        target_key="List",
        account="account-00",
        state=of.state,
        step=Step.DONE,
        heartbeat=of.created_at,
        due_at=of.created_at,
        started_at=of.created_at,
        finished_at=of.finished_at,
        message=of.message,
        plan="plan",
        target={"list_id": "7", "name": "List"},
        counts=_COUNTS,
        done=352,
        total=352,
        requests=4,
    )


def _age(key: str) -> int:
    return int(key[-4:], 16)


def _partition(number: int) -> Made:
    """Rows of one export, as the table `runs` has them."""
    newest_first = [run_key(_id(number, age)) for age in range(RUNS)]
    deliveries = [f"delivery:{key.rpartition(':')[2]}:000" for key in reversed(newest_first)]

    def row(key: str) -> Any:
        if key.startswith("run:"):
            return run(number, _age(key)).entity()
        return _delivery(run(number, _age(key.rpartition(":")[0]))).entity()

    return Made([*deliveries, *newest_first], row)


class _EveryKey(Sequence[str]):
    """Keys of the list of all runs: of all exports, the newest first."""

    def __len__(self) -> int:
        return EXPORTS * RUNS

    def __getitem__(self, place: Any) -> Any:
        age, number = divmod(place, EXPORTS)
        return every_run.row_key(f"export-{number:03}", _id(number, age))


def _every_row(key: str) -> Mapping[str, Any]:
    name, export = key.rpartition(":")[0], key.rpartition(":")[2]
    return every_run.entity(run(int(export.removeprefix("export-")), _age(name)))


class _Lazily(dict[tuple[str, str], Made]):
    """Partitions of exports, made when they are first asked for."""

    def __missing__(self, place: tuple[str, str]) -> Made:
        every = place[1] == every_run.PARTITION
        number = place[1].removeprefix("export-")
        self[place] = Made(_EveryKey(), _every_row) if every else _partition(int(number))
        return self[place]

    def __contains__(self, place: object) -> bool:
        return isinstance(place, tuple) and place[0] == "runs" and place[1] != latest.PARTITION


@dataclass(frozen=True, slots=True)
class _Written:
    """A table that rows are written to before anybody asks."""

    tables: Tables
    name: str

    def get(self, partition: str, row: str) -> Stored | None:
        found = self.tables.get(self.name, partition, row)
        return Stored(dict(found), "") if found else None

    def insert(self, entity: Mapping[str, Any]) -> str:
        self.tables.put(self.name, entity)
        return ""


def tables() -> Tables:
    """All of it."""
    made = Tables(_Lazily())
    for connection in connections():
        connection_store(cast(Rows, _Written(made, "connections"))).insert(connection)
    for number in range(EXPORTS):
        export_store(cast(Rows, _Written(made, "exports"))).insert(export(number))
        latest.tell(cast(Table, _Written(made, "runs")), run(number, 0))
    return made


if __name__ == "__main__":
    serve(tables())
