"""Runs and deliveries in Table Storage: start, read, save, end. Every write is conditional on what was read."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import chain
from typing import Any, Generic, TypeVar

from shared.cloud.tables import ANY, Delete, Insert, Replace, Stored, Table
from shared.cloud.unreadable import readable
from shared.delivery.state import every_run, latest, run_notices
from shared.delivery.state.records import (
    ACTIVE,
    ENDED,
    LISTED,
    LOOKING,
    Delivery,
    Run,
    State,
    Step,
    Verdict,
    begun_before,
    delivery_key,
    listed_run,
    now,
    run_key,
)
from shared.errors import Conflict
from shared.wording import say, together

log = logging.getLogger(__name__)

Record = TypeVar("Record", Run, Delivery)

GONE = say("What is known of a delivery is gone from storage. Run the export again: it finds out what was done.")
_WORST_FIRST = (State.FAILED, State.CANCELLED, State.WARNINGS, State.SUCCEEDED, State.NOTHING)


@dataclass(frozen=True, slots=True)
class Versioned(Generic[Record]):
    """A record and the ETag that it was read with."""

    value: Record
    etag: str


class Runs:
    """The table `runs`."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def active(self, export: str, pointer_row: str = ACTIVE) -> Versioned[Run] | None:
        """The export's active run, or the dry run beside it. A row that names a run which is gone is dropped, so that
        the next one may start. Raises UnreadableRow."""
        pointer = self._table.get(export, pointer_row)
        return self._active(pointer) if pointer else None

    def start(self, run: Run, deliveries: Sequence[Delivery]) -> None:
        """Make the run, its deliveries and the active row, all or nothing. Raises Conflict where a run is active, and
        for a dry run where another one is."""
        pointer = {"PartitionKey": run.export, "RowKey": run.pointer, "run": run.run}
        rows = [pointer, run.entity(), *(delivery.entity() for delivery in deliveries)]
        self._table.transaction(run.export, [*(Insert(row) for row in rows), run_notices.started(run)])
        self._list(run)

    def _list(self, run: Run) -> None:
        """Show it in lists of exports. Nothing is decided by them, so trouble with it fails nothing."""
        try:
            every_run.tell(self._table, run)
            latest.tell(self._table, run)
        except Exception:
            log.warning("Lists do not show the run %s of %s yet.", run.run, run.export, exc_info=True)

    def run(self, export: str, run: str) -> Versioned[Run] | None:
        """Raises UnreadableRow, like the next."""
        stored = self._table.get(export, run_key(run))
        return Versioned(Run.of(stored.entity), stored.etag) if stored else None

    def delivery(self, export: str, run: str, index: int) -> Versioned[Delivery] | None:
        stored = self._table.get(export, delivery_key(run, index))
        return Versioned(Delivery.of(stored.entity), stored.etag) if stored else None

    def deliveries(self, export: str, run: str) -> list[Versioned[Delivery]]:
        prefix = f"delivery:{run}:"
        rows = self._table.query(export, first=prefix, last=prefix + "~")
        return [Versioned(Delivery.of(row.entity), row.etag) for row in rows]

    def history(self, export: str, *, after: str = "", at_once: int | None = None) -> Iterator[Run]:
        """Runs that can be read, newest first; with `after` (a run's id) those older than it. A request brings
        `at_once`."""
        first = run_key(after) + "\x01" if after else "run:"
        rows = self._table.query(export, first=first, last="run:~", at_once=at_once)
        yield from readable(rows, lambda each: Run.of(each.entity))

    def listed(
        self,
        export: str,
        *,
        after: str = "",
        since: date | None = None,
        until: date | None = None,
        where: dict[str, str] | None = None,
        at_once: int | None = None,
    ) -> Iterator[Run]:
        """As `history`, without definitions: begun from one day up to another (UTC), of which columns have the values
        of `where`."""
        older = run_key(after) + "\x01" if after else "run:"
        earlier = begun_before(until + timedelta(days=1)) if until else ""
        last = begun_before(since) if since else "run:~"
        rows = self._table.query(
            export, first=max(older, earlier), last=last, at_once=at_once, columns=LISTED, where=where
        )
        yield from readable(rows, lambda each: listed_run(each.entity))

    def deliveries_of(self, export: str, runs: Sequence[str]) -> dict[str, list[Delivery]]:
        """Run -> its deliveries, of runs that follow one another: one query."""
        if not runs:
            return {}
        rows = self._table.query(export, first=f"delivery:{min(runs)}:", last=f"delivery:{max(runs)}:~")
        found: dict[str, list[Delivery]] = {}
        for each in readable(rows, lambda row: Delivery.of(row.entity)):
            found.setdefault(each.run, []).append(each)
        return found

    def active_runs(self, exports: Iterable[str]) -> Iterator[Versioned[Run]]:
        """The active runs of these exports, and their dry runs that are under way, where they can be read."""
        rows = (self._table.query(export, first=ACTIVE, last=LOOKING + "~") for export in exports)
        yield from (run for run in readable(chain.from_iterable(rows), self._active) if run)

    def _active(self, pointer: Stored) -> Versioned[Run] | None:
        export, name = str(pointer.entity["PartitionKey"]), str(pointer.entity.get("run", ""))
        found = self.run(export, name)
        if found is None:
            log.error(
                "The active run %s of the export %s is gone; what it did is looked for by the next.", name, export
            )
            with suppress(Conflict):
                self._table.delete(export, str(pointer.entity["RowKey"]), pointer.etag)
        return found

    def save(self, held: Versioned[Record], **changes: Any) -> Versioned[Record]:
        """Write a record with changes. Raises Conflict where it is not as it was read."""
        changed = replace(held.value, **changes)
        return Versioned(changed, self._table.replace(changed.entity(), held.etag))

    def begin(self, run: Versioned[Run], held: Versioned[Delivery], **changes: Any) -> Versioned[Delivery]:
        """Write a delivery that a slice goes on with; a run that was queued runs from now on.

        Raises Conflict where the delivery is not as it was read.
        """
        if run.value.state is State.QUEUED:
            begun = replace(held.value, **changes)
            running = replace(run.value, state=State.RUNNING, message=begun.message)
            both = [Replace(begun.entity(), held.etag), Replace(running.entity(), run.etag)]
            with suppress(Conflict):  # another delivery's slice was first, or somebody cancels the run
                return Versioned(begun, self._table.transaction(begun.export, both)[0])
        saved = self.save(held, **changes)
        self.end_if_all_ended(saved.value.export, saved.value.run)
        return saved

    def finish(self, held: Versioned[Delivery], **changes: Any) -> Versioned[Delivery]:
        """Write a delivery that is over, and end its run where it was the last. Raises Conflict as `save` does."""
        saved = self._finish_alone(replace(held.value, step=Step.DONE, **changes), held.etag)
        if saved is None:
            saved = self.save(held, step=Step.DONE, **changes)
            self.end_if_all_ended(saved.value.export, saved.value.run)
        return saved

    def _finish_alone(self, done: Delivery, etag: str) -> Versioned[Delivery] | None:
        """End a delivery together with its run, of which it is the only one; None where that cannot be."""
        run = self.run(done.export, done.run)
        if run is None or run.value.state in ENDED or run.value.deliveries > 1:
            return None
        ended = _with_totals(replace(run.value, state=done.state, finished_at=now()), [done])
        # While the run is as it was read, it is the active one.
        steps = (Replace(done.entity(), etag), Delete(run.value.pointer, ANY))
        with suppress(Conflict):
            return Versioned(done, self._announced(run, ended, [done], steps)[1])
        return None

    def verified(self, run: Run, held: Versioned[Delivery], **changes: Any) -> None:
        """Write what was found at the vendor, with a notice where it differs. Raises Conflict as `save` does."""
        changed = replace(held.value, **changes)
        told = [run_notices.differs(run, changed, now())] if _newly_differs(held.value, changed) else []
        self._table.transaction(changed.export, [Replace(changed.entity(), held.etag), *told])

    def end_if_all_ended(self, export: str, run: str) -> Run | None:
        """End a run whose deliveries have all ended, or mark it blocked where only decisions are missing.

        Safe to call at any time and twice; the run as it is now, None where it is unknown.
        """
        held = self.run(export, run)
        if held is None or held.value.state in ENDED:
            return held.value if held else None
        deliveries = [each.value for each in self.deliveries(export, run)]
        state = overall(deliveries)
        if len(deliveries) < held.value.deliveries and state in ENDED:
            state, deliveries = State.FAILED, [*deliveries, *_lost(held.value, deliveries)]
        try:
            if state in ENDED:
                return self._end(held, state, deliveries)
            if state is State.BLOCKED and state is not held.value.state:
                blocked = _with_totals(replace(held.value, state=state), deliveries)
                self._announced(held, blocked, deliveries)
                return blocked
            if state is not held.value.state:
                saved = self.save(held, state=state, message=_message(deliveries, state)).value
                self._list(saved)
                return saved
        except Conflict:  # whoever was first saw the same deliveries, or newer ones and will be called again
            again = self.run(export, run)
            return again.value if again else None
        return held.value

    def _end(self, held: Versioned[Run], state: State, deliveries: Sequence[Delivery]) -> Run:
        export = held.value.export
        ended = _with_totals(replace(held.value, state=state, finished_at=now()), deliveries)
        pointer = self._table.get(export, ended.pointer)
        steps: list[Insert | Replace | Delete] = []
        if pointer and pointer.entity["run"] == ended.run:
            steps.append(Delete(ended.pointer, pointer.etag))
        self._announced(held, ended, deliveries, steps)
        return ended

    def _announced(
        self,
        held: Versioned[Run],
        changed: Run,
        deliveries: Sequence[Delivery],
        also: Sequence[Insert | Replace | Delete] = (),
    ) -> list[str]:
        """Write a change together with what it has to tell; the new ETags. Raises Conflict as `save` does."""
        trouble = self._table.get(changed.export, run_notices.TROUBLE)
        told = run_notices.steps(changed, deliveries, trouble, changed.finished_at or now())
        etags = self._table.transaction(changed.export, [Replace(changed.entity(), held.etag), *also, *told])
        self._list(changed)
        return etags


def _lost(run: Run, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Stand for the deliveries whose rows are gone, in the run's message and in what is told of it."""
    there = {each.index for each in deliveries}
    log.error("Rows of deliveries of the run %s of %s are gone from the table 'runs'.", run.run, run.export)
    return [
        Delivery(run.export, run.run, index, "", "", state=State.FAILED, step=Step.DONE, message=GONE)
        for index in range(run.deliveries)
        if index not in there
    ]


def overall(deliveries: Sequence[Delivery]) -> State:
    """A run's state from its deliveries': work first, then open decisions, then the worst end."""
    states = {delivery.state for delivery in deliveries}
    working = states & {State.QUEUED, State.RUNNING}
    if working:
        return State.QUEUED if states == {State.QUEUED} else State.RUNNING
    if State.BLOCKED in states:
        return State.BLOCKED
    return next((state for state in _WORST_FIRST if state in states), State.NOTHING)


def _with_totals(run: Run, deliveries: Sequence[Delivery]) -> Run:
    """The run with what its deliveries say together."""
    members = [each.members for each in deliveries]
    known = [number for number in members if number is not None]
    counts = Counter[str]()
    for each in deliveries:
        counts.update(each.counts)
    return replace(
        run,
        message=_message(deliveries, run.state),
        counts=dict(counts),
        members=sum(known) if members and len(known) == len(members) else None,
    )


def _message(deliveries: Sequence[Delivery], state: State) -> str:
    return together(each.message for each in deliveries if each.state is state)


def _newly_differs(before: Delivery, after: Delivery) -> bool:
    verdicts = [each.verification.get("verdict") for each in (before, after)]
    return verdicts[1] == Verdict.DIFFERS != verdicts[0]


def has_ended(delivery: Delivery) -> bool:
    return delivery.step is Step.DONE and delivery.state in ENDED
