"""Check-ups of targets as they are shown: what one takes, and what the latest found."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field

from shared.control.views import View
from shared.delivery.verify import doctor
from shared.wording import Said


class CheckUpCost(View):
    """Requests to the vendor that a check-up makes."""

    count_requests: int
    full_requests: int
    not_in_full: Said = Field(description="Why a full check-up is not possible; empty where it is.")
    without_values: Said = Field(default="", description="Why a full one would compare no values; empty where it does.")


class CheckUpView(View):
    """One target's record beside its vendor. The numbers of people are null until, or unless, they are known."""

    target: int
    state: Literal["running", "ended", "failed"]
    full: bool
    started_at: datetime
    started_by: str
    finished_at: datetime | None = None
    message: Said = ""
    members: int = Field(default=0, description="People whom the record has on the target.")
    maybe: int = Field(default=0, description="People of whom the record is not sure.")
    counted: int | None = Field(default=None, description="The vendor's number; null where it tells none.")
    listed: int | None = Field(default=None, description="People read from the target.")
    missing: int | None = Field(default=None, description="People of the record who are not there.")
    strangers: int | None = Field(default=None, description="People there who are not the record's.")
    returned: int | None = Field(default=None, description="Those of the strangers whom the export took off before.")
    lost: int | None = Field(
        default=None, description="Those of the strangers whom the export added once: a repair looks after them."
    )
    differs: int | None = Field(default=None, description="People with other values than were delivered.")
    compared: int | None = Field(default=None, description="People whose values were compared.")
    without_values: Said = Field(default="", description="Why no values were compared; empty where they were.")
    advice: tuple[Said, ...] = Field(default=(), description="What to do.")

    @classmethod
    def of(cls, made: doctor.CheckUp) -> Self:
        """As it is kept, with moments in place of seconds."""
        at = datetime.fromtimestamp(made.started, UTC)
        finished = datetime.fromtimestamp(made.finished, UTC) if made.finished else None
        return cls.model_validate({**asdict(made), "started_at": at, "finished_at": finished})


class Mendable(View):
    """What a repair of the target would mend, of the latest check-up in full; `why_not` where it can mend nothing."""

    missing: int = 0
    lost: int = 0
    differs: int = 0
    why_not: Said = ""


class Doctor(View):
    """What a check-up would take, the latest one of the target, and what a repair would mend."""

    cost: CheckUpCost
    latest: CheckUpView | None
    repair: Mendable = Mendable()
