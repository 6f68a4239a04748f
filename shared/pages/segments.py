"""Pages of segments: what landed, how many people and how old, and which exports carry each."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, get_args
from urllib.parse import quote

from fastapi import APIRouter, Depends, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.dialects import DialectInput, Encoding, SegmentInput
from shared.catalog.issues import Invalid, issues_of
from shared.control import segments as control
from shared.control.listing import cut
from shared.control.service import Service
from shared.pages import labels
from shared.pages.asking import TheAsked
from shared.pages.errors import PageRoute
from shared.pages.exports import connections
from shared.pages.forms import Form, Values, text
from shared.pages.labels import TAB
from shared.pages.rendering import go, make_known, not_saved, page
from shared.snapshots.snapshot import SegmentFound
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@router.get("/segments", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def list_segments(request: Request, service: TheService, asked: TheAsked) -> Response:
    """The segments that the address asks for. Only those of the page are counted."""
    names = {held.item.name: held.item.display_name for held in service.catalog.exports.all()}
    every, words = service.segments(), asked.q.casefold().split()
    chosen = [each for each in every if all(word in each.id.casefold() for word in words)]
    chosen.sort(key=_SORTS.get(asked.sort.removeprefix("-"), _SORTS["name"]), reverse=asked.sort.startswith("-"))
    found = cut(chosen, asked.page, of=len(every))
    shown = control.views(service, found.rows)
    return page(request, "segments.html", segments=shown, found=found, asked=asked, vendors=(), names=names)


_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
_SORTS: dict[str, Callable[[SegmentFound], Any]] = {
    "name": lambda each: each.name.casefold(),
    "age": lambda each: each.snapshot.taken_at if each.snapshot else _LONG_AGO,
}


@router.get("/segments/{segment:path}", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def show_segment(segment: str, request: Request, service: TheService, caller: TheCaller) -> Response:
    """One segment, from whose side exports are looked at: those that carry it, and those that could."""
    return _page(request, service, caller, segment)


def _page(
    request: Request, service: Service, caller: Person, segment: str, typed: DialectInput | None = None
) -> Response:
    """`typed` is what the form held before the session ended."""
    found = control.view(service, segment)
    exports = [held.item for held in service.catalog.exports.all()]
    known = connections(service)
    others = [export for export in exports if export.name not in found.exports]
    dialect = typed or found.dialect or DialectInput()
    delimiter = TAB if dialect.delimiter == "\t" else dialect.delimiter
    return page(
        request,
        "segment.html",
        segment=found,
        carrying=[export for export in exports if export.name in found.exports],
        others=[each for each in others if may(caller, Action.EDIT_EXPORT, known.get(each.connection))],
        first=control.first_rows(service, segment) if may(caller, Action.EDIT_SEGMENT) else None,
        dialect=dialect,
        restored=typed is not None,
        told=(labels.RESTORED,) if typed else (),
        delimiter=delimiter,
        delimiters={**labels.DELIMITERS, **({} if delimiter in labels.DELIMITERS else {delimiter: delimiter})},
        encodings=[(name, name or "UTF-8") for name in get_args(Encoding)],
    )


@router.post("/segments/{segment:path}", dependencies=[Depends(allowed(Action.EDIT_SEGMENT))])
def save_segment(segment: str, request: Request, service: TheService, caller: TheCaller, form: Form) -> Response:
    """Say how it is written; what the form does not show stays as it is. Or show what was typed before the session
    ended."""
    if text(form, "do") == "restore":
        not_saved(request)
        return _page(request, service, caller, segment, DialectInput.model_construct(**_typed(form)))
    control.view(service, segment)
    declared, version = service.catalog.dialects.get(segment)
    make_known(request, f"segment {segment}", lambda: control.declared(service, segment))
    control.declare(service, segment, SegmentInput(dialect=_dialect(declared, form)), version, caller)
    return go(f"/segments/{quote(segment, safe='')}")


def _dialect(before: DialectInput | None, form: Values) -> DialectInput | None:
    """None where nothing is declared any more. Raises Invalid."""
    kept = before.model_dump(include={"quote", "compression"}) if before else {}
    try:
        dialect = DialectInput.model_validate(kept | _typed(form))
    except ValidationError as error:
        raise Invalid(issues_of(error.errors())) from None
    return None if dialect == DialectInput() else dialect


def _typed(form: Values) -> dict[str, Any]:
    """What the form holds, as it is: it may be wrong."""
    delimiter = text(form, "delimiter")
    return {
        "delimiter": "\t" if delimiter == TAB else delimiter,
        "escape": text(form, "escape"),
        "encoding": text(form, "encoding"),
        "nulls": _lines(form, "nulls"),
        "columns": _lines(form, "columns"),
    }


def _lines(form: Values, name: str) -> tuple[str, ...]:
    return tuple(line.strip() for line in text(form, name).splitlines() if line.strip())
