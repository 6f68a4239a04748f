"""Writes Delta tables with deltalake, and how deltalake itself reads them. Run by the Python that has it:
write_delta.py FOLDER.

Each case is a folder below it, with a table that has a history of its own.
"""

from __future__ import annotations

import json
import random
import re
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import quote

import deltalake
import pyarrow
from deltalake import DeltaTable, QueryBuilder, TableFeatures, write_deltalake

COLUMNS = ("EMail", "FirstName", "City", "Age", "Tier")
ROWS = [
    ("anna@example.com", "Anna", "Malmö", 41, "vip"),
    ("bo@example.com", 'Bo "Bosse" Ek', "Köln 50% a/b=c", None, "plain"),
    ("chi@example.com", "志", "two\nlines", 7, "vip"),
    ("dan@example.com", None, "a;b|c\td", 0, "plain"),
    ("eve@example.com", "NULL", " padded ", -3, "vip"),
    ("zoë@example.com", "back\\slash", "%41?#&+:", None, None),
    ("yan@example.com", "", "", 3, ""),
    ("dot@example.com", "2026-11-22", "...", 3, "dt=2026-11-22"),
]
KINDS = pyarrow.schema([(name, pyarrow.int64() if name == "Age" else pyarrow.string()) for name in COLUMNS])
TYPED = pyarrow.table(
    {
        "EMail": ["a@example.com", "b@example.com", "c@example.com"],
        "Small": pyarrow.array([1, None, -7], pyarrow.int8()),
        "Large": pyarrow.array([1 << 60, 0, None], pyarrow.int64()),
        "Half": pyarrow.array([0.5, 441234567890.0, None], pyarrow.float64()),
        "Yes": [True, False, None],
        "Day": [date(2026, 11, 22), None, date(1969, 12, 31)],
        "At": pyarrow.array(
            [datetime(2026, 11, 22, 14, 33, tzinfo=UTC), datetime(2026, 1, 1, 0, 0, 0, 250_000, tzinfo=UTC), None],
            pyarrow.timestamp("us", "UTC"),
        ),
        "Paid": pyarrow.array([Decimal("12.50"), Decimal("-0.01"), None], pyarrow.decimal128(10, 2)),
    }
)
Row = tuple[Any, ...]

ANNA = "EMail = 'anna@example.com'"


def table(rows: Sequence[Row] = ROWS) -> pyarrow.Table:
    return pyarrow.table({name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)}, schema=KINDS)


def append(to: Path, rows: Sequence[Row], **more: Any) -> None:
    write_deltalake(to, table(rows), mode="append", **more)


def one_by_one(to: Path, **more: Any) -> DeltaTable:
    """A version for each row."""
    for row in ROWS:
        append(to, [row], **more)
    return DeltaTable(to)


def overwritten(to: Path) -> None:
    write_deltalake(to, table())
    write_deltalake(to, table(ROWS[:3]), mode="overwrite", schema_mode="overwrite")


def overwritten_in_part(to: Path) -> None:
    write_deltalake(to, table(), partition_by=["Tier"])
    write_deltalake(to, table(ROWS[:1]), mode="overwrite", predicate="Tier = 'vip'")


def rows_deleted(to: Path) -> None:
    overwritten(to)
    DeltaTable(to).delete(ANNA)


def all_deleted(to: Path) -> None:
    write_deltalake(to, table())
    DeltaTable(to).delete()


def updated(to: Path) -> None:
    write_deltalake(to, table())
    DeltaTable(to).update(updates={"City": "'Lund'"}, predicate=ANNA)


def merged(to: Path) -> None:
    write_deltalake(to, table(ROWS[:4]))
    merging = DeltaTable(to).merge(
        table([("anna@example.com", "Anna-Lena", "Lund", 42, "vip"), *ROWS[4:]]), "s.EMail = t.EMail", "s", "t"
    )
    merging.when_matched_update_all().when_not_matched_insert_all().when_not_matched_by_source_delete(
        "t.Age = 7"
    ).execute()


def checkpointed(to: Path) -> None:
    one_by_one(to).create_checkpoint()
    DeltaTable(to).delete(ANNA)


def checkpointed_in_folders(to: Path) -> None:
    one_by_one(to, partition_by=["City", "Tier"]).create_checkpoint()


def cleared(to: Path) -> None:
    """Only what its checkpoint does not stand for is left in the log."""
    one_by_one(to, configuration={"delta.logRetentionDuration": "interval 0 days"}).create_checkpoint()
    for name in sorted((to / "_delta_log").glob("*.json"))[:-1]:
        name.unlink()
    append(to, ROWS[:1])


def logs_compacted(to: Path) -> None:
    one_by_one(to).compact_logs(2, 5)


def column_added(to: Path) -> None:
    write_deltalake(to, table(ROWS[:3]).drop(["Tier", "Age"]))
    append(to, ROWS[3:], schema_mode="merge")


def schema_replaced(to: Path) -> None:
    write_deltalake(to, table().rename_columns(["EMail", "First", "Town", "Years", "Level"]))
    write_deltalake(to, table(), mode="overwrite", schema_mode="overwrite")


def compacted(to: Path) -> None:
    one_by_one(to).optimize.compact()


def ordered(to: Path) -> None:
    one_by_one(to).optimize.z_order(["City"])


def vacuumed(to: Path) -> None:
    rows_deleted(to)
    kept = DeltaTable(to)
    kept.optimize.compact()
    kept.vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)


def restored(to: Path) -> None:
    rows_deleted(to)
    DeltaTable(to).restore(0)


def empty(to: Path) -> None:
    DeltaTable.create(to, schema=deltalake.Schema.from_arrow(KINDS))


def changes_kept(to: Path) -> None:
    write_deltalake(to, table(), configuration={"delta.enableChangeDataFeed": "true"})
    DeltaTable(to).update(updates={"City": "'Lund'"}, predicate=ANNA)
    DeltaTable(to).delete("EMail = 'bo@example.com'")


def with_features(to: Path, *features: TableFeatures) -> None:
    write_deltalake(to, table())
    DeltaTable(to).alter.add_feature(list(features), allow_protocol_versions_increase=True)


def rewritten(to: Path, change: Callable[[str], str]) -> None:
    """What no writer here can write: its log is changed by hand."""
    write_deltalake(to, table(ROWS), partition_by=["Tier"])
    first = to / "_delta_log" / f"{0:020}.json"
    first.write_text(change(first.read_text()))


def mapped(log: str, mode: str = "name") -> str:
    """The columns of the files under other names."""
    log = log.replace('"minReaderVersion":1,"minWriterVersion":2', '"minReaderVersion":2,"minWriterVersion":5')
    log = log.replace('"configuration":{}', f'"configuration":{{"delta.columnMapping.mode":"{mode}"}}')
    for number, name in enumerate(COLUMNS):
        details = f'\\"delta.columnMapping.id\\":{number + 1},\\"delta.columnMapping.physicalName\\":\\"{name}\\"'
        pattern = rf'(\\"name\\":\\"){name}(\\",\\"type\\":\\"\w+\\",\\"nullable\\":true,\\"metadata\\":{{)'
        log = re.sub(pattern, lambda found: f"{found[1]}The {name}{found[2]}{details}", log)  # noqa: B023  # used at once
    return log.replace('"partitionColumns":["Tier"]', '"partitionColumns":["The Tier"]')


def elsewhere(to: Path) -> None:
    rewritten(to, lambda log: log.replace('"path":"', f'"path":"{quote(str(to))}/'))


STEPS: dict[str, Callable[[Path, Sequence[Row]], object]] = {
    "append": append,
    "overwrite": lambda to, rows: write_deltalake(to, table(rows), mode="overwrite"),
    "delete": lambda to, rows: DeltaTable(to).delete(f"Age = {rows[0][3] or 0}"),
    "update": lambda to, rows: DeltaTable(to).update(
        updates={"FirstName": "'Lot'"}, predicate=f"Age > {rows[0][3] or 0}"
    ),
    "compact": lambda to, rows: DeltaTable(to).optimize.compact(),
    "checkpoint": lambda to, rows: DeltaTable(to).create_checkpoint(),
    "vacuum": lambda to, rows: DeltaTable(to).vacuum(
        retention_hours=0, enforce_retention_duration=False, dry_run=False
    ),
    "clear": lambda to, rows: DeltaTable(to).cleanup_metadata(),
}
HISTORIES = 20


def drawn_by_lot(to: Path, number: int) -> None:
    """A history of ten steps, the same each time."""
    lot = random.Random(number)
    partition_by = lot.choice([None, ["Tier"], ["City", "Age"]])
    configuration = {
        "delta.logRetentionDuration": "interval 0 days",
        "delta.checkpointInterval": str(lot.randint(2, 5)),
    }
    write_deltalake(to, table(), partition_by=partition_by, configuration=configuration)
    for _ in range(10):
        STEPS[lot.choice([*STEPS])](to, lot.sample(ROWS, lot.randint(1, 4)))


READ: dict[str, Callable[[Path], object]] = {
    "one version": lambda to: write_deltalake(to, table()),
    "a version for each row": one_by_one,
    "types": lambda to: write_deltalake(to, TYPED),
    "in folders": lambda to: write_deltalake(to, table(), partition_by=["Tier"]),
    "in folders of odd names": lambda to: write_deltalake(to, table(), partition_by=["City", "FirstName"]),
    "in folders of numbers": lambda to: write_deltalake(to, table(), partition_by=["Age"]),
    "in folders of days": lambda to: write_deltalake(to, TYPED, partition_by=["Day", "Yes", "Small"]),
    "overwritten": overwritten,
    "overwritten in part": overwritten_in_part,
    "rows deleted": rows_deleted,
    "all rows deleted": all_deleted,
    "updated": updated,
    "merged": merged,
    "a checkpoint": checkpointed,
    "a checkpoint, in folders": checkpointed_in_folders,
    "a log that was cleared": cleared,
    "a log that was compacted": logs_compacted,
    "a column added": column_added,
    "another schema": schema_replaced,
    "compacted": compacted,
    "ordered": ordered,
    "vacuumed": vacuumed,
    "restored": restored,
    "empty": empty,
    "changes kept": changes_kept,
    "features of writers": lambda to: with_features(to, TableFeatures.AppendOnly, TableFeatures.RowTracking),
    "mapped by name": lambda to: rewritten(to, mapped),
    **{f"a history drawn by lot, {number}": partial(drawn_by_lot, number=number) for number in range(HISTORIES)},
}
REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "deletion vectors": (lambda to: with_features(to, TableFeatures.DeletionVectors), "3 (deletionVectors)"),
    "checkpoints of the other kind": (lambda to: with_features(to, TableFeatures.V2Checkpoint), "3 (v2Checkpoint)"),
    "column mapping as a feature": (lambda to: with_features(to, TableFeatures.ColumnMapping), "3 (columnMapping)"),
    "variants": (lambda to: with_features(to, TableFeatures.VariantType), "3 (variantType)"),
    "moments without a zone": (
        lambda to: write_deltalake(to, pyarrow.table({"EMail": ["a"], "At": [datetime(2026, 1, 1)]})),
        "3 (timestampNtz)",
    ),
    "mapped by id": (lambda to: rewritten(to, lambda log: mapped(log, "id")), "columnMapping (id)"),
    "files elsewhere": (elsewhere, "files by their whole address"),
}


def text(value: object) -> str | None:
    """A value as this service reads it from Parquet."""
    if value is None or value == "":
        return None
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.0f}" if value.is_integer() else str(value)
    if isinstance(value, datetime):
        whole, _, fraction = value.astimezone(UTC).isoformat().removesuffix("+00:00").partition(".")
        return f"{whole}.{fraction.rstrip('0')}+00" if fraction else f"{whole}+00"
    return str(value)


def main(folder: Path) -> None:
    cases = [*((name, write, "") for name, write in READ.items()), *((name, *each) for name, each in REFUSED.items())]
    for number, (name, write, refused) in enumerate(cases):
        to = folder / f"case-delta-{number:02}"
        to.mkdir(parents=True)
        write(to)
        said: dict[str, Any] = {"name": f"deltalake, {name}", "columns": COLUMNS, "refused": refused}
        said["dated"] = number % 3 == 2
        if refused:
            said["rows"] = []
        else:
            read = pyarrow.table(QueryBuilder().register("t", DeltaTable(to)).execute("SELECT * FROM t").read_all())
            rows = [[text(row[column]) for column in read.column_names] for row in read.to_pylist()]
            said |= {"columns": read.column_names, "rows": rows}
        (folder / f"{to.name}.json").write_text(json.dumps(said))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
