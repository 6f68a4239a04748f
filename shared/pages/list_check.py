"""The page on which people check an export's lists against their vendor, and have what was found mended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import GONE, Action
from shared.catalog.models import MAX_SEGMENTS, Export
from shared.catalog.targets import target_name
from shared.control.check_ups import Doctor
from shared.control.service import Service
from shared.errors import ExportError
from shared.pages.errors import PageRoute
from shared.pages.forms import Form, text
from shared.pages.rendering import go, page
from shared.web.downloads import csv_answer
from shared.web.wiring import TheCaller, TheService, allowed, plain_names

router = APIRouter(
    route_class=PageRoute, include_in_schema=False, dependencies=[Depends(plain_names)], prefix="/exports/{name}/check"
)


WhichList = Annotated[int, Query(ge=0, lt=MAX_SEGMENTS)]


@dataclass(frozen=True, slots=True)
class ListCheck:
    """One list of the export, with what is known of its check-ups, or why none can be made."""

    number: int
    title: str
    doctor: Doctor | None
    trouble: str = ""

    @property
    def running(self) -> bool:
        return bool(self.doctor and self.doctor.latest and self.doctor.latest.state == "running")


@router.get("", dependencies=[Depends(allowed(Action.SEE_EXPORTS))])
def show_check(name: str, request: Request, service: TheService) -> Response:
    """Each list of the export: the latest check-up, and what a repair would mend."""
    export = service.catalog.export(name).item
    held = service.catalog.connections.get(export.connection)
    lists = list(_lists(service, export))
    return page(
        request,
        "list_check.html",
        export=export,
        scope=held.item if held else GONE,
        lists=lists,
        running=any(each.running for each in lists),
        mendable=any(_mendable(each) for each in lists),
    )


@router.post("", dependencies=[Depends(allowed(Action.CHECK_TARGET))])
def check_lists(name: str, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Check one of its lists; in full where the vendor allows so many people to be read."""
    given = text(form, "target") or "0"
    number = int(given) if given.isdecimal() and len(given) < 5 else -1
    full = not service.doctor(name, number).cost.not_in_full
    service.start_check_up(name, number, full=full, by=caller.name)
    return go(f"/exports/{name}/check")


@router.get("/members.csv", dependencies=[Depends(allowed(Action.SEE_MEMBERS))])
def fetch_members(name: str, service: TheService, caller: TheCaller, day: date, target: WhichList = 0) -> Response:
    """Who was on one of its lists at the end of a day."""
    return csv_answer(service.members_on(name, target, day), f"{name}-{day}.csv")


def _lists(service: Service, export: Export) -> Iterator[ListCheck]:
    for number, target in enumerate(export.targets):
        title = target_name(target)
        try:
            yield ListCheck(number, title, service.doctor(export.name, number))
        except ExportError as error:
            yield ListCheck(number, title, None, error.words)


def _mendable(each: ListCheck) -> bool:
    found = each.doctor.repair if each.doctor else None
    return bool(found and (found.missing or found.lost or found.differs))
