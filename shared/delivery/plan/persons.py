"""People by the id that a column of the segment gives them: who has several addresses, and who moved to another one.

A person's addresses lie in different parts, so all parts are looked at before the first is planned:

known             an address of a person: in the segment (`own`), or in the ledger only
several           people with more than one of them, with the address that they are delivered at
second_addresses  rows of the segment that are kept back for the person's sake
movers            people who are in the segment, and have an address on the list that is not
joiners           people who are about to join at an address, and were known by another one
earlier           addresses that joiners were known by
taken             people whose address in the ledger is another person's now, and who are in the segment still
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.catalog.rules import Rules, reasons
from shared.delivery.plan.drift import TEXT_FOR_NOTHING
from shared.delivery.sql import literal
from shared.wording import Message, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

SECOND_ADDRESS = "second_address"
"""The name of the rule that a person has one address on a list."""
MOST_EARLIER = 20
"""Addresses of a person, the latest, that are looked at before they join at another one."""

TABLES = {
    "second_addresses": "n BIGINT, rule VARCHAR",
    "movers": "person UBIGINT, n BIGINT",
    "earlier": "person UBIGINT, address VARCHAR, vendor_id VARCHAR, refused BOOLEAN",
    "taken": "person UBIGINT",
}
"""Those that planning a part needs, with their columns."""

_ON_LIST = "status IN ('member', 'maybe')"
_BEYOND = 1 << 60
"""Beyond the numbers of all rows."""
_PLACE = f"n + CASE WHEN {_ON_LIST} THEN 0 WHEN status = 'refused' THEN 2 ELSE 1 END * {_BEYOND}"
"""The least is the address that a person is delivered at."""
_STAGED = {"person": "UBIGINT"}


@dataclass(frozen=True, slots=True)
class IdFacts:
    """What the guard looks at: addresses that are in the segment still and whose person was known; those of them that
    have the id of somebody else now, who is in the segment too."""

    compared: int = 0
    exchanged: int = 0


NO_IDS = IdFacts()


def all_reasons(rules: Rules, id_column: str | None) -> dict[str, Message]:
    """Name of a rule -> why it keeps somebody back."""
    return reasons(rules) | ({SECOND_ADDRESS: say("The person is delivered at another address.")} if id_column else {})


def staged_columns(id_column: str | None) -> dict[str, str]:
    """Columns, with their types, that rows are staged with because of ids."""
    return _STAGED if id_column else {}


def staged_cell(cell: str | None) -> str:
    """What a row of the segment is staged with, over the trimmed cell of the id: a number made of it, NULL for none."""
    if cell is None:
        return ""
    texts = ", ".join(map(literal, TEXT_FOR_NOTHING))
    return f", CASE WHEN {cell} NOT IN ({texts}) THEN (md5_number({cell}) >> 64)::UBIGINT END AS person"


def begin(database: DuckDBPyConnection) -> None:
    """Make the table `known`, which parts fill."""
    database.execute(
        "CREATE OR REPLACE TEMP TABLE known "
        "(person UBIGINT, n BIGINT, rule VARCHAR, own BOOLEAN, recorded BOOLEAN, status VARCHAR, held_out BOOLEAN)"
    )


def add(database: DuckDBPyConnection, people: str, *, barred: bool) -> None:
    """Add the people of a part: of a query of people with the rule that keeps them back, and of the view `ledger`.

    `barred`: there is a view of that name, of addresses in excluded segments, where the ledger's may be too.
    """
    excluded = "'exclude/' || barred.excluded" if barred else "NULL"
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE pairs AS
        SELECT people.person AS person, ledger.person AS before, people.n, people.rule, people.held_out,
               {excluded} AS excluded,
               CASE WHEN ledger.status = 'refused' AND ledger.retry = 'next run' THEN NULL
                    ELSE ledger.status END AS status
        FROM ({people}) AS people FULL JOIN ledger ON people.address = ledger.address
        {"LEFT JOIN barred ON barred.address = ledger.address" if barred else ""}
        WHERE people.person IS NOT NULL OR ledger.person IS NOT NULL
    """)
    database.execute("""
        INSERT INTO known
        SELECT person, n, rule, true, coalesce(before = person, false), status, held_out
        FROM pairs WHERE person IS NOT NULL
        UNION ALL
        SELECT before, n, excluded, false, true, status, false FROM pairs
        WHERE before IS NOT NULL AND before IS DISTINCT FROM person
    """)
    database.execute("DROP TABLE pairs")


def conclude(database: DuckDBPyConnection, names: Iterable[str]) -> IdFacts:
    """Make the tables of this module's head but `earlier`, from `known`. `names` are the rules' in their order.

    One address that a rule keeps back keeps back the person. Else a person is delivered at the address that is on the
    list, and of several at the first one in the segment; one that the vendor refused, and not only for now, comes last.
    """
    order = ", ".join(map(literal, names)) or "''"
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE several AS
        SELECT person, bool_or(own) AS inside, min(list_position([{order}], rule)) AS barred,
               min({_PLACE}) FILTER (own AND rule IS NULL) AS place,
               bool_or(NOT own AND n IS NULL AND {_ON_LIST}) AS leaves
        FROM known GROUP BY person HAVING count(*) > 1
    """)
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE chosen AS
        SELECT person, leaves, place % {_BEYOND} AS n FROM several WHERE barred IS NULL AND place IS NOT NULL
    """)
    database.execute(f"""
        CREATE OR REPLACE TEMP TABLE second_addresses AS
        SELECT known.n, coalesce([{order}][several.barred], '{SECOND_ADDRESS}') AS rule
        FROM known JOIN several USING (person) LEFT JOIN chosen USING (person)
        WHERE known.own AND known.rule IS NULL AND (chosen.n IS NULL OR known.n <> chosen.n)
    """)
    database.execute("""
        CREATE OR REPLACE TEMP TABLE movers AS
        SELECT person, n FROM chosen WHERE leaves AND n NOT IN (SELECT n FROM known WHERE own AND held_out)
    """)
    database.execute("""
        CREATE OR REPLACE TEMP TABLE joiners AS
        SELECT DISTINCT chosen.person FROM chosen
        JOIN known AS new ON new.person = chosen.person AND new.own AND new.n = chosen.n
        JOIN known AS old ON old.person = chosen.person AND old.recorded AND NOT (old.own AND old.n = chosen.n)
        WHERE new.status IS DISTINCT FROM 'member'
    """)
    database.execute(f"CREATE OR REPLACE TEMP TABLE earlier ({TABLES['earlier']})")
    database.execute("""
        CREATE OR REPLACE TEMP TABLE taken AS
        SELECT DISTINCT person FROM known JOIN several USING (person)
        WHERE several.inside AND NOT known.own AND known.n IS NOT NULL
    """)
    found = database.execute("""
        SELECT count(*) FILTER (own AND recorded OR NOT own AND n IS NOT NULL),
               count(*) FILTER (NOT own AND n IS NOT NULL AND person IN (FROM taken)) FROM known
    """).fetchone()
    assert found is not None
    for table in ("known", "several", "chosen"):
        database.execute(f"DROP TABLE {table}")
    return IdFacts(*map(int, found))


def has_joiners(database: DuckDBPyConnection) -> bool:
    """Whether anybody's earlier addresses are wanted."""
    return bool(database.execute("SELECT count(*) > 0 FROM joiners").fetchall()[0][0])


def add_earlier(database: DuckDBPyConnection) -> None:
    """Add the addresses by which joiners were known, of the view `ledger` of a part."""
    database.execute(f"""
        INSERT INTO earlier
        SELECT person, address, vendor_id, status = 'refused' AND retry = 'never'
        FROM ledger WHERE person IN (FROM joiners)
        QUALIFY row_number() OVER (PARTITION BY person ORDER BY changed_at DESC, address) <= {MOST_EARLIER}
    """)


KNOWN_BEFORE = """
    SELECT steps.n, earlier.address, earlier.vendor_id, earlier.refused
    FROM earlier JOIN steps ON earlier.person = steps.wanted_person AND earlier.address <> steps.address
    WHERE steps.step = 'add'
"""
"""Of those who are added, the addresses that they were known by. Needs the part's `steps`."""

NEWLY_KNOWN = """
    SELECT address, person FROM steps
    WHERE known AND step NOT IN ('add', 'change', 'remove') AND person IS DISTINCT FROM person_before
"""
"""Addresses of the ledger whose person the segment tells, and no operation does. Needs the part's `steps`."""

_TOLD = "coalesce(wanted.person, inside.person)"

STEP_COLUMNS = f""",
    wanted.person AS wanted_person, ledger.person AS person_before, ledger.address IS NOT NULL AS known,
    CASE WHEN ledger.person IS NULL OR ({_TOLD} IS NOT NULL AND ledger.person NOT IN (FROM taken))
         THEN {_TOLD} ELSE ledger.person END AS person,
    coalesce(CASE WHEN wanted.person IS NOT NULL THEN wanted.person IN (SELECT person FROM movers)
                  ELSE ledger.person IN (SELECT person FROM movers) AND inside.address IS NULL END, false) AS moved
"""
"""What a step says of the person: whom the ledger is to name, and whether somebody moves to the address, or away from
it. `inside` is the address's row of `firsts`."""
