"""What is shown of more than one subject, by API and pages alike. Times have a time zone."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, field_validator

from shared.wording import Said, SaidWithin


class View(BaseModel):
    """Frozen; may be made from an object with attributes of the same names."""

    model_config = ConfigDict(frozen=True, from_attributes=True)


class IssueView(View):
    """One thing to put right, or to know."""

    pointer: str = Field(description='JSON pointer into what was sent; "" is all of it, "?name" a query parameter.')
    message: Said


class Identity(View):
    """Whom exports run as, and what that may read. `name` is the managed identity's client id, null for the app's own
    (or on one machine)."""

    name: str | None
    segments: tuple[str, ...] = Field(description="Containers and folders that segments are read from.")
    key_vault: str | None


class Notifications(View):
    """Where notices go, and what of them waits. The receiver without its path, which may hold a secret; null where
    nothing is set."""

    receiver: str | None
    secret: str
    public_url: str
    rejected_share: float
    missed_minutes: float
    waiting: int
    waiting_since: datetime | None


class FileLink(View):
    """A short-lived address of a file."""

    url: str
    expires_at: datetime


class Explanation(View):
    """Why a person is or is not on an export's targets; it holds no address."""

    export: str
    address: str = Field(description="valid, or what is wrong with the address.")
    address_hash: str = Field(default="", description="What events call the person; empty where none were written yet.")
    targets: list[TargetExplanation]


class TargetExplanation(View):
    """`segments`: where the address stands in the newest snapshots. `ledger`: what is known of it, null if nothing.
    `receipts`: what became of it in the last runs. `verdict`: one sentence. `story`: what happened, newest first.
    `events`: all that was written down of it, newest first, 500 at the most."""

    export: str = Field(default="", description="Whose target it is: the export, or its own on another connection.")
    connection: str = ""
    target: str
    verdict: Said
    segments: list[dict[str, SaidWithin]]
    ledger: dict[str, str] | None
    receipts: list[dict[str, SaidWithin]]
    story: list[Happened] = Field(default_factory=list)
    list_key: str = Field(default="", description="What events call the list.")
    events: list[PersonEvent] = Field(default_factory=list)
    known_since: datetime | None = Field(default=None, description="Of what was before nothing is known; null: of all.")
    all_events: bool = Field(default=True, description="False where there are more than are shown.")


class PersonEvent(View):
    """What one commit did with a person, or that they were on the list before it (`list`)."""

    at: datetime
    export: str
    run: str
    operation: str
    outcome: str | None
    code: str | None
    why: str | None = Field(description="`moved`, or the rule by which they were taken off.")
    status: str | None = Field(description="What the person was on the list from then on; null where nothing changed.")


class Happened(View):
    """One thing that happened to a person, or that is so now: a time (null where it is not known), the run that did it
    (empty where none did), and a sentence."""

    at: datetime | None
    run: str
    text: Said

    @field_validator("at", mode="before")
    @classmethod
    def _none_for_nothing(cls, at: Any) -> Any:
        return at or None
