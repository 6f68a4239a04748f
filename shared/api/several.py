"""One thing done to several exports at once; each answers for itself."""

from __future__ import annotations

from typing import Self

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.access.actions import Action
from shared.catalog.models import Schedule
from shared.control import several as control
from shared.control.several import Deed, DoneView, Order
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheChange, TheService, allowed, named
from shared.wording import say

router = APIRouter(prefix="/api/v1", tags=["exports"], generate_unique_id_function=named)

MOST = 500


class SeveralInput(BaseModel):
    """What to do, to which exports."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exports: tuple[str, ...] = Field(min_length=1, max_length=MOST)
    do: Deed
    schedule: Schedule | None = Field(default=None, description="For `schedule`: the one that all of them get.")
    keep_members: bool = Field(default=False, description="For `remove`: leave people on the lists.")

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if (self.do is Deed.SCHEDULE) != (self.schedule is not None):
            raise ValueError(say("Give a schedule with `schedule`, and with nothing else."))
        return self


@router.post(
    "/several",
    summary="Do one thing to several exports",
    dependencies=[Depends(allowed(Action.EDIT_EXPORT))],
    responses=responses(400, 403, 422),
)
def do_to_several(sent: SeveralInput, service: TheService, caller: TheCaller, change: TheChange) -> list[DoneView]:
    """Run, dry run, pause, resume, schedule, withdraw, detach or remove. What one refuses keeps no other from it."""
    change.note(do=sent.do, exports=sent.exports)
    order = Order(sent.do, sent.schedule, sent.keep_members)
    return control.carry_out(service, caller, sent.exports, order)


@router.post(
    "/run-all",
    summary="Run every export with an active schedule",
    dependencies=[Depends(allowed(Action.START_RUN))],
    responses=responses(403),
)
def run_all(service: TheService, caller: TheCaller) -> list[DoneView]:
    """Paused, manual and detached exports are left out."""
    return control.run_all(service, caller)
