"""Requests to forget somebody as they are shown: under way, or with their certificate. None holds an address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from datetime import UTC, datetime
from itertools import islice
from typing import Literal, Self

from pydantic import Field

from shared.cloud.cloud import Cloud
from shared.control.views import View
from shared.delivery.erase import certificates, forgetting
from shared.delivery.erase.certificates import Certificate
from shared.delivery.erase.forgetting import Forgetting
from shared.wording import Said

SHOWN = 50


class RemainsView(View):
    """Something that was not erased."""

    place: str = Field(description="As in `erased`; empty for everything that was not looked through.")
    what: str = Field(description="A ledger's folder, or an export and a run.")
    why: Said
    until: datetime | None = Field(default=None, description="When it goes by itself; null where nobody knows.")


class ForgettingView(View):
    """A request to forget a person. Once it has ended this is its certificate."""

    id: str
    state: Literal["running", "done", "incomplete"] = Field(
        description="`incomplete`: it ended, and `remains` says what was not erased, and why."
    )
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None = None
    message: Said = Field(default="", description="What it waits for.")
    looked: Mapping[str, int] = Field(
        default_factory=dict,
        description="What was looked through: `ledgers`, and `runs`, one for each of their targets.",
    )
    erased: Mapping[str, int] = Field(
        default_factory=dict,
        description="What held the person, by place: `ledgers`; `protected`, lists of people who were on a list before "
        "us; `runs`, of which `plans`, `rejected`, `planned`, `holdouts`, `rehearsals` and `samples`; `check_ups`, "
        "files of who differed, which go whoever is in them; `opt_outs` that were landed, of so many connections.",
    )
    remains: tuple[RemainsView, ...] = ()
    salt: str
    hash: str = Field(description="SHA-256, in hexadecimal, of the salt, a colon and the address in small letters.")

    @classmethod
    def under_way(cls, made: Forgetting) -> Self:
        return cls(
            id=made.request,
            state="running",
            asked_by=made.asked_by,
            asked_at=datetime.fromtimestamp(made.started, UTC),
            message=made.message,
            looked=made.looked,
            erased=made.erased,
            remains=tuple(map(_remains, made.remains)),
            salt=made.whom.salt,
            hash=made.whom.hash,
        )

    @classmethod
    def ended(cls, made: Certificate) -> Self:
        plain = {name: value for name, value in asdict(made).items() if name not in ("request", "remains")}
        remains = tuple(map(_remains, made.remains))
        return cls(id=made.request, state="incomplete" if remains else "done", remains=remains, **plain)


def _remains(each: certificates.Remains) -> RemainsView:
    until = datetime.fromisoformat(each.until) if each.until else None
    return RemainsView(place=each.place, what=each.what, why=each.why, until=until)


def start(cloud: Cloud, address: str, by: str) -> ForgettingView:
    """Start to forget somebody, or tell of the request that is under way for the same person."""
    return ForgettingView.under_way(forgetting.start(cloud, address, by))


def read(cloud: Cloud, request: str) -> ForgettingView | None:
    """A request, whether it has ended or not; None where there is none of this id."""
    if running := forgetting.read(cloud, request):
        return ForgettingView.under_way(running)
    ended = certificates.read(cloud, request)
    return ForgettingView.ended(ended) if ended else None


def newest(cloud: Cloud) -> list[ForgettingView]:
    """Those that are under way, then the newest of those that ended."""
    running = [ForgettingView.under_way(each) for each in islice(forgetting.under_way(cloud), SHOWN)]
    ended = [ForgettingView.ended(each) for each in certificates.newest(cloud, SHOWN - len(running))]
    there = {each.id for each in running}
    return [*running, *(each for each in ended if each.id not in there)]
