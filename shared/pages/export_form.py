"""Adding and editing an export: the form, its help, and saving. Saving never runs anything."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import ValidationError

from shared.access.actions import Action, may
from shared.access.person import Person
from shared.catalog.copying import slug
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow, issues_of
from shared.catalog.models import Connection, Export, ExportInput, KeyKind
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
from shared.pages.rendering import make_known, not_saved, page
from shared.pages.schedule_form import zones
from shared.vendors.contract import Definition
from shared.web.conditions import Preconditions, etag
from shared.web.wiring import TheCaller, TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)

NEW = "new"


@dataclass(frozen=True, slots=True)
class Doubts:
    """Why the form is shown again: what is wrong, what saving would do, and whether people would be left on a list."""

    errors: dict[str, str] = field(default_factory=dict)
    effects: tuple[str, ...] = ()
    left: str = ""


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
        return _form(request, service, caller, NEW, draft_of(copied, _definition(service, copied.connection)))
    usable = [each.name for each in _usable(service, caller)]
    target = TargetDraft((segment,)) if segment else TargetDraft()
    draft = Draft(connection=usable[0] if len(usable) == 1 else "", targets=(target,))
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
    draft = draft_of(held.item, _definition(service, held.item.connection), etag(held.etag))
    if segment and segment not in draft.segments:
        first, *others = draft.targets
        draft = replace(draft, targets=(replace(first, segments=(*first.segments, segment)), *others))
    return _form(request, service, caller, name, draft)


@router.post("/exports/new/form", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
@router.post("/exports/{name}/form", dependencies=[Depends(allowed(Action.SEE_SEGMENTS))])
def change_form(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """The form again after a choice that other parts of it follow from. Nothing is saved."""
    draft = changed(draft_from(form), text(form, "do"))
    fresh = name == NEW and not draft.address_column and not draft.matching
    if text(form, "do") == "suggest" or (fresh and draft.connection and draft.segments):
        draft = _suggested(service, draft)
    return _form(request, service, caller, name, draft)


@router.post("/exports/new/preview", dependencies=[Depends(allowed(Action.SEE_PREVIEW))])
@router.post("/exports/{name}/preview", dependencies=[Depends(allowed(Action.SEE_PREVIEW))])
def preview(request: Request, service: TheService, caller: TheCaller, form: Form, name: str = NEW) -> Response:
    """The first rows as the vendor would get them, for the form as it stands."""
    draft = draft_from(form)
    sent, issues = _validated(draft, _definition(service, draft.connection))
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
    draft = draft_from(form)
    held = None if name == NEW else service.catalog.export(name)
    sent, issues = _validated(draft, _definition(service, draft.connection))
    if sent is None or issues:
        return _form(request, service, caller, name, draft, Doubts(_by_place(issues)))
    try:
        return _save(request, service, caller, held, sent, draft, form)
    except Invalid as error:
        return _form(request, service, caller, name, draft, Doubts(_by_place(error.issues)))
    except NotNow as error:
        if error.code != "members_left":
            raise
        return _form(request, service, caller, name, draft, Doubts(left=error.message))


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
        Preconditions(if_match=draft.version).require(held.etag)
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
    request: Request, service: Service, caller: Person, name: str, draft: Draft, doubts: Doubts | None = None
) -> Response:
    if doubts:
        not_saved(request)
    doubts = doubts or Doubts()
    segments = segment_control.views(service)
    definition = _definition(service, draft.connection)
    return page(
        request,
        "export_form.html",
        status=422 if doubts.errors else 200,
        name=name,
        title=draft.display_name,
        draft=draft,
        connections=_usable(service, caller),
        definitions=service.catalog.definitions,
        definition=definition,
        segments=segments,
        columns=_columns(segments, draft),
        most=_most(draft, definition),
        zones=zones(),
        key_kinds=tuple(KeyKind),
        errors=doubts.errors,
        guards_wrong=any(place.startswith("/guards") for place in doubts.errors),
        effects=doubts.effects,
        left=doubts.left,
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


def _validated(draft: Draft, definition: Definition | None) -> tuple[ExportInput | None, list[Issue]]:
    values, issues = input_of(draft, definition)
    try:
        return ExportInput.model_validate(values), issues
    except ValidationError as error:
        return None, [*issues, *issues_of(error.errors())]


def _by_place(issues: list[Issue] | tuple[Issue, ...]) -> dict[str, str]:
    """The first message of each place."""
    return {issue.pointer: issue.message for issue in reversed(issues)}


def _columns(segments: list[SegmentView], draft: Draft) -> list[str]:
    """Columns of all segments that are chosen, and whatever the draft has."""
    chosen = [each for each in segments if {each.id, each.name} & set(draft.segments)]
    first = chosen[0].columns if chosen else ()
    shared = [column for column in first if all(column in each.columns for each in chosen)]
    own = [draft.address_column, *(row.column for row in draft.matching)]
    return list(dict.fromkeys([*shared, *(column for column in own if column)]))


def _most(draft: Draft, definition: Definition | None) -> int | None:
    """People that an export may have at the most: its own guard, or the vendor's limit."""
    own = draft.guards.get("max_profiles", "")
    return int(own) if own.isdecimal() and len(own) < 16 else definition.max_profiles if definition else None
