"""Runs and deliveries in Table Storage: start, read, save, end. Every write is conditional on what was read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from shared.cloud.tables import Delete, Insert, Replace, Table
from shared.delivery import announcing
from shared.delivery.records import ACTIVE, ENDED, Delivery, Run, State, Step, delivery_key, now, run_key
from shared.delivery.verdicts import Verdict
from shared.errors import Conflict

Record = TypeVar("Record", Run, Delivery)

MOST_TARGETS = 90
"""Deliveries of a run: they start in one transaction, which holds 100 rows at the most."""

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

    def active(self, export: str) -> Versioned[Run] | None:
        """The export's active run."""
        pointer = self._table.get(export, ACTIVE)
        return self.run(export, str(pointer.entity["run"])) if pointer else None

    def start(self, run: Run, deliveries: Sequence[Delivery]) -> None:
        """Make the run, its deliveries and the active row, all or nothing. Raises Conflict where a run is active."""
        pointer = {"PartitionKey": run.export, "RowKey": ACTIVE, "run": run.run}
        rows = [pointer, run.entity(), *(delivery.entity() for delivery in deliveries)]
        self._table.transaction(run.export, [*(Insert(row) for row in rows), announcing.started(run)])

    def run(self, export: str, run: str) -> Versioned[Run] | None:
        stored = self._table.get(export, run_key(run))
        return Versioned(Run.of(stored.entity), stored.etag) if stored else None

    def delivery(self, export: str, run: str, index: int) -> Versioned[Delivery] | None:
        stored = self._table.get(export, delivery_key(run, index))
        return Versioned(Delivery.of(stored.entity), stored.etag) if stored else None

    def deliveries(self, export: str, run: str) -> list[Versioned[Delivery]]:
        prefix = f"delivery:{run}:"
        rows = self._table.query(export, first=prefix, last=prefix + "~")
        return [Versioned(Delivery.of(row.entity), row.etag) for row in rows]

    def history(self, export: str, *, after: str = "") -> Iterator[Run]:
        """Runs, newest first; with `after` (a run's id) those older than it."""
        first = run_key(after) + "\x01" if after else "run:"
        for row in self._table.query(export, first=first, last="run:~"):
            yield Run.of(row.entity)

    def active_runs(self) -> Iterator[Versioned[Run]]:
        """The active run of every export."""
        for pointer in self._table.scan("RowKey eq @row", {"row": ACTIVE}):
            if found := self.run(str(pointer.entity["PartitionKey"]), str(pointer.entity["run"])):
                yield found

    def save(self, held: Versioned[Record], **changes: Any) -> Versioned[Record]:
        """Write a record with changes. Raises Conflict where it is not as it was read."""
        changed = replace(held.value, **changes)
        return Versioned(changed, self._table.replace(changed.entity(), held.etag))

    def verified(self, run: Run, held: Versioned[Delivery], **changes: Any) -> None:
        """Write what was found at the vendor, with a notice where it differs. Raises Conflict as `save` does."""
        changed = replace(held.value, **changes)
        told = [announcing.differs(run, changed, now())] if _newly_differs(held.value, changed) else []
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
        try:
            if state in ENDED:
                return self._end(held, state, deliveries)
            if state is State.BLOCKED and state is not held.value.state:
                blocked = replace(held.value, state=state, message=_message(deliveries, state))
                return self._announced(held, blocked, deliveries)
            if state is not held.value.state:
                return self.save(held, state=state, message=_message(deliveries, state)).value
        except Conflict:  # whoever was first saw the same deliveries, or newer ones and will be called again
            again = self.run(export, run)
            return again.value if again else None
        return held.value

    def _end(self, held: Versioned[Run], state: State, deliveries: Sequence[Delivery]) -> Run:
        export = held.value.export
        ended = replace(held.value, state=state, message=_message(deliveries, state), finished_at=now())
        pointer = self._table.get(export, ACTIVE)
        steps: list[Insert | Replace | Delete] = []
        if pointer and pointer.entity["run"] == ended.run:
            steps.append(Delete(ACTIVE, pointer.etag))
        return self._announced(held, ended, deliveries, steps)

    def _announced(
        self,
        held: Versioned[Run],
        changed: Run,
        deliveries: Sequence[Delivery],
        also: Sequence[Insert | Replace | Delete] = (),
    ) -> Run:
        """Write a change together with what it has to tell. Raises Conflict as `save` does."""
        trouble = self._table.get(changed.export, announcing.TROUBLE)
        told = announcing.steps(changed, deliveries, trouble, changed.finished_at or now())
        self._table.transaction(changed.export, [Replace(changed.entity(), held.etag), *also, *told])
        return changed


def overall(deliveries: Sequence[Delivery]) -> State:
    """A run's state from its deliveries': work first, then open decisions, then the worst end."""
    states = {delivery.state for delivery in deliveries}
    working = states & {State.QUEUED, State.RUNNING}
    if working:
        return State.QUEUED if states == {State.QUEUED} else State.RUNNING
    if State.BLOCKED in states:
        return State.BLOCKED
    return next((state for state in _WORST_FIRST if state in states), State.NOTHING)


def _message(deliveries: Sequence[Delivery], state: State) -> str:
    return " ".join(dict.fromkeys(each.message for each in deliveries if each.state is state and each.message))


def _newly_differs(before: Delivery, after: Delivery) -> bool:
    verdicts = [each.verification.get("verdict") for each in (before, after)]
    return verdicts[1] == Verdict.DIFFERS != verdicts[0]


def has_ended(delivery: Delivery) -> bool:
    return delivery.step is Step.DONE and delivery.state in ENDED
