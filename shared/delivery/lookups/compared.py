"""Who is on the lists of one connection and not on those of another, and why: from both ledgers, and from what the last
run there wrote of people whom it did not deliver. Nothing of it is kept."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shared.catalog.models import Export
from shared.catalog.targets import target_name
from shared.cloud.cloud import Cloud
from shared.delivery.sql import harmless, literal
from shared.delivery.state import layout, ledger, lookup
from shared.delivery.state.files import BUCKET, Files
from shared.delivery.state.records import ENDED, WELL, Run, State
from shared.delivery.state.rejected_rows import HEADER
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import database, folder
from shared.delivery.state.transitions import RunKind
from shared.wording import Message, read, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 100_000
"""People in a file: it is made while somebody waits."""
MOST_BYTES = 200 << 20
"""Of a `rejected.csv` that is read for reasons."""
RUNS_LOOKED_AT = 50
FIRST_LINE = b"\xef\xbb\xbfaddress,list,outcome,code,reason\n"
REFUSED, REMOVED, NOT_YET = "refused", "removed", "not yet"

_WHOLE = frozenset({RunKind.DELIVERY, RunKind.FULL_RESYNC, RunKind.REBUILD})
_ON_LIST = "('member', 'maybe')"
_MISSING = f"""
    CREATE TEMP VIEW missing AS
    SELECT address,
           coalesce(told.outcome, CASE ledger.status WHEN 'refused' THEN '{REFUSED}' WHEN 'removed' THEN '{REMOVED}'
                                  ELSE '{NOT_YET}' END) AS outcome,
           coalesce(told.code, CASE WHEN told.outcome IS NULL AND ledger.status = 'refused' THEN ledger.code END, '')
               AS code,
           coalesce(told.reason, '') AS reason
    FROM here LEFT JOIN ledger USING (address) LEFT JOIN told USING (address)
    WHERE coalesce(ledger.status, '') NOT IN {_ON_LIST}
"""


class WhyMissing(NamedTuple):
    """WhyMissing people are not on a list: what became of them there, the vendor's code or the rule, and words."""

    outcome: str
    code: str
    reason: str


@dataclass
class Comparison:
    """People on the lists of one export, and of them those who are not on the other's, by reason."""

    people: int = 0
    missing: Counter[WhyMissing] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _There:
    """What is known of the runs of the other export: why whoever was never delivered was not, and the last run that
    brought its lists up to date."""

    not_yet: Message
    whole: Run | None


def compare(cloud: Cloud, here: Export, there: Export) -> Comparison:
    """Who is on the lists of `here` and not on those of `there`. Raises Blocked where a ledger is damaged."""
    found, known = Comparison(), _there(cloud, there)
    for number in range(len(here.targets)):
        told = _told(cloud, known.whole, number)
        for opened in _parts(cloud, here, there, number, known):
            counted = opened.execute("SELECT count(*) FROM here").fetchone()
            found.people += counted[0] if counted else 0
            query = "SELECT outcome, code, min(reason), count(*) FROM missing GROUP BY outcome, code"
            for outcome, code, reason, people in opened.execute(query).fetchall():
                words = told.get((outcome, code)) or _words(outcome, code, known) or reason
                found.missing[WhyMissing(outcome, code, words)] += people
    return found


@contextmanager
def people(cloud: Cloud, here: Export, there: Export) -> Iterator[Path]:
    """The same as a file of addresses, which is gone after the block: `MOST_ROWS` people at most."""
    left, known = MOST_ROWS, _there(cloud, there)
    with folder() as where:
        path, piece = where / "people.csv", where / "piece.csv"
        with path.open("wb") as file:
            file.write(FIRST_LINE)
            for number, target in enumerate(here.targets):
                for opened in _parts(cloud, here, there, number, known):
                    rows = _lines(target_name(target), known, left)
                    made = opened.execute(f"COPY ({rows}) TO {literal(str(piece))} (FORMAT csv, HEADER false)")
                    left -= (made.fetchone() or (0,))[0]
                    with piece.open("rb") as lines:
                        shutil.copyfileobj(lines, file)
        yield path


def _lines(target: str, known: _There, most: int) -> str:
    words = " ".join(
        f"WHEN '{outcome}' THEN {literal(str(_words(outcome, '', known)))}" for outcome in (REFUSED, REMOVED, NOT_YET)
    )
    return f"""
        SELECT {harmless("address")}, {harmless(literal(target))}, outcome, code,
               {harmless(f"(CASE WHEN reason <> '' THEN reason ELSE CASE outcome {words} ELSE '' END END)")}
        FROM missing ORDER BY address LIMIT {most}
    """


def _words(outcome: str, code: str, known: _There) -> Message | None:
    """What is said where the last run wrote no reason."""
    if outcome == REFUSED and code:
        return say("The vendor refused these people in an earlier run (%(code)s).", code=code)
    said = {
        REFUSED: say("The vendor refused these people in an earlier run."),
        REMOVED: say("They were on the list and were taken off."),
        NOT_YET: known.not_yet,
    }
    return said.get(outcome)


def _parts(cloud: Cloud, here: Export, there: Export, number: int, known: _There) -> Iterator[DuckDBPyConnection]:
    """For each part of a ledger: a database with the table `here`, who is on the list, and the view `missing`, those of
    them who are not on the other list, with what is known of why."""
    mine, other = _ledger(cloud, here, number), _ledger(cloud, there, number)
    files = Files(cloud.blobs)
    with folder() as kept:
        rejected = _rejected(cloud, known.whole, number, kept / "rejected.csv")
        for part in mine.files:
            with folder() as where, database(cloud.settings, where) as opened:
                near, far = where / "here", where / "there"
                near.mkdir()
                far.mkdir()
                ledger.load(files, opened, mine, part.first, part.last, near)
                opened.execute(f"CREATE TEMP TABLE here AS SELECT address FROM ledger WHERE status IN {_ON_LIST}")
                ledger.load(files, opened, other, part.first, part.last, far)
                opened.execute(_told_table(rejected, part.first, part.last))
                opened.execute(_MISSING)
                yield opened


def _ledger(cloud: Cloud, export: Export, number: int) -> ledger.Ledger:
    known = lookup.target(cloud, export, number)
    return ledger.read(cloud.blobs, known.ledger, committed=ledger.Commit.of(known.memory))


def _rejected(cloud: Cloud, run: Run | None, number: int, path: Path) -> Path | None:
    """The run's file of people who were not delivered; None where there is none, or it is too long to be read."""
    if run is None:
        return None
    name = layout.rejected(layout.delivery_folder(run.export, run.run, number))
    size = next((size for each, size in cloud.blobs.sizes(name) if each == name), 0)
    return path if 0 < size <= MOST_BYTES and cloud.blobs.fetch(name, path) else None


def _told_table(rejected: Path | None, first: int, last: int) -> str:
    """SQL for the table `told`: what a run wrote of people in a range of buckets, one row each."""
    if rejected is None:
        return "CREATE TEMP TABLE told(address VARCHAR, outcome VARCHAR, code VARCHAR, reason VARCHAR)"
    columns = ", ".join(f"{literal(name)}: 'VARCHAR'" for name in HEADER)
    source = f"""
        read_csv({literal(str(rejected))}, header = true, auto_detect = false, columns = {{{columns}}}, delim = ',',
                 quote = '"', escape = '"', parallel = false, max_line_size = 16777216)
    """
    return f"""
        CREATE TEMP TABLE told AS
        SELECT DISTINCT ON (address) * FROM (
            SELECT regexp_replace(address, '^''', '') AS address, outcome, code, reason
            FROM {source} WHERE coalesce(operation, '') <> 'remove'
        ) WHERE {BUCKET} BETWEEN {first} AND {last}
    """


def _told(cloud: Cloud, run: Run | None, number: int) -> Mapping[tuple[str, str], Message]:
    """Outcome and code -> the reason in the reader's language, from the run's report."""
    stored = cloud.blobs.read(layout.report(layout.delivery_folder(run.export, run.run, number))) if run else None
    reasons = json.loads(stored[0])["reasons"] if stored else ()
    return {(each["outcome"], each["code"]): read(each.get("message", each["reason"])) for each in reasons}


def _there(cloud: Cloud, export: Export) -> _There:
    history = [each for each in _history(cloud, export) if not each.kind.only_looks]
    whole = next((each for each in history if each.kind in _WHOLE and _committed(each)), None)
    return _There(_not_yet(next(iter(history), None), whole), whole)


def _history(cloud: Cloud, export: Export) -> Iterator[Run]:
    return islice(Runs(cloud.runs).history(export.name, at_once=RUNS_LOOKED_AT), RUNS_LOOKED_AT)


def _committed(run: Run) -> bool:
    return run.state in WELL or (run.state in ENDED and run.members is not None)


def _not_yet(newest: Run | None, whole: Run | None) -> Message:
    """WhyMissing whoever was never delivered there was not."""
    if newest is None:
        return say("Nothing has been delivered there yet.")
    at = format(newest.finished_at or newest.created_at, "%Y-%m-%d %H:%M")
    if newest.state is State.BLOCKED:
        return say("The run there of %(at)s UTC waits for a decision.", at=at)
    if newest.state not in ENDED:
        return say("The run there of %(at)s UTC is under way.", at=at)
    if newest.state not in WELL:
        return say("The last run there, of %(at)s UTC, did not deliver them: %(why)s", at=at, why=read(newest.message))
    last = whole or newest
    return say(
        "They were not in the segment when it was delivered there last, on %(at)s UTC.",
        at=format(last.finished_at or last.created_at, "%Y-%m-%d %H:%M"),
    )
