"""The SQL that selects columns of a snapshot's files in order. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from shared.errors import UserMustAct
from shared.snapshots.heads import Head
from shared.snapshots.recoding import as_read
from shared.snapshots.snapshot import CsvFormat, Format, Snapshot, SnapshotFile
from shared.wording import say

MAX_LINE_BYTES = 1 << 20
FILE_INDEX = "file_index"
UNSUITABLE = "unsuitable_column"

_BUFFER_BYTES = 4 << 20
_NULL = r"\N"
"""A cell that Snowflake, Hive, MySQL and Postgres write for no value at all; nobody is called that."""
_PLAIN_TYPES = (
    *("VARCHAR", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "UUID", "ENUM", "DECIMAL", "FLOAT", "DOUBLE", '"NULL"'),
    *("TINYINT", "SMALLINT", "INTEGER", "BIGINT", "HUGEINT"),
    *("UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"),
)


_MOST_PIECES = 32
_IN_ORDER = "row_number() OVER ()"
_BY_FILE = f"({FILE_INDEX}::BIGINT << 36) + {_IN_ORDER}"


@dataclass(frozen=True, slots=True)
class Scan:
    """`sql` is a SELECT for the FROM of a query, in brackets. Its rows come in the order of files and lines. `rows` is
    the same in whatever order is cheapest; the expression `number` over it rises from file to file and line to line.

    Columns: those asked for, each once, as VARCHAR, NULL where a cell is empty. They are called `cell(0)`, `cell(1)`
    and so on, so that no name in a file means something in a query. And `file_index` (INTEGER), which counts the
    snapshot's files from 0. `row_number() over ()` on `sql` numbers the rows in order.
    """

    rows: str
    number: str = _IN_ORDER

    @property
    def sql(self) -> str:
        return self.rows if self.number == _IN_ORDER else f"SELECT * FROM ({self.rows}) ORDER BY {self.number}"


def cell(number: int) -> str:
    """The name in a scan of the column that was asked for as number so many, from 0."""
    return f"cell_{number}"


def scan(
    snapshot: Snapshot,
    columns: Sequence[str],
    heads: Mapping[SnapshotFile, Head | None],
    urls: Mapping[SnapshotFile, str],
) -> Scan:
    """Select these columns, finding them by name in each file; `heads` has None for an empty file.

    Raises UserMustAct: `missing_column` where a file lacks one, `unsuitable_column` where one is not a plain value
    or its name is not unique.
    """
    wanted = list(dict.fromkeys(columns))
    filled = _filled([heads[file] for file in snapshot.files])
    alike = list(_alike(filled))
    in_order = len(alike) <= _MOST_PIECES
    pieces = []
    for head, numbers in alike if in_order else _gathered(alike):
        files = [snapshot.files[number] for number in numbers]
        _must_have(head, wanted, files[0])
        constants = _constants([filled[number] for number in numbers])
        pieces.append(_piece(snapshot.format, numbers, head, [urls[file] for file in files], wanted, constants))
    rows = " UNION ALL ".join(pieces) or _nothing(wanted)
    return Scan(rows) if in_order else Scan(rows, _BY_FILE)


def _filled(heads: Sequence[Head | None]) -> list[Head]:
    """A head for each file: an empty one goes with its neighbours; nothing where all are empty."""
    last = next((head for head in heads if head), None)
    return [last := head or last for head in heads] if last else []


def _alike(heads: Sequence[Head]) -> Iterator[tuple[Head, list[int]]]:
    """Runs of files with the same head, but for the values of their constants, by their indexes."""
    shapes = [
        replace(head, constants=tuple((name, None) for name, _ in head.constants)) if head.constants else head
        for head in heads
    ]
    for head, run in groupby(range(len(shapes)), key=shapes.__getitem__):
        numbers = list(run)
        yield from ((head, [number]) for number in numbers) if _hides_index(head) else [(head, numbers)]


def _constants(heads: Sequence[Head]) -> dict[str, str]:
    """By column what has its constant value in each row of these files, which are alike."""
    names = [name for name, _ in heads[0].constants]
    values = zip(*([value for _, value in head.constants] for head in heads), strict=True)
    return {name: _constant(list(each)) for name, each in zip(names, values, strict=True)}


def _constant(values: Sequence[str | None]) -> str:
    texts = ["NULL" if value is None else literal(value) for value in values]
    if len(set(texts)) == 1:
        return f"{texts[0]}::VARCHAR"
    return f"[{', '.join(texts)}][({FILE_INDEX} + 1)::BIGINT]"


def _gathered(alike: Sequence[tuple[Head, list[int]]]) -> list[tuple[Head, list[int]]]:
    """All files with the same head together, since what DuckDB takes to plan a query is quadratic in its pieces."""
    together: dict[Head, list[int]] = {}
    alone = [(head, numbers) for head, numbers in alike if _hides_index(head)]
    for head, numbers in alike:
        if not _hides_index(head):
            together.setdefault(head, []).extend(numbers)
    return [*together.items(), *alone]


def _hides_index(head: Head) -> bool:
    """Whether files have a column of the name under which DuckDB tells which file a row is from."""
    return bool(head.types) and FILE_INDEX in map(str.lower, (*head.columns, *head.known_as))


def _must_have(head: Head, wanted: Sequence[str], file: SnapshotFile) -> None:
    for name in wanted:
        if name in dict(head.constants) and name not in head.columns:
            continue
        if name not in head.columns:
            raise UserMustAct(
                "missing_column",
                say("The segment's file %(path)s has no column '%(name)s'.", path=file.path, name=name),
            )
        kind = head.types[head.columns.index(name)] if head.types else "VARCHAR"
        if (
            head.columns.count(name) > 1
            or name in dict(head.constants)
            or kind.endswith("]")
            or not kind.startswith(_PLAIN_TYPES)
        ):
            raise UserMustAct(
                UNSUITABLE,
                say(
                    "The column '%(name)s' of the segment's file %(path)s is there twice, or is not a plain value.",
                    name=name,
                    path=file.path,
                ),
            )


def _piece(
    kind: Format,
    numbers: Sequence[int],
    head: Head,
    urls: Sequence[str],
    wanted: Sequence[str],
    constants: Mapping[str, str],
) -> str:
    """SQL for files that look alike, and have these indexes."""
    if isinstance(kind, CsvFormat):
        nothing = ", ".join(literal(text) for text in (_NULL, *kind.nulls))
        cells = {
            name: f"CASE WHEN c{number} NOT IN ({nothing}) THEN c{number} END"
            for number, name in enumerate(head.columns)
        }
        source = _csv(urls, as_read(kind), head)
    else:
        places = {name: head.columns.index(name) for name in wanted if name in head.columns}
        cells = {
            name: _text((head.known_as or head.columns)[place], head.types[place]) for name, place in places.items()
        }
        source = parquet(urls)
    cells |= constants
    selected = [f"nullif({cells[name]}, '') AS {cell(number)}" for number, name in enumerate(wanted)]
    selected.append(f"{_index(numbers, head)}::INTEGER AS {FILE_INDEX}")
    return f"SELECT {', '.join(selected)} FROM {source}"


def _index(numbers: Sequence[int], head: Head) -> str:
    """The index of a row's file. DuckDB counts the files of a piece from 0."""
    if _hides_index(head):
        return str(numbers[0])
    if numbers[-1] - numbers[0] == len(numbers) - 1:
        return f"({FILE_INDEX} + {numbers[0]})"
    return f"[{', '.join(map(str, numbers))}][({FILE_INDEX} + 1)::BIGINT]"


def _csv(urls: Sequence[str], csv: CsvFormat, head: Head) -> str:
    """Nothing is guessed.

    What DuckDB 2.0 does with line ends decides the rest: with `parallel` it loses rows beside line breaks inside cells;
    the kind of line end is taken from the first one, be it inside a cell, unless it is given; but given together with
    `strict_mode`, which is on anyway, all rows are lost. `watches` looks for what it misses.
    """
    columns = ", ".join(f"'c{number}': 'VARCHAR'" for number in range(len(head.columns)))
    options = {
        "columns": f"{{{columns}}}",
        "auto_detect": "false",
        "header": str(head.header).lower(),
        "delim": literal(csv.delimiter),
        "quote": literal(csv.quote),
        "escape": literal(csv.escape or csv.quote),
        "encoding": literal(csv.encoding),
        "compression": literal(csv.compression),
        "null_padding": "false",
        "ignore_errors": "false",
        "parallel": "false",
        "hive_partitioning": "false",
        "max_line_size": str(MAX_LINE_BYTES),
        "buffer_size": str(_BUFFER_BYTES),
    }
    if head.line_end:
        options["new_line"] = literal(head.line_end.replace("\r", "\\r").replace("\n", "\\n"))
    return f"read_csv({_list(urls)}, {', '.join(f'{name} = {value}' for name, value in options.items())})"


def parquet(urls: Sequence[str]) -> str:
    """A table function that reads these files."""
    return f"read_parquet({_list(urls)}, hive_partitioning = false, binary_as_string = true)"


def schema(url: str) -> str:
    """A table function that tells the tree of columns of a Parquet file."""
    return f"parquet_schema({literal(url)})"


def footer(url: str) -> str:
    """A table function that tells what the footer of a Parquet file says of all of it."""
    return f"parquet_file_metadata({literal(url)})"


def _text(name: str, kind: str) -> str:
    """A Parquet value as text; dates and times in ISO 8601, numbers without an exponent, and no number is no value."""
    column = identifier(name)
    text = f"{column}::VARCHAR"
    if kind.startswith("TIMESTAMP"):
        return f"replace({column}::{kind}::VARCHAR, ' ', 'T')"
    if kind not in ("FLOAT", "DOUBLE"):
        return text
    return (
        f"CASE WHEN isnan({column}) OR isinf({column}) THEN NULL "
        f"WHEN {column} = trunc({column}) THEN format('{{:.0f}}', {column}::DOUBLE + 0.0) "
        f"WHEN {text} LIKE '%e%' THEN rtrim(rtrim({column}::DECIMAL(38, 18)::VARCHAR, '0'), '.') "
        f"ELSE {text} END"
    )


def _nothing(wanted: Sequence[str]) -> str:
    selected = [*(f"NULL::VARCHAR AS {cell(number)}" for number, _ in enumerate(wanted)), f"0::INTEGER AS {FILE_INDEX}"]
    return f"SELECT {', '.join(selected)} WHERE false"


def _list(urls: Sequence[str]) -> str:
    return f"[{', '.join(literal(url) for url in urls)}]"


def literal(text: str) -> str:
    """Text as a literal of DuckDB's SQL."""
    return "'" + text.replace("'", "''") + "'"


def identifier(name: str) -> str:
    """A name as an identifier of DuckDB's SQL."""
    return '"' + name.replace('"', '""') + '"'
