"""Adding and editing an export: the form, its help, and saving. Saving never runs anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import ValidationError

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.copying import slug
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow, issues_of
from shared.catalog.models import Also, Connection, Export, ExportInput, KeyKind
from shared.catalog.store import Held
from shared.control import assistance
from shared.control import exports as control
from shared.control import segments as segment_control
from shared.control.segments import SegmentView
from shared.control.service import Service
from shared.pages.errors import PageRoute
from shared.pages.export_draft import Draft, TargetDraft, changed, draft_from, draft_of, input_of, with_suggestions
from shared.pages.exports import connections, overview
from shared.pages.forms import Form, Values, text
from shared.pages.labels import RESTORED
from shared.pages.overtaken import Overtaken, differences
from shared.pages.plain_words import NO_CONNECTION, in_page_words
from shared.pages.rendering import make_known, not_saved, page
from shared.pages.schedule_form import ScheduleShape, zones
from shared.vendors.contract import Definition
from shared.web.conditions import etag
from shared.web.wiring import TheCaller, TheService, allowed
from shared.wording import say

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW = "new"
EACH_REFRESH = ScheduleShape(kind="on_refresh")
"""When a new export runs, unless somebody chooses otherwise: with each refresh of its segments."""
_SEEN_FIRST = re.compile(r"/(display_name|connection|targets(/\d+(/segments.*)?)?)$")
"""Places of the form that are there before a connection is chosen."""

_ALSO_SUGGEST = re.compile(r"also:([0-9]{1,2}):suggest")


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why the form is shown again: what is wrong, what saving would do, and whether people would be left on a list."""

    errors: dict[str, str] = field(default_factory=dict)
    effects: tuple[str, ...] = ()
    left: str = ""
    overtaken: Overtaken | None = None
    told: tuple[str, ...] = ()


UNSEEN = say(
    "Nothing was saved yet: more of the form follows from your choices. Look at it, change what is not right, and save."
)


@router.get("/exports/new", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def new_export(
    request: Request,
    service: TheService,
    caller: TheCaller,
    source: Annotated[str | None, Query(alias="from", max_length=63)] = None,
    segment: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """An empty form, a duplicate of an export, or one for a segment."""
    if source:
        _, copied = control.copy(service, service.catalog.export(source).item)
        definition = _definition(service, copied.connection)
        draft = draft_of(copied, definition, definitions=_definitions(service, copied.also))
        return _form(request, service, caller, NEW, draft)
    usable = [each.name for each in _usable(service, caller)]
    target = TargetDraft((segment,)) if segment else TargetDraft()
    draft = Draft(connection=usable[0] if len(usable) == 1 else "", targets=(target,), schedule=EACH_REFRESH)
    return _form(request, service, caller, NEW, _suggested(service, draft) if segment else draft)


@router.get("/exports/{name}/edit", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def edit_export(
    name: str,
    request: Request,
    service: TheService,
    caller: TheCaller,
    segment: Annotated[str | None, Query(max_length=400)] = None,
) -> Response:
    """The form of an export, perhaps with one more segment on its first list."""
    held = service.catalog.export(name)
    if held.item.owned_by:
        return RedirectResponse(f"/exports/{held.item.owned_by}/edit", 303)
    definition = _definition(service, held.item.connection)
    draft = draft_of(held.item, definition, etag(held.etag), _definitions(service, held.item.also))
    if segment and segment not in draft.segments:
        first, *others = draft.targets
        draft = replace(draft, targets=(replace(first, segments=(*first.segments, segment)), *others))
    return _form(request, service, caller, name, draft)


@router.post("/exports/new/form", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
@router.post("/exports/{name}/form", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def change_form(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """The form again after a choice that other parts of it follow from. Nothing is saved."""
    draft = changed(_sent(name, form), text(form, "do"))
    fresh = name == NEW and not draft.address_column and not draft.matching
    if beside := _ALSO_SUGGEST.fullmatch(text(form, "do")):
        draft = _suggested_beside(service, draft, int(beside[1]))
    if text(form, "do") == "suggest" or (fresh and draft.connection and draft.segments):
        draft = _suggested(service, draft)
    told = (RESTORED,) if text(form, "do") == "restore" else ()
    return _form(request, service, caller, name, draft, told=told)


@router.post("/exports/new/preview", dependencies=[Depends(allowed(Action.SEE_PREVIEW))])
@router.post("/exports/{name}/preview", dependencies=[Depends(allowed(Action.SEE_PREVIEW))])
def preview(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """The first rows as the vendor would get them, for the form as it stands."""
    draft = draft_from(form)
    sent, issues = _validated(service, draft)
    if sent is None:
        return page(request, "_preview.html", rows=None, fields=(), problems=[issue.message for issue in issues])
    rows = assistance.preview(
        service, caller, sent.connection, draft.segments, sent.address_column, sent.matching, sent.phone_country
    )
    return page(request, "_preview.html", rows=rows, fields=[match.field for match in sent.matching], problems=[])


@router.post("/exports/new", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
@router.post("/exports/{name}", dependencies=[Depends(allowed(Action.EDIT_EXPORT))])
def save_export(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """Save it, unless something is wrong, or it would mean something for people that was not agreed to yet."""
    draft = _sent(name, form)
    held = None if name == NEW else service.catalog.export(name)
    definition = _definition(service, draft.connection)
    if "address_column" not in form:  # sent before there was more than a name, a connection and segments to see
        return _first_half(request, service, caller, name, draft, definition)
    sent, issues = _validated(service, draft)
    if sent is None or issues:
        return _form(request, service, caller, name, draft, Doubts(_by_place(service, issues, draft)))
    if held and draft.version != etag(held.etag):
        return _overtaken(request, service, caller, held, sent, draft)
    try:
        return _save(request, service, caller, held, sent, draft, form)
    except Invalid as error:
        return _form(request, service, caller, name, draft, Doubts(_by_place(service, error.issues, draft)))
    except NotNow as error:
        if error.code != "members_left":
            raise
        return _form(request, service, caller, name, draft, Doubts(left=error.message))


def _sent(name: str, form: Values) -> Draft:
    """What the form sent; a new one that had no schedule to see yet has the usual one."""
    draft = draft_from(form)
    return replace(draft, schedule=EACH_REFRESH) if name == NEW and "schedule" not in form else draft


def _first_half(
    request: Request, service: Service, caller: Person, name: str, draft: Draft, definition: Definition | None
) -> Response:
    """The form again, with all that follows from what was chosen; or what is still to be chosen."""
    _, issues = _validated(service, draft)
    seen = {place: words for place, words in _by_place(service, issues, draft).items() if _SEEN_FIRST.match(place)}
    if definition is None:
        seen.setdefault("/connection", NO_CONNECTION)
    if seen:
        return _form(request, service, caller, name, draft, Doubts(seen))
    return _form(request, service, caller, name, _suggested(service, draft), Doubts(told=(UNSEEN,)))


def _overtaken(
    request: Request, service: Service, caller: Person, held: Held[Export], sent: ExportInput, draft: Draft
) -> Response:
    """Somebody saved it since the form was opened: both versions, and this person's to save over the other."""
    theirs, mine = held.item.model_dump(mode="json"), sent.model_dump(mode="json")
    found = Overtaken(held.item.updated_by, held.item.updated_at, differences(theirs, mine))
    draft = replace(draft, version=etag(held.etag))
    return _form(request, service, caller, held.item.name, draft, Doubts(overtaken=found), status=409)


def _save(
    request: Request,
    service: Service,
    caller: Person,
    held: Held[Export] | None,
    sent: ExportInput,
    draft: Draft,
    form: Values,
) -> Response:
    keep = text(form, "keep_members") == "on"
    if held:
        effects = control.effects(held.item, sent, service, keep_members=keep)
        if effects and text(form, "sure") != "on":
            doubts = Doubts(effects=tuple(issue.message for issue in effects))
            return _form(request, service, caller, held.item.name, draft, doubts)
    taken = {each.item.name for each in service.catalog.exports.all()}
    name = held.item.name if held else slug(sent.display_name, taken)
    make_known(request, f"export {name}", partial(service.catalog.exports.values, name))
    saved, warnings = control.save(service, name, sent, caller, held, keep_members=keep)
    return overview(request, service, saved.item.name, told=tuple(issue.message for issue in warnings), saved=True)


def _form(
    request: Request,
    service: Service,
    caller: Person,
    name: str,
    draft: Draft,
    doubts: Doubts | None = None,
    *,
    status: int = 200,
    told: tuple[str, ...] = (),
) -> Response:
    if doubts:
        not_saved(request)
    doubts = doubts or Doubts(told=told)
    segments = segment_control.views(service)
    definition = _definition(service, draft.connection)
    return page(
        request,
        "export_form.html",
        status=422 if doubts.errors else status,
        name=name,
        title=draft.display_name,
        draft=draft,
        connections=_usable(service, caller),
        definitions=service.catalog.definitions,
        definition=definition,
        also_definitions=_definitions(service, draft.also),
        own_list=TargetDraft(),
        segments=segments,
        columns=_columns(segments, draft),
        most=_most(draft, definition),
        zones=zones(),
        key_kinds=tuple(KeyKind),
        errors=doubts.errors,
        guards_wrong=any(place.startswith("/guards") for place in doubts.errors),
        effects=doubts.effects,
        left=doubts.left,
        overtaken=doubts.overtaken,
        told=doubts.told,
    )


def _usable(service: Service, caller: Person) -> list[Connection]:
    return [each for each in connections(service).values() if may(caller, Action.EDIT_EXPORT, each)]


def _definition(service: Service, connection: str) -> Definition | None:
    held = service.catalog.connections.get(connection)
    return service.catalog.definitions.get(held.item.vendor) if held else None


def _suggested(service: Service, draft: Draft) -> Draft:
    definition = _definition(service, draft.connection)
    if definition is None or not draft.segments:
        return draft
    try:
        found = assistance.suggestions(service, definition.name, draft.segments)
    except NotFound:  # a segment that is not there has no columns
        return draft
    return with_suggestions(draft, found.address_column, found.matching)


def _suggested_beside(service: Service, draft: Draft, number: int) -> Draft:
    """The draft with suggestions for what is not matched yet on another connection."""
    if number >= len(draft.also):
        return draft
    entry = draft.also[number]
    matching = _suggested(service, replace(entry, targets=draft.targets)).matching
    also = (*draft.also[:number], replace(entry, matching=matching), *draft.also[number + 1 :])
    return replace(draft, also=also)


def _definitions(service: Service, entries: Iterable[Also | Draft]) -> dict[str, Definition]:
    """Connection -> what its vendor is, of other connections."""
    found = {each.connection: _definition(service, each.connection) for each in entries}
    return {name: definition for name, definition in found.items() if definition}


def _validated(service: Service, draft: Draft) -> tuple[ExportInput | None, list[Issue]]:
    values, issues = input_of(draft, _definition(service, draft.connection), _definitions(service, draft.also))
    try:
        return ExportInput.model_validate(values), issues
    except ValidationError as error:
        return None, [*issues, *issues_of(error.errors())]


def _by_place(service: Service, issues: Sequence[Issue], draft: Draft) -> dict[str, str]:
    """The first message of each place, in the page's words."""
    also = [_definition(service, each.connection) for each in draft.also]
    found = in_page_words(issues, _definition(service, draft.connection), also)
    return {issue.pointer: issue.message for issue in reversed(found)}


def _columns(segments: list[SegmentView], draft: Draft) -> list[str]:
    """Columns of all segments that are chosen, and whatever the draft has."""
    chosen = [each for each in segments if {each.id, each.name} & set(draft.segments)]
    first = chosen[0].columns if chosen else ()
    shared = [column for column in first if all(column in each.columns for each in chosen)]
    own = [draft.address_column, draft.id_column, *(column for row in draft.matching for column in row.columns)]
    own += draft.rules.columns
    own += [column for entry in draft.also for row in entry.matching for column in row.columns]
    return list(dict.fromkeys([*shared, *(column for column in own if column)]))


def _most(draft: Draft, definition: Definition | None) -> int | None:
    """People that an export may have at the most: its own guard, or the vendor's limit."""
    own = draft.guards.get("max_profiles", "")
    return int(own) if own.isdecimal() and len(own) < 16 else definition.max_profiles if definition else None
