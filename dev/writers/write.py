"""Writes one table as pandas, polars and pyarrow do. Run by the Python that has them: write.py FOLDER.

Each case is a folder below it, with the files of one state of a segment.
"""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pandas
import polars
import pyarrow
import pyarrow.csv
import pyarrow.dataset
import pyarrow.parquet

COLUMNS = ("EMail", "FirstName", "City", "Age", "Tier")
ROWS = [
    ("anna@example.com", "Anna", "Malmö", 41, "vip"),
    ("bo@example.com", 'Bo "Bosse" Ek', "Lund, Skåne", None, "plain"),
    ("chi@example.com", "志", "two\nlines", 7, "vip"),
    ("dan@example.com", None, "a;b|c\td", 0, "plain"),
    ("eve@example.com", "NULL", " padded ", -3, "vip"),
    ("zoë@example.com", "back\\slash", "tab\\", None, "plain"),
]
TEXTS = ("EMail", "FirstName", "City")

COLUMN_WISE = {name: [row[place] for row in ROWS] for place, name in enumerate(COLUMNS)}
PANDAS = pandas.DataFrame(COLUMN_WISE)
POLARS = polars.DataFrame(COLUMN_WISE)
ARROW = pyarrow.table(COLUMN_WISE)
TWICE = [ROWS[:3], ROWS[3:]]


def _arrow(rows: Sequence[tuple[object, ...]]) -> pyarrow.Table:
    return pyarrow.table({name: [row[place] for row in rows] for place, name in enumerate(COLUMNS)})


def _parts_with_a_null_column(folder: Path) -> None:
    for number, rows in enumerate(TWICE):
        part = _arrow(rows)
        if number:
            part = part.set_column(4, "Tier", pyarrow.nulls(len(rows)))
        pyarrow.parquet.write_table(part, folder / f"part-{number}.parquet")


def _parts_in_another_order(folder: Path) -> None:
    for number, rows in enumerate(TWICE):
        part = _arrow(rows)
        pyarrow.csv.write_csv(part.select(list(COLUMNS[::-1] if number else COLUMNS)), folder / f"part-{number}.csv")


def _in_folders(folder: Path) -> None:
    layout = pyarrow.dataset.partitioning(pyarrow.schema([("Tier", pyarrow.string())]), flavor="hive")
    pyarrow.dataset.write_dataset(ARROW, folder, format="parquet", partitioning=layout)


WRITERS: dict[str, Callable[[Path], object]] = {
    "pandas, Parquet": lambda to: PANDAS.to_parquet(to / "part-0.parquet"),
    "pandas, Parquet in gzip pages": lambda to: PANDAS.to_parquet(to / "part-0.parquet", compression="gzip"),
    "pandas, Parquet in folders": lambda to: PANDAS.to_parquet(to, partition_cols=["Tier"]),
    "polars, Parquet": lambda to: POLARS.write_parquet(to / "part-0.parquet"),
    "polars, Parquet in Snappy": lambda to: POLARS.write_parquet(to / "part-0.parquet", compression="snappy"),
    "pyarrow, CSV parts in another order": _parts_in_another_order,
    "pyarrow, Parquet": lambda to: pyarrow.parquet.write_table(ARROW, to / "part-0.parquet"),
    "pyarrow, Parquet 1.0 without a dictionary": lambda to: pyarrow.parquet.write_table(
        ARROW, to / "part-0.parquet", version="1.0", use_dictionary=False, compression="none"
    ),
    "pyarrow, dictionaries and large texts": lambda to: pyarrow.parquet.write_table(
        ARROW.set_column(1, "FirstName", ARROW["FirstName"].dictionary_encode()).set_column(
            2, "City", ARROW["City"].cast(pyarrow.large_string())
        ),
        to / "part-0.parquet",
    ),
    "pyarrow, a column that is all null in one part": _parts_with_a_null_column,
    "pyarrow, Parquet in folders": _in_folders,
    "pyarrow, many row groups": lambda to: pyarrow.parquet.write_table(ARROW, to / "part-0.parquet", row_group_size=1),
}
"""Of the whole table."""
OF_TEXTS: dict[str, Callable[[Path], object]] = {
    "pandas, CSV": lambda to: PANDAS[[*TEXTS]].to_csv(to / "part-0.csv", index=False),
    "pandas, CSV as Excel wants it": lambda to: PANDAS[[*TEXTS]].to_csv(
        to / "part-0.csv", index=False, sep=";", encoding="utf-8-sig", lineterminator="\r\n"
    ),
    "pandas, CSV in gzip": lambda to: PANDAS[[*TEXTS]].to_csv(to / "part-0.csv.gz", index=False),
    "pandas, every cell quoted": lambda to: PANDAS[[*TEXTS]].to_csv(
        to / "part-0.csv", index=False, quoting=csv.QUOTE_ALL
    ),
    "pandas, tabs": lambda to: PANDAS[[*TEXTS]].to_csv(to / "part-0.tsv", index=False, sep="\t"),
    "polars, CSV": lambda to: POLARS.select(TEXTS).write_csv(to / "part-0.csv"),
    "polars, vertical bars": lambda to: POLARS.select(TEXTS).write_csv(to / "part-0.csv", separator="|"),
    "polars, every cell quoted": lambda to: POLARS.select(TEXTS).write_csv(to / "part-0.csv", quote_style="always"),
    "polars, a byte order mark": lambda to: POLARS.select(TEXTS).write_csv(to / "part-0.csv", include_bom=True),
    "pyarrow, CSV": lambda to: pyarrow.csv.write_csv(ARROW.select([*TEXTS]), to / "part-0.csv"),
}
"""Of its texts alone: which number a CSV file means is the writer's own matter."""
PARTLY = "pyarrow, a column that is all null in one part"
"""Whose last column has no values in half of the rows."""


def main(folder: Path) -> None:
    columns = {**dict.fromkeys(WRITERS, COLUMNS), **dict.fromkeys(OF_TEXTS, TEXTS), PARTLY: COLUMNS[:-1]}
    for number, (name, write) in enumerate((WRITERS | OF_TEXTS).items()):
        to = folder / f"case-{number:02}"
        to.mkdir(parents=True)
        write(to)
        (folder / f"case-{number:02}.json").write_text(json.dumps({"name": name, "columns": columns[name]}))
    (folder / "rows.json").write_text(json.dumps({"columns": COLUMNS, "rows": ROWS}))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
