"""Who is on the lists of one connection and not on those of another, and why: from both ledgers, and from what the last
run there wrote of people whom it did not deliver. Nothing of it is kept."""

from __future__ import annotations

import shutil
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from shared.catalog.models import Export
from shared.catalog.targets import target_name
from shared.cloud.cloud import Cloud
from shared.delivery.lookups import last_reasons
from shared.delivery.sql import harmless, literal
from shared.delivery.state import ledger, lookup
from shared.delivery.state.files import Files
from shared.delivery.state.records import ENDED, WELL, Run, State
from shared.delivery.state.runs import Runs
from shared.delivery.state.scratch import folder, scratch
from shared.delivery.state.transitions import RunKind
from shared.errors import RetryAfter, Unprocessable
from shared.wording import Message, read, say

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

MOST_ROWS = 100_000
"""People in a file: it is made while somebody waits."""
LOOK_SECONDS, WAIT_SECONDS = 90.0, 20.0
"""For one way: a page looks both ways, and an answer of Azure Functions takes 230 seconds at most."""
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


_turn = threading.Lock()


@dataclass(frozen=True, slots=True)
class _There:
    """What is known of the runs of the other export: why whoever was never delivered was not, and the last run that
    brought its lists up to date."""

    not_yet: Message
    whole: Run | None


def compare(cloud: Cloud, here: Export, there: Export) -> Comparison:
    """Who is on the lists of `here` and not on those of `there`. Raises Blocked where a ledger is damaged, RetryAfter
    where others compare, and Unprocessable where it takes too long for an answer."""
    found, known = Comparison(), _there(cloud, there)
    with _in_turn() as ends:
        for number in range(len(here.targets)):
            told = last_reasons.words(cloud, known.whole, number)
            for opened in _parts(cloud, here, there, number, known, ends):
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
    with folder() as where:
        path = where / "people.csv"
        with _in_turn() as ends:
            _write(cloud, here, there, path, ends)
        yield path


def _write(cloud: Cloud, here: Export, there: Export, path: Path, ends: float) -> None:
    left, known, piece = MOST_ROWS, _there(cloud, there), path.with_name("piece.csv")
    with path.open("wb") as file:
        file.write(FIRST_LINE)
        for number, target in enumerate(here.targets):
            for opened in _parts(cloud, here, there, number, known, ends):
                rows = _lines(target_name(target), known, left)
                made = opened.execute(f"COPY ({rows}) TO {literal(str(piece))} (FORMAT csv, HEADER false)")
                left -= (made.fetchone() or (0,))[0]
                with piece.open("rb") as lines:
                    shutil.copyfileobj(lines, file)
                if not left:
                    return


@contextmanager
def _in_turn() -> Iterator[float]:
    """When to end. One after the other in a process: each may fill the memory of a database."""
    if not _turn.acquire(timeout=WAIT_SECONDS):
        raise RetryAfter(WAIT_SECONDS, say("Somebody else is comparing lists: try again in a minute."))
    try:
        yield time.monotonic() + LOOK_SECONDS
    finally:
        _turn.release()


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


def _parts(
    cloud: Cloud, here: Export, there: Export, number: int, known: _There, ends: float
) -> Iterator[DuckDBPyConnection]:
    """For each part of a ledger: a database with the table `here`, who is on the list, and the view `missing`, those of
    them who are not on the other list, with what is known of why."""
    mine, other = _ledger(cloud, here, number), _ledger(cloud, there, number)
    files = Files(cloud.blobs)
    with scratch(cloud.settings) as room:
        told = last_reasons.rows(cloud, known.whole, number, room)
        for part in mine.files:
            if time.monotonic() > ends:
                raise Unprocessable(
                    "too_many_members",
                    say("The lists are too large to be compared at once: their events tell it in SQL."),
                )
            with folder() as where, room.database() as opened:
                near, far = where / "here", where / "there"
                near.mkdir()
                far.mkdir()
                ledger.load(files, opened, mine, part.first, part.last, near)
                opened.execute(f"CREATE TEMP TABLE here AS SELECT address FROM ledger WHERE status IN {_ON_LIST}")
                ledger.load(files, opened, other, part.first, part.last, far)
                between = f"bucket BETWEEN {part.first} AND {part.last}"
                opened.execute(f"CREATE TEMP VIEW told AS SELECT * FROM ({told}) WHERE {between}")
                opened.execute(_MISSING)
                yield opened


def _ledger(cloud: Cloud, export: Export, number: int) -> ledger.Ledger:
    known = lookup.target(cloud, export, number)
    return ledger.read(cloud.blobs, known.ledger, committed=ledger.Commit.of(known.memory))


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
