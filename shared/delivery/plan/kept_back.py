"""Who of a segment is kept back by the export's rules: rules as SQL, and the tables that planning a part needs.

staged      rows of the segment, with the first requirement that each does not meet, and what the limit orders by
barred      addresses of excluded segments
firsts      a row for each person: the first row's number, how many there are, and the `rule` that keeps them back
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from shared.catalog.holdout import HOLDOUT, Holdout
from shared.catalog.rules import LIMIT, ComesFirst, Limit, ReadAs, Require, Rules, excluded, required
from shared.delivery.plan import cell_values
from shared.delivery.plan.drift import TEXT_FOR_NOTHING
from shared.delivery.sql import literal

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

_PLACES: Mapping[ReadAs, tuple[str, Callable[[str], str]]] = {
    ReadAs.NUMBER: ("DOUBLE", cell_values.as_number),
    ReadAs.DATE: ("BIGINT", cell_values.as_moment),
    ReadAs.TEXT: ("VARCHAR", str),
}
"""Type, and SQL over a trimmed cell, of what people are ordered by."""
_KEY = "md5_number(address)"
"""What orders equals: neither the order of rows nor the alphabet."""


def staged_columns(rules: Rules) -> dict[str, str]:
    """Columns, with their types, that rows are staged with because of rules."""
    return {
        **({"unmet": "UTINYINT"} if rules.require else {}),
        **({"place": _PLACES[rules.limit.read_as][0]} if rules.limit else {}),
        **({"excluded": "UTINYINT"} if rules.exclude else {}),
    }


def judged_cells(rules: Rules, cells: Mapping[str, str]) -> str:
    """What a row of the segment is staged with, over its trimmed cells."""
    pieces = [f"{_unmet(rules, cells)} AS unmet"] if rules.require else []
    if rules.limit:
        kind, place = _PLACES[rules.limit.read_as]
        pieces.append(f"({place(cells[rules.limit.by])})::{kind} AS place")
    pieces += ["NULL::UTINYINT AS excluded"] if rules.exclude else []
    return "".join(f", {piece}" for piece in pieces)


def _unmet(rules: Rules, cells: Mapping[str, str]) -> str:
    """The number of the first requirement that a row does not meet, NULL where it meets them all."""
    cases = (
        f"WHEN NOT coalesce({_is_met(rule, cells[rule.column])}, false) THEN {number}"
        for number, rule in enumerate(rules.require)
    )
    return f"CASE {' '.join(cases)} END::UTINYINT"


def _is_met(rule: Require, cell: str) -> str:
    if not rule.one_of:
        return f"{cell} NOT IN ({', '.join(map(literal, TEXT_FOR_NOTHING))})"
    return f"lower({cell}) IN ({', '.join(f'lower({literal(value)})' for value in rule.one_of)})"


def make_views(database: DuckDBPyConnection, rules: Rules, rows: str) -> None:
    """Make the views `staged` and `barred` over a query of a part's staged rows."""
    if not rules.exclude:
        database.execute(f"CREATE OR REPLACE TEMP VIEW staged AS {rows}")
        return
    database.execute(f"CREATE OR REPLACE TEMP VIEW all_staged AS {rows}")
    database.execute("CREATE OR REPLACE TEMP VIEW staged AS FROM all_staged WHERE excluded IS NULL")
    database.execute("""
        CREATE OR REPLACE TEMP VIEW barred AS
        SELECT address, min(excluded) AS excluded FROM all_staged WHERE excluded IS NOT NULL GROUP BY address
    """)


def make_firsts(database: DuckDBPyConnection, rules: Rules, *, ids: bool = False) -> None:
    """Make the table `firsts` from `judged`. Needs the limit's line where there is a limit, see `draw_line`, and what
    `persons` makes where people have ids."""
    people = _people(rules, ids=ids)
    if rules.limit:
        beyond = f"rule IS NULL AND {_beyond(rules.limit)}"
        people = f"""
            SELECT people.* EXCLUDE (place) REPLACE (CASE WHEN {beyond} THEN '{LIMIT}' ELSE rule END AS rule)
            FROM ({people}) AS people LEFT JOIN line ON true
        """
    if rules.holdout:
        held = f"rule IS NULL AND {_is_held_out(rules.holdout)}"
        people = f"SELECT * REPLACE (CASE WHEN {held} THEN '{HOLDOUT}' ELSE rule END AS rule) FROM ({people})"
    database.execute(f"CREATE OR REPLACE TEMP TABLE firsts AS {people}")


def _is_held_out(holdout: Holdout) -> str:
    """As `Holdout.holds`."""
    return f"('0x' || left(md5({literal(holdout.name + ':')} || address), 8))::UBIGINT < {holdout.below}"


def _people(rules: Rules, *, ids: bool) -> str:
    """A row for each address, with the rule that keeps it back before the limit does."""
    if not ids:
        return people(rules)
    return f"""
        SELECT people.* REPLACE (coalesce(people.rule, second_addresses.rule) AS rule)
        FROM ({people(rules, ids=True)}) AS people LEFT JOIN second_addresses USING (n)
    """


def people(rules: Rules, *, ids: bool = False) -> str:
    """A row for each address, with the rule that keeps it back by itself; with `ids`, whose it is. An address that
    several people have is always the same one's, whatever the order of rows."""
    of_rows = "address, min(n) AS n, count(*) AS copies"
    if rules.require:  # one row that does not meet it is enough
        of_rows += ", min(unmet) AS unmet"
    if rules.limit:
        of_rows += ", arg_min_null(place, n) AS place"
    if ids:
        of_rows += ", min(person) AS person, min(person) <> max(person) AS shared"
    found = f"SELECT {of_rows} FROM judged WHERE problem IS NULL GROUP BY address"
    others = (", place" if rules.limit else "") + (", person, shared" if ids else "")
    if ids:
        others += f", {_is_held_out(rules.holdout) if rules.holdout else 'false'} AS held_out"
    joined = "LEFT JOIN barred USING (address)" if rules.exclude else ""
    return f"SELECT address, n, copies, {_rule(rules)} AS rule{others} FROM ({found}) {joined}"


def _rule(rules: Rules) -> str:
    cases = [f"WHEN excluded = {number} THEN '{excluded(number)}'" for number, _ in enumerate(rules.exclude)]
    cases += [f"WHEN unmet = {number} THEN '{required(number)}'" for number, _ in enumerate(rules.require)]
    return f"CASE {' '.join(cases)} END" if cases else "NULL::VARCHAR"


def begin_line(database: DuckDBPyConnection, limit: Limit) -> None:
    """Make the table `candidates`, which parts fill."""
    kind = _PLACES[limit.read_as][0]
    database.execute(f"CREATE OR REPLACE TEMP TABLE candidates (place {kind}, key UHUGEINT)")
    database.execute(f"CREATE OR REPLACE TEMP TABLE moving (n BIGINT, place {kind}, key UHUGEINT)")


def add_candidates(database: DuckDBPyConnection, rules: Rules, *, ids: bool = False) -> None:
    """Add the people of a part, made of `judged`, whom no other rule keeps back."""
    left = f"SELECT n, place, {_KEY} AS key FROM ({_people(rules, ids=ids)}) WHERE rule IS NULL"
    database.execute(f"INSERT INTO candidates SELECT place, key FROM ({left})")
    if ids:
        database.execute(f"INSERT INTO moving FROM ({left}) WHERE n IN (SELECT n FROM movers)")


def draw_line(database: DuckDBPyConnection, limit: Limit) -> None:
    """Make the table `line`: the first of the candidates who is too many, no row where all may come. Whoever comes
    after it does not move."""
    way = "DESC" if limit.order is ComesFirst.GREATEST else "ASC"
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE line AS SELECT place AS line_place, key AS line_key
        FROM candidates ORDER BY place {way} NULLS LAST, key LIMIT 1 OFFSET {limit.first}
    """)
    database.execute("DROP TABLE candidates")
    if database.execute("SELECT count(*) > 0 FROM moving").fetchall()[0][0]:
        beyond = f"SELECT n FROM moving JOIN line ON true WHERE {_beyond(limit, 'key')}"
        database.execute(f"DELETE FROM movers WHERE n IN ({beyond})")


def drawn_line(database: DuckDBPyConnection) -> tuple[str | None, str | None]:
    """Place and key of the table `line` as texts, None twice where all may come."""
    return database.execute("SELECT line_place::VARCHAR, line_key::VARCHAR FROM line").fetchone() or (None, None)


def make_line(database: DuckDBPyConnection, limit: Limit, place: str | None, key: str | None) -> None:
    """Make the table `line` of what `drawn_line` said."""
    kind = _PLACES[limit.read_as][0]
    database.execute(
        f"""
        CREATE OR REPLACE TEMP TABLE line AS
        SELECT $1::VARCHAR::{kind} AS line_place, $2::VARCHAR::UHUGEINT AS line_key WHERE $2 IS NOT NULL
        """,
        [place, key],
    )


def _beyond(limit: Limit, key: str = _KEY) -> str:
    """Whether somebody comes at the line or after it; false where there is no line."""
    after = "<" if limit.order is ComesFirst.GREATEST else ">"
    equal = f"{key} >= line_key"
    return f"""
        CASE WHEN line_key IS NULL THEN false
             WHEN place IS NULL THEN line_place IS NOT NULL OR {equal}
             ELSE coalesce(place {after} line_place OR (place = line_place AND {equal}), false) END
    """
