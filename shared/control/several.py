"""One thing done to several exports; each succeeds or fails by itself, and says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial

from pydantic import Field

from shared.access.actions import Action
from shared.access.audit import Change
from shared.access.person import Person
from shared.catalog.issues import NotNow
from shared.catalog.models import Export, Schedule
from shared.catalog.store import Held
from shared.control import exports
from shared.control.service import Service
from shared.control.views import View
from shared.delivery.state.transitions import RunKind
from shared.errors import Conflict, UserMustAct
from shared.wording import Said, say


class Deed(StrEnum):
    """What may be done to several at once."""

    RUN = "run"
    DRY_RUN = "dry run"
    PAUSE = "pause"
    RESUME = "resume"
    SCHEDULE = "schedule"
    WITHDRAW = "withdraw"
    DETACH = "detach"
    REMOVE = "remove"


ACTIONS: dict[Deed, Action] = {
    Deed.RUN: Action.START_RUN,
    Deed.DRY_RUN: Action.START_RUN,
    Deed.PAUSE: Action.EDIT_EXPORT,
    Deed.RESUME: Action.EDIT_EXPORT,
    Deed.SCHEDULE: Action.EDIT_EXPORT,
    Deed.WITHDRAW: Action.START_RUN,
    Deed.DETACH: Action.EDIT_EXPORT,
    Deed.REMOVE: Action.REMOVE_EXPORT,
}
"""What doing it to one export is called in the audit trail."""


class DoneView(View):
    """What became of one export."""

    export: str
    ok: bool
    message: Said = Field(description="What stood in the way.")


@dataclass(frozen=True, slots=True)
class Order:
    """What to do; `schedule` for SCHEDULE, `keep_members` for REMOVE."""

    deed: Deed
    schedule: Schedule | None = None
    keep_members: bool = False


Act = Callable[[Service, Held[Export], Person, Order], object]


def carry_out(service: Service, caller: Person, names: Sequence[str], order: Order) -> list[DoneView]:
    """Do it to each of these exports, in their order."""
    return [_one(service, caller, name, order) for name in dict.fromkeys(names)]


def run_all(service: Service, caller: Person) -> list[DoneView]:
    """Run every export that has an active schedule, each on all its connections."""
    every = [held.item for held in service.catalog.exports.all()]
    active = [each.name for each in every if is_active(each) and not each.owned_by]
    return carry_out(service, caller, active, Order(Deed.RUN))


def is_active(export: Export) -> bool:
    """Would its schedule start it?"""
    return export.schedule.kind != "manual" and not export.paused and not export.detached


def _one(service: Service, caller: Person, name: str, order: Order) -> DoneView:
    change = Change(f"export {name}", partial(service.catalog.exports.values, name), {"several": str(order.deed)})
    try:
        with service.trail.change(caller, ACTIONS[order.deed], change):
            _ACTS[order.deed](service, service.catalog.export(name), caller, order)
    except UserMustAct as error:
        return DoneView(export=name, ok=False, message=error.message)
    except Conflict:
        return DoneView(export=name, ok=False, message=say("Somebody changed it at the same time: try again."))
    return DoneView(export=name, ok=True, message="")


def _start(service: Service, held: Held[Export], caller: Person, order: Order, *, kind: RunKind) -> None:
    service.catalog.require_editor(held.item, caller, Action.START_RUN)
    started = service.begin(held.item.name, kind, by=caller.name)
    if not started.new:
        begun = format(started.run.created_at, "%Y-%m-%d %H:%M")
        raise NotNow("under_way", say("Nothing was started: its run of %(at)s UTC is under way.", at=begun))


def _change(service: Service, held: Held[Export], caller: Person, order: Order, *, paused: bool) -> None:
    exports.set_schedule(service, held, caller, paused=paused)


def _schedule(service: Service, held: Held[Export], caller: Person, order: Order) -> None:
    exports.set_schedule(service, held, caller, paused=False, schedule=order.schedule)


def _withdraw(service: Service, held: Held[Export], caller: Person, order: Order) -> None:
    """Pause the schedule, which would put people back, and take everyone off."""
    if is_active(held.item):
        exports.set_schedule(service, held, caller, paused=True)
    _start(service, held, caller, order, kind=RunKind.WITHDRAW)


def _detach(service: Service, held: Held[Export], caller: Person, order: Order) -> None:
    exports.detach(service, held, caller)


def _remove(service: Service, held: Held[Export], caller: Person, order: Order) -> None:
    exports.delete(service, held, caller, keep_members=order.keep_members)


_ACTS: dict[Deed, Act] = {
    Deed.RUN: partial(_start, kind=RunKind.DELIVERY),
    Deed.DRY_RUN: partial(_start, kind=RunKind.DRY_RUN),
    Deed.PAUSE: partial(_change, paused=True),
    Deed.RESUME: partial(_change, paused=False),
    Deed.SCHEDULE: _schedule,
    Deed.WITHDRAW: _withdraw,
    Deed.DETACH: _detach,
    Deed.REMOVE: _remove,
}
