"""What the API answers about check-ups of targets."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.api.views import View
from shared.catalog.models import MAX_SEGMENTS


class CheckUpInput(BaseModel):
    """What to check. In full, everyone on the target is read; else their number only."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: int = Field(default=0, ge=0, lt=MAX_SEGMENTS, description="Which of the export's targets, from 0.")
    full: bool = True


class CheckUpCost(View):
    """Requests to the vendor that a check-up makes."""

    count_requests: int
    full_requests: int
    not_in_full: str = Field(description="Why a full check-up is not possible; empty where it is.")


class CheckUpView(View):
    """One target's record beside its vendor. The numbers of people are null until, or unless, they are known."""

    target: int
    state: Literal["running", "ended", "failed"]
    full: bool
    started_at: datetime
    started_by: str
    finished_at: datetime | None = None
    message: str = ""
    members: int = Field(default=0, description="People whom the record has on the target.")
    maybe: int = Field(default=0, description="People of whom the record is not sure.")
    counted: int | None = Field(default=None, description="The vendor's number; null where it tells none.")
    listed: int | None = Field(default=None, description="People read from the target.")
    missing: int | None = Field(default=None, description="People of the record who are not there.")
    strangers: int | None = Field(default=None, description="People there who are not the record's.")
    returned: int | None = Field(default=None, description="Those of the strangers whom the export took off before.")
    advice: tuple[str, ...] = Field(default=(), description="What to do.")


class Doctor(View):
    """What a check-up would take, and the latest one of the target."""

    cost: CheckUpCost
    latest: CheckUpView | None
