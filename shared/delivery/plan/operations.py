"""From snapshots and a ledger to the operations that are needed, in DuckDB, one part of the buckets at a time.

snapshot rows -> staged (matched, address normalised and judged, bucket)
staged        -> firsts (the first row of each valid address, and the rule that keeps the person back)
firsts        -> wanted (whom no rule keeps back)
wanted ⟗ ledger -> steps -> plan files; the refused and the counts on the side
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from shared.catalog.holdout import HOLDOUT
from shared.catalog.rules import NO_RULES, Rules
from shared.delivery import addresses, sql
from shared.delivery.plan import cell_values, derived, kept_back, persons, recognised
from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.drift import TEXT_FOR_NOTHING
from shared.delivery.sql import literal
from shared.delivery.state import found, ledger, transitions
from shared.delivery.state.files import BUCKET, DataFile, Files, buckets, keep, write
from shared.delivery.state.found import Findings, What
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.plan import COUNTED, Balance
from shared.delivery.state.transitions import RunKind
from shared.mailbox import with_ascii_domain
from shared.snapshots.scanning import cell
from shared.vendors.contract import Kind

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection


MOST_ROWS = 1 << 52
"""Of one source; where the numbers of the next one's rows begin."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What to plan: which columns make the address and the values, and what happens to whom."""

    address_column: str
    matches: Sequence[Matched]
    mode: str
    kind: RunKind = RunKind.DELIVERY
    rules: Rules = NO_RULES
    id_column: str | None = None

    @property
    def columns(self) -> list[str]:
        matched = (column for match in self.matches for column in match.columns)
        return list(dict.fromkeys([self.address_column, *matched, *self.judged_columns]))

    @property
    def cells(self) -> dict[str, str]:
        """Name of a column -> that of its cells in a scan."""
        return {column: cell(number) for number, column in enumerate(self.columns)}

    @property
    def judged_columns(self) -> list[str]:
        """Columns by which it is told each time anew whose a row is, and who is kept back."""
        ids = [self.id_column] if self.id_column else []
        return [*self.rules.columns, *ids]

    @property
    def keeps_back(self) -> bool:
        """Somebody in the segment may be kept back."""
        return bool(self.rules or self.id_column)

    @property
    def staged_columns(self) -> dict[str, str]:
        """Columns, with their types, that only some exports have."""
        return kept_back.staged_columns(self.rules) | persons.staged_columns(self.id_column)


@dataclass(slots=True)
class Tally:
    """Counts that add up over the parts."""

    counts: dict[str, int] = field(default_factory=dict)
    refused: dict[str, int] = field(default_factory=dict)
    left_out: dict[str, int] = field(default_factory=dict)
    """Values by field, whatever the reason."""
    kept_back: dict[str, int] = field(default_factory=dict)
    removed_by_rules: dict[str, int] = field(default_factory=dict)
    """People by rule; and those of them whom the plan takes off."""
    starts: dict[tuple[int, int], int] = field(default_factory=dict)
    segment_rows: dict[int, int] = field(default_factory=dict)
    filled: dict[tuple[int, str], int] = field(default_factory=dict)
    texts: dict[tuple[int, str], int] = field(default_factory=dict)
    """Rows by segment and column whose cell is not empty, and whose cell is a text that writers put for nothing."""
    files: list[tuple[Kind, int, DataFile]] = field(default_factory=list)
    refused_files: list[DataFile] = field(default_factory=list)
    left_out_files: list[DataFile] = field(default_factory=list)
    kept_back_files: list[DataFile] = field(default_factory=list)
    newly_known: dict[int, DataFile] = field(default_factory=dict)
    recognisable: dict[int, DataFile] = field(default_factory=dict)
    known_before: dict[int, DataFile] = field(default_factory=dict)
    """By part."""
    ids: dict[str, int] = field(default_factory=dict)
    """What the guards look at, by the names of `IdFacts`."""

    def balance(self) -> Balance:
        counts = {name: self.counts.get(name, 0) for name in COUNTED}
        return Balance(
            refused=dict(self.refused),
            left_out=dict(self.left_out),
            kept_back=dict(self.kept_back),
            removed_by_rules=dict(self.removed_by_rules),
            **counts,
        )


@dataclass(frozen=True, slots=True)
class Source:
    """A SELECT of the wanted columns and file_index from some files of a segment; `first_file` is the first of them.

    `excluded` is the number of the rule that keeps back whoever is in it; then the address is the only column.
    """

    sql: str
    segment: int = 0
    first_file: int = 0
    number: str = "row_number() OVER ()"
    """An expression that rises from row to row in the order of files and lines."""
    excluded: int | None = None


def staging_query(
    wish: Wish,
    sources: Sequence[Source],
    parts: int,
    first: int = 0,
    *,
    seed: int | None = None,
    unless_recognised: Path | None = None,
) -> str:
    """Rows of all sources, of which `first` come before. `n` numbers rows in the order of sources, files and lines, by
    1 within a file, and from 1 where the source's files are read in order.

    Sources are read side by side, so the rows themselves come in no order. Rows of excluded segments have their
    addresses and no values. Rows get hashes that begin with the `seed`, by which they are recognised later. In the
    place of the segment's own rows come those that `unless_recognised` has of them, which `recognising_query` wrote.
    """
    barring = [source for source in sources if source.excluded is not None]
    if unless_recognised:
        rows = recognised.others(unless_recognised, list(wish.cells.values()))
    else:
        rows = _all_numbered(wish, sources, first)
    query = _own_rows(wish, rows, parts, seed)
    return f"{query} UNION ALL BY NAME {_barring_rows(barring, parts)}" if barring else query


def recognising_query(wish: Wish, sources: Sequence[Source], parts: int, first: int = 0, *, seed: int) -> str:
    """The segment's own rows, as `staging_query` numbers them, beside whom the view `ledger` recognises by them."""
    cells = wish.cells
    judged = {column: f"trimmed_{cells[column]}" for column in wish.judged_columns}
    rows = recognised.beside(
        _all_numbered(wish, sources, first),
        list(cells.values()),
        cells[wish.address_column],
        [cells[column] for column in judged],
        seed,
        256 // parts,
    )
    trimmed = "".join(f", {sql.trimmed(cells[column])} AS {name}" for column, name in judged.items())
    person = persons.staged_cell(judged[wish.id_column] if wish.id_column else None)
    return f"SELECT * {kept_back.judged_cells(wish.rules, judged)} {person} FROM (SELECT * {trimmed} FROM ({rows}))"


def _all_numbered(wish: Wish, sources: Sequence[Source], first: int) -> str:
    own = [source for source in sources if source.excluded is None] or [_no_rows(wish)]
    return " UNION ALL ".join(_numbered(number, source) for number, source in enumerate(own, first))


def _part(parts: int) -> str:
    """SQL of the part that an address of a bucket belongs to."""
    other = addresses.has_other_domain("address")
    return f"CASE WHEN {other} THEN {RESPELLED} ELSE bucket // {256 // parts} END::SMALLINT"


def _barring_rows(sources: Sequence[Source], parts: int) -> str:
    raw = cell(0)
    rows = " UNION ALL ".join(
        f"SELECT {source.segment} AS segment, file_index + {source.first_file} AS file_index, "
        f"{source.excluded}::UTINYINT AS excluded, {raw} FROM ({source.sql})"
        for source in sources
    )
    return f"""
        SELECT 0::BIGINT AS n, segment, file_index, address, bucket, {_part(parts)} AS part, excluded
        FROM (SELECT *, {BUCKET} AS bucket
              FROM (SELECT segment, file_index, excluded, {sql.address(raw)} AS address
                    FROM (SELECT * REPLACE ({sql.trimmed(raw)} AS {raw}) FROM ({rows}))))
    """


def _no_rows(wish: Wish) -> Source:
    """So that rows of excluded segments have all columns where they are staged alone."""
    cells = "".join(f", NULL::VARCHAR AS {each}" for each in wish.cells.values())
    return Source(f"SELECT 0::INTEGER AS file_index {cells} WHERE false")


def _own_rows(wish: Wish, rows: str, parts: int, seed: int | None) -> str:
    cells = wish.cells
    raw = cells[wish.address_column]
    trimmed = ", ".join(f"{sql.trimmed(each)} AS {each}" for each in cells.values())
    hashed = recognised.hashed(list(cells.values()), seed)
    rows = f"SELECT n, segment, file_index, {raw} AS raw, {trimmed}, {hashed} FROM ({rows})"
    rows = derived.made(rows, wish.matches, cells)
    filling = derived.cells(wish.matches, cells)
    reasons = "".join(
        f", {cell_values.left_out(match, filling[i])} AS left_out_{i}" for i, match in enumerate(wish.matches)
    )
    looks = "".join(f", {_look(each)} AS look_{i}" for i, each in enumerate(cells.values()))
    rules = kept_back.judged_cells(wish.rules, cells)
    person = persons.staged_cell(cells[wish.id_column] if wish.id_column else None)
    rows = f"""
        SELECT n, segment, file_index, raw, {sql.address(raw)} AS address, row, filled,
               {cell_values.values(wish.matches, filling)} AS "values" {reasons} {looks} {rules} {person}
        FROM ({rows})
    """
    rows = f"SELECT *, {BUCKET} AS bucket, {addresses.problem('address')} AS problem FROM ({rows})"
    return f"""
        SELECT n, segment, file_index, CASE WHEN raw = address THEN NULL ELSE raw END AS raw, address, bucket,
               {_part(parts)} AS part, problem, "values", (md5_number("values") >> 64)::UBIGINT AS hash,
               false AS recognised, {recognised.of_plain(len(wish.matches), len(cells), seed)} AS row
               {"".join(f", left_out_{i}" for i in range(len(wish.matches)))}
               {"".join(f", look_{i}" for i in range(len(cells)))}
               {"".join(f", {name}" for name in wish.staged_columns)}
        FROM ({rows})
    """


def _look(cell: str) -> str:
    """What a cell is: 0 empty, 1 filled, 2 a text that writers put for nothing."""
    # Of `IN` with five texts and more DuckDB makes a join of its own for each column.
    is_text = " OR ".join(f"{cell} = {literal(text)}" for text in TEXT_FOR_NOTHING)
    return f"CASE WHEN {cell} IS NULL THEN 0 WHEN {is_text} THEN 2 ELSE 1 END::UTINYINT"


RESPELLED = -1
"""The part of rows whose address is still to be spelled as all others are, so that its part is not known yet."""


def respell(database: DuckDBPyConnection, staged: Sequence[Path], parts: int, rows: Path, spellings: Path) -> bool:
    """Write the rows of `staged` that are still to be spelled into `rows`, each with its part, and the spellings that
    changed into `spellings`; whether there are any."""
    files = f"read_parquet([{', '.join(literal(str(path)) for path in staged)}])"
    found = database.execute(f"SELECT DISTINCT address FROM {files} WHERE part = {RESPELLED}").fetchall()
    if not found:
        return False
    spelled = [(address, with_ascii_domain(address)) for (address,) in found]
    database.execute("CREATE OR REPLACE TEMP TABLE spelled (before VARCHAR, address VARCHAR)")
    database.executemany("INSERT INTO spelled VALUES ($1, $2)", spelled)
    write(database, "SELECT before FROM spelled WHERE before <> address", spellings)
    query = f"""
        SELECT * REPLACE (coalesce(raw, before) AS raw, {BUCKET} AS bucket,
                          ({BUCKET} // {256 // parts})::SMALLINT AS part, {addresses.problem("address")} AS problem)
        FROM (SELECT rows.* REPLACE (spelled.address AS address), before
              FROM {files} AS rows JOIN spelled ON rows.address = spelled.before WHERE part = {RESPELLED})
    """
    write(database, f"SELECT * EXCLUDE (before) FROM ({query})", rows)
    return True


def _numbered(number: int, source: Source) -> str:
    return f"""
        SELECT {source.number} + {number * MOST_ROWS} AS n, {source.segment} AS segment,
               * REPLACE (file_index + {source.first_file} AS file_index)
        FROM ({source.sql})
    """


def plan_part(
    database: DuckDBPyConnection,
    files: Files,
    tally: Tally,
    *,
    wish: Wish,
    staged: Sequence[Path],
    ledger_before: Ledger,
    part: int,
    parts: int,
    folder: str,
    where: Path,
    stay: Sequence[Path] = (),
    findings: Findings | None = None,
) -> None:
    """Plan the addresses of one part.

    `staged` are Parquet files with its rows; plan files go to `folder`; `stay` hold addresses that are never removed;
    `findings` are what a repair mends.
    """
    _read(database, wish, staged, part)
    first, last = buckets(part, parts)
    paths = [*ledger.load(files, database, ledger_before, first, last, where)]
    if wish.kind is RunKind.REPAIR:
        paths += found.load(files, database, findings, first, last, where)
    _count_rows(database, tally, wish)
    ids = wish.id_column is not None
    if wish.rules.limit and parts == 1:
        kept_back.begin_line(database, wish.rules.limit)
        kept_back.add_candidates(database, wish.rules, ids=ids)
        kept_back.draw_line(database, wish.rules.limit)
    kept_back.make_firsts(database, wish.rules, ids=ids)
    _decide(database, wish, stay)
    _count_steps(database, tally)
    for kind in (Kind.ADD, Kind.CHANGE, Kind.REMOVE):
        name = f"{part:03d}-{kind}.parquet"
        if file := keep(files, database, _operations(kind, wish), folder + name, where / name):
            tally.files.append((kind, part, file))
    for wanted, what, query, kept in (
        (True, "refused", _REFUSED, tally.refused_files),
        (wish.matches, "left-out", _left_out(wish), tally.left_out_files),
        (wish.keeps_back, "kept-back", _KEPT_BACK, tally.kept_back_files),
    ):
        name = f"{part:03d}-{what}.parquet"
        if wanted and (file := keep(files, database, query, folder + name, where / name)):
            kept.append(file)
    if ids:
        _count_people(database, tally)
    _keep_people(database, files, tally, wish, part, folder, where)
    database.execute("DROP TABLE firsts")
    for path in paths:
        path.unlink()


def _keep_people(
    database: DuckDBPyConnection, files: Files, tally: Tally, wish: Wish, part: int, folder: str, where: Path
) -> None:
    """Keep what a part came to know of people: by their ids, and by what the next run is to recognise them."""
    ids, learns = wish.id_column is not None, wish.kind in recognised.LEARNING
    for wanted, what, query, by_part in (
        (ids, "newly-known", persons.NEWLY_KNOWN, tally.newly_known),
        (ids, "known-before", persons.KNOWN_BEFORE, tally.known_before),
        (learns and recognised.are_many(database), "recognisable", recognised.RECOGNISABLE, tally.recognisable),
    ):
        name = f"{part:03d}-{what}.parquet"
        if wanted and (file := keep(files, database, query, folder + name, where / name)):
            by_part[part] = file


def find_candidates(database: DuckDBPyConnection, wish: Wish, staged: Sequence[Path], part: int) -> None:
    """Add the people of one of several parts to those among whom the limit's line is drawn."""
    _read(database, wish, staged, part)
    kept_back.add_candidates(database, wish.rules, ids=wish.id_column is not None)


def find_people(
    database: DuckDBPyConnection,
    files: Files,
    *,
    wish: Wish,
    staged: Sequence[Path],
    ledger_before: Ledger,
    part: int,
    parts: int,
    where: Path,
) -> None:
    """Add the people of one part to those who are known by their ids."""
    _read(database, wish, staged, part)
    paths = ledger.load(files, database, ledger_before, *buckets(part, parts), where)
    people = kept_back.people(wish.rules, ids=True)
    persons.add(database, people, barred=bool(wish.rules.exclude))
    for path in paths:
        path.unlink()


def find_earlier_addresses(
    database: DuckDBPyConnection, files: Files, ledger_before: Ledger, part: int, parts: int, where: Path
) -> None:
    """Add the addresses of one part's ledger by which joiners were known."""
    paths = ledger.load(files, database, ledger_before, *buckets(part, parts), where)
    persons.add_earlier(database)
    for path in paths:
        path.unlink()


def find_firsts(database: DuckDBPyConnection, wish: Wish, staged: Sequence[Path], part: int) -> None:
    """Make the view `staged` of a part's rows and the table `firsts` of its people, for an export without rules."""
    _read(database, wish, staged, part)
    kept_back.make_firsts(database, wish.rules)


def _read(database: DuckDBPyConnection, wish: Wish, staged: Sequence[Path], part: int) -> None:
    kept_back.make_views(database, wish.rules, _staged(staged, wish, part))
    _judge(database)


def _staged(files: Sequence[Path], wish: Wish, part: int) -> str:
    if files:
        listed = ", ".join(literal(str(path)) for path in files)
        return f"FROM read_parquet([{listed}], union_by_name = true) WHERE part = {part}"
    flags = [f"NULL::VARCHAR AS left_out_{i}" for i in range(len(wish.matches))]
    looks = [f"NULL::UTINYINT AS look_{i}" for i in range(len(wish.columns))]
    columns = _STAGED | wish.staged_columns
    empty = [f"NULL::{kind} AS {name}" for name, kind in columns.items()]
    return f"SELECT {', '.join(empty + flags + looks)} WHERE false"


_STAGED = {
    "n": "BIGINT",
    "segment": "INTEGER",
    "file_index": "INTEGER",
    "raw": "VARCHAR",
    "address": "VARCHAR",
    "bucket": "UTINYINT",
    "problem": "VARCHAR",
    '"values"': "VARCHAR",
    "hash": "UBIGINT",
    "recognised": "BOOLEAN",
    "row": "UBIGINT",
}

_WITH_VALUES = """
    SELECT staged.address, staged.bucket, staged."values", staged.hash, steps.vendor_id, steps.came_back,
           NULL::DOUBLE AS unsure_since, staged.n, staged.segment, staged.file_index, staged.row {{person}}
    FROM staged JOIN steps ON staged.n = steps.n WHERE steps.step = '{kind}'
"""

_OPERATIONS = {
    Kind.ADD: _WITH_VALUES.format(kind=Kind.ADD),
    Kind.CHANGE: _WITH_VALUES.format(kind=Kind.CHANGE),
    Kind.REMOVE: f"""
        SELECT address, bucket, '{{{{}}}}' AS "values", NULL::UBIGINT AS hash, vendor_id, false AS came_back,
               unsure_since {{person}}
        FROM steps WHERE step = '{Kind.REMOVE}'
    """,
}


_PERSON = ", steps.person, steps.moved"


def _operations(kind: Kind, wish: Wish) -> str:
    """Rows of a plan file. Where people have ids, it says whose address it is; removals also say by which rule, where
    there are rules; a repair's say when the vendor showed the person."""
    query = _OPERATIONS[kind].format(person=_PERSON if wish.id_column else "")
    if wish.kind is RunKind.REPAIR:
        query = f"SELECT planned.*, steps.shown_at FROM ({query}) AS planned JOIN steps USING (address)"
    if kind is Kind.REMOVE and wish.keeps_back:
        query = f"SELECT removed.*, firsts.rule FROM ({query}) AS removed LEFT JOIN firsts USING (address)"
    return query


_KEPT_BACK = """
    SELECT staged.n, staged.segment, staged.file_index, staged.address, firsts.rule
    FROM staged JOIN firsts ON staged.n = firsts.n WHERE firsts.rule IS NOT NULL
"""
_REFUSED = (
    "SELECT n, segment, file_index, coalesce(raw, address) AS address, problem FROM judged WHERE problem IS NOT NULL"
)


def _left_out(wish: Wish) -> str:
    """Where each value stands that was left out or cut, and why."""
    numbers = range(len(wish.matches))
    reasons = ", ".join(f"left_out_{i}" for i in numbers)
    fields = ", ".join(literal(match.field) for match in wish.matches)
    any_of_them = " OR ".join(f"left_out_{i} IS NOT NULL" for i in numbers)
    return f"""
        SELECT * FROM (SELECT n, segment, file_index, unnest([{fields}]) AS field, unnest([{reasons}]) AS why
                       FROM staged WHERE {any_of_them}) WHERE why IS NOT NULL
    """


def _judge(database: DuckDBPyConnection) -> None:
    """Make `judged`: staged rows, every doubtful address settled."""
    doubtful = database.execute(f"SELECT DISTINCT address FROM staged WHERE problem = '{addresses.DOUBTFUL}'")
    bad = list(addresses.invalid(row[0] for row in doubtful.fetchall()))
    database.execute("CREATE OR REPLACE TEMP TABLE bad (address VARCHAR)")
    if bad:
        database.execute("INSERT INTO bad SELECT unnest($1)", [bad])
    database.execute(f"""
        CREATE OR REPLACE TEMP VIEW judged AS SELECT * REPLACE (
            CASE WHEN problem <> '{addresses.DOUBTFUL}' THEN problem
                 WHEN problem IS NOT NULL AND address IN (FROM bad) THEN '{addresses.INVALID}' END AS problem)
        FROM staged
    """)


def _count_rows(database: DuckDBPyConnection, tally: Tally, wish: Wish) -> None:
    sums = "".join(f", count(left_out_{i})" for i in range(len(wish.matches)))
    total, *left_out = _row(database, f"SELECT count(*) {sums} FROM staged")
    _add(tally.counts, "rows_read", total)
    for match, count in zip(wish.matches, left_out, strict=True):
        if count:
            _add(tally.left_out, match.field, count)
    for problem, count in _all(database, "SELECT problem, count(*) FROM judged WHERE problem IS NOT NULL GROUP BY 1"):
        _add(tally.refused, problem, count)
    columns = wish.columns
    looks = "".join(f", count_if(look_{i} > 0), count_if(look_{i} = 2)" for i in range(len(columns)))
    places = f"SELECT segment, file_index, min(n), count(*) {looks} FROM staged GROUP BY 1, 2"
    for segment, file, start, count, *looked in _all(database, places):
        key = (segment, file)
        tally.starts[key] = min(start, tally.starts.get(key, start))
        _add(tally.segment_rows, segment, count)
        for column, filled, texts in zip(columns, looked[::2], looked[1::2], strict=True):
            _add(tally.filled, (segment, column), filled)
            _add(tally.texts, (segment, column), texts)
    if wish.rules.exclude:
        _count_barring_rows(database, tally)


def _count_barring_rows(database: DuckDBPyConnection, tally: Tally) -> None:
    counted = "SELECT segment, count(*), count_if(address <> '') FROM all_staged WHERE excluded IS NOT NULL GROUP BY 1"
    for segment, rows, filled in _all(database, counted):
        _add(tally.segment_rows, segment, rows)
        _add(tally.filled, (segment, BARRING), filled)


HELD_OUT_AND_THERE = "held out and there"
"""People of the holdout who are on the list and whom nobody takes off."""
_LEFT = transitions.PlanStep.LEFT
BARRING = ""
"""Stands for the address column of an excluded segment, whatever it is called."""


def _decide(database: DuckDBPyConnection, wish: Wish, stay: Sequence[Path]) -> None:
    """Make `steps`: one row per address of the part that is in the segment or in the ledger, without the unchanged ones
    where nobody asks whose addresses they are."""
    inside, outside = transitions.rules(wish.kind, wish.mode)
    repairs = wish.kind is RunKind.REPAIR
    known = _LEDGER_AND_FOUND if repairs else "ledger"
    shown_at = f", CASE WHEN ledger.what <> '{What.MISSING}' THEN ledger.at END AS shown_at" if repairs else ""
    ids = wish.id_column is not None
    steps = f"""
        SELECT wanted.n AS n, coalesce(wanted.address, ledger.address) AS address,
               coalesce(wanted.bucket, ledger.bucket) AS bucket, ledger.vendor_id AS vendor_id,
               ledger.removed_at IS NOT NULL AS came_back,
               CASE WHEN ledger.status = 'maybe' THEN epoch(ledger.changed_at) END AS unsure_since,
               CASE WHEN wanted.recognised THEN '{transitions.PlanStep.UNCHANGED}'
                    WHEN wanted.n IS NULL THEN {transitions.case(outside)}
                    ELSE {transitions.case(inside)} END AS step {shown_at}
               {persons.STEP_COLUMNS if ids else ""}
        FROM (SELECT staged.n, staged.address, staged.bucket, staged.hash AS wanted_hash, staged.recognised
                     {", firsts.person" if ids else ""}
              FROM staged JOIN firsts ON staged.n = firsts.n WHERE firsts.rule IS NULL) AS wanted
        FULL JOIN {known} ON wanted.address = ledger.address
        {"LEFT JOIN firsts AS inside ON inside.address = ledger.address" if ids else ""}
    """
    kept = steps if ids else f"FROM ({steps}) WHERE step <> '{transitions.PlanStep.UNCHANGED}'"
    database.execute(f"CREATE OR REPLACE TEMP TABLE steps AS {kept}")
    for path in stay:
        database.execute(f"""
            UPDATE steps SET step = '{transitions.PlanStep.LEFT}'
            WHERE step = '{Kind.REMOVE}' AND address IN (FROM read_parquet({literal(str(path))}))
        """)


_LEDGER_AND_FOUND = """
    (SELECT coalesce(kept.address, found.address) AS address, coalesce(kept.bucket, found.bucket) AS bucket,
            kept.* EXCLUDE (address, bucket), found.what, found.at
     FROM ledger AS kept FULL JOIN found ON kept.address = found.address) AS ledger
"""


def _count_steps(database: DuckDBPyConnection, tally: Tally) -> None:
    (duplicates,) = _row(database, "SELECT coalesce(sum(copies - 1), 0) FROM firsts")
    _add(tally.counts, "duplicates", duplicates)
    for step, count in _all(database, "SELECT step, count(*) FROM steps GROUP BY 1"):
        _add(tally.counts, step, count)
    unchanged = "(SELECT count(*) FROM firsts WHERE rule IS NULL) - (SELECT count(*) FROM steps WHERE n IS NOT NULL)"
    _add(tally.counts, transitions.PlanStep.UNCHANGED, _row(database, f"SELECT {unchanged}")[0])
    kept = "SELECT rule, count(*) FROM firsts WHERE rule IS NOT NULL GROUP BY 1"
    for rule, count in _all(database, kept):
        _add(tally.kept_back, rule, count)
    removed = f"""
        SELECT rule, count(*) FROM firsts JOIN steps USING (address)
        WHERE rule IS NOT NULL AND step = '{Kind.REMOVE}' GROUP BY 1
    """
    for rule, count in _all(database, removed):
        _add(tally.removed_by_rules, rule, count)
    stays = f"SELECT count(*) FROM firsts JOIN steps USING (address) WHERE rule = '{HOLDOUT}' AND step = '{_LEFT}'"
    if there := _row(database, stays)[0]:
        _add(tally.counts, HELD_OUT_AND_THERE, there)


def _count_people(database: DuckDBPyConnection, tally: Tally) -> None:
    without, shared = _row(database, "SELECT count(*) FILTER (person IS NULL), count(*) FILTER (shared) FROM firsts")
    (moved,) = _row(database, f"SELECT count(*) FROM steps WHERE moved AND step = '{Kind.REMOVE}'")
    for name, count in (("without_id", without), ("shared_addresses", shared), ("moved", moved)):
        _add(tally.counts, name, count)


def _add(counts: dict[Any, int], name: Any, count: Any) -> None:
    counts[name] = counts.get(name, 0) + int(count)


def _row(database: DuckDBPyConnection, query: str) -> tuple[Any, ...]:
    found = database.execute(query).fetchone()
    assert found is not None
    return found


def _all(database: DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return database.execute(query).fetchall()
