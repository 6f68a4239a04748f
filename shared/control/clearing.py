"""Removing a connection with all of its exports: decided once, carried out a few exports at a time.

Nothing is stored beside the exports themselves: how far it is follows from what is still on the connection, so that it
goes on from there after a crash, and whoever asks again with the same decision carries it further.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pydantic import Field

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.catalog.models import Connection, Export
from shared.catalog.store import Held
from shared.control import several
from shared.control.runs import UNFINISHED, RunSummary
from shared.control.service import Service
from shared.control.several import Deed, DoneView, Order
from shared.control.views import View
from shared.delivery.state.transitions import RunKind
from shared.wording import say_many

AT_ONCE = 20
"""Exports of one step, so that a request stays short."""


class ForAll(StrEnum):
    """What becomes of all exports on a connection that goes."""

    DETACH = "detach"
    """They keep their definitions, and do not run."""
    REMOVE = "remove"
    """Their definitions are deleted; people stay on the lists."""
    WITHDRAW = "withdraw"
    """People are taken off the lists first; then the definitions are deleted."""


class Clearing(View):
    """How far it is. It is over once `removed` is true; else the same decision carries it further, until nothing is
    left, or only what `refused` names."""

    removed: bool = Field(description="The connection is gone.")
    left: int = Field(description="Exports that are still on it.")
    people: int = Field(description="People whom those added, and who are still on their lists.")
    withdrawing: int = Field(description="Exports whose people are being taken off now.")
    refused: tuple[DoneView, ...] = Field(default=(), description="Exports that need somebody, and why.")


@dataclass(frozen=True, slots=True)
class _OnIt:
    """An export on the connection: its people on lists, and its newest run."""

    export: Export
    people: int
    last: RunSummary | None

    @property
    def withdrawing(self) -> bool:
        return self._withdrawn and self.last is not None and self.last.state in UNFINISHED

    @property
    def stuck(self) -> bool:
        """Its withdrawal has ended, and people are left."""
        return self._withdrawn and not self.withdrawing and self.people > 0

    @property
    def _withdrawn(self) -> bool:
        return self.last is not None and self.last.kind is RunKind.WITHDRAW


def look(service: Service, connection: str) -> Clearing:
    """What there is to decide about. Nothing is changed."""
    return _view(_on(service, connection), ())


def step(service: Service, held: Held[Connection], caller: Person, decision: ForAll) -> Clearing:
    """Carry the decision a step further; removes the connection once no export is on it. Raises Forbidden, Conflict."""
    require(caller, Action.REMOVE_CONNECTION, held.item)
    on_it = _on(service, held.item.name)
    refused = _STEPS[decision](service, caller, on_it)
    if left := _still(service, held.item.name, on_it):
        return _view(left, refused)
    service.catalog.delete_connection(held, caller)
    return Clearing(removed=True, left=0, people=0, withdrawing=0)


def _on(service: Service, connection: str) -> list[_OnIt]:
    last = service.runs.latest()
    exports = service.catalog.exports_on(connection)
    return [_OnIt(each, sum(service.members(each).values()), last.get(each.name)) for each in exports]


def _still(service: Service, connection: str, before: Sequence[_OnIt]) -> list[_OnIt]:
    """What is left of them. People were counted before the step, which reads each list's ledger, and are not again."""
    last, people = service.runs.latest(), {each.export.name: each.people for each in before}
    exports = service.catalog.exports_on(connection)
    return [_OnIt(each, people.get(each.name, 0), last.get(each.name)) for each in exports]


def _view(on_it: Sequence[_OnIt], refused: Sequence[DoneView]) -> Clearing:
    return Clearing(
        removed=False,
        left=len(on_it),
        people=sum(each.people for each in on_it),
        withdrawing=sum(each.withdrawing for each in on_it),
        refused=tuple(refused),
    )


def _detach(service: Service, caller: Person, on_it: Sequence[_OnIt]) -> list[DoneView]:
    return _refused(service, caller, on_it, Order(Deed.DETACH))


def _remove(service: Service, caller: Person, on_it: Sequence[_OnIt]) -> list[DoneView]:
    return _refused(service, caller, on_it, Order(Deed.REMOVE, keep_members=True))


def _withdraw(service: Service, caller: Person, on_it: Sequence[_OnIt]) -> list[DoneView]:
    """Where nobody is left the export goes; a withdrawal that ended with people left is for somebody to look at."""
    stuck = [each for each in on_it if each.stuck]
    empty = [each for each in on_it if not each.people and not each.withdrawing]
    full = [each for each in on_it if each.people and not each.withdrawing and not each.stuck]
    removed = _refused(service, caller, empty, Order(Deed.REMOVE))
    started = _refused(service, caller, full, Order(Deed.WITHDRAW))
    return [*map(_unfinished, stuck), *removed, *started]


_STEPS = {ForAll.DETACH: _detach, ForAll.REMOVE: _remove, ForAll.WITHDRAW: _withdraw}


def _refused(service: Service, caller: Person, some: Sequence[_OnIt], order: Order) -> list[DoneView]:
    """Do it to the first that let it be done to them, a few at most; what the others said."""
    refused: list[DoneView] = []
    done = 0
    for each in some:
        if done == AT_ONCE:
            break
        [found] = several.carry_out(service, caller, [each.export.name], order)
        done += found.ok
        refused += [] if found.ok else [found]
    return refused


def _unfinished(each: _OnIt) -> DoneView:
    words = say_many(
        "Its withdrawal has ended with %(num)s person still on the list: look at the run, and start it again there.",
        "Its withdrawal has ended with %(num)s people still on the list: look at the run, and start it again there.",
        each.people,
    )
    return DoneView(export=each.export.name, ok=False, message=words)
