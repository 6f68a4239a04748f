"""Who is on one connection of an export and not on another, and why; the same for API and pages."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import Field

from shared.catalog import companions
from shared.catalog.issues import NotFound
from shared.catalog.models import Export
from shared.control.service import Service
from shared.control.views import View
from shared.delivery.lookups.compared import WhyMissing
from shared.wording import Said


class MissingView(View):
    """People who are on one connection's lists and not on the other's, for one reason."""

    outcome: str = Field(
        description="What became of them there: kept back, rejected, skipped, unknown; refused (in an earlier run), "
        "removed, not yet."
    )
    code: str
    reason: Said
    people: int


class ComparisonView(View):
    """Who is on the lists of one connection and not on those of another."""

    on: str = Field(description="Name of the connection whose lists they are on.")
    not_on: str = Field(description="Name of the connection whose lists they are not on.")
    people: int = Field(description="On the lists of the first.")
    missing: int = Field(description="Of these, not on the lists of the second.")
    reasons: tuple[MissingView, ...] = ()


def family(service: Service, export: Export) -> dict[str, Export]:
    """Connection -> the export that delivers over it: the export itself, then its companions."""
    names = companions.wanted(export.name, export)
    others = [held.item for name in names if (held := service.catalog.exports.get(name))]
    return {each.connection: each for each in (export, *others)}


def compare(service: Service, name: str, on: str, not_on: str) -> ComparisonView:
    """Raises NotFound for a connection that the export does not have."""
    here, there = _pair(service, name, on, not_on)
    found = service.compare(here, there)
    return ComparisonView(
        on=here.connection,
        not_on=there.connection,
        people=found.people,
        missing=sum(found.missing.values()),
        reasons=tuple(_view(why, people) for why, people in found.missing.most_common()),
    )


@contextmanager
def people(service: Service, name: str, on: str, not_on: str) -> Iterator[Path]:
    """A file of them, with addresses, which is gone after the block. Raises as `compare` does."""
    with service.compared_people(*_pair(service, name, on, not_on)) as path:
        yield path


def _view(why: WhyMissing, people: int) -> MissingView:
    return MissingView(outcome=why.outcome, code=why.code, reason=why.reason, people=people)


def _pair(service: Service, name: str, on: str, not_on: str) -> tuple[Export, Export]:
    """What to compare: without names the export's own connection, and the first of the others."""
    known = family(service, service.catalog.export(name).item)
    here = on or next((each for each in known if each != not_on), "")
    there = not_on or next((each for each in known if each != here), "")
    for each in (here, there):
        if each not in known:
            raise NotFound("connection of the export", each)
    return known[here], known[there]
