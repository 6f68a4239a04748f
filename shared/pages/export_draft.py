"""The form of an export: definition -> what the form shows -> definition. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from typing import Any

from shared.catalog.companions import definition as companion
from shared.catalog.derived import Function
from shared.catalog.issues import Issue
from shared.catalog.models import Also, ExportInput, FirstRun, Guards, Match, Mode, Repair, Target
from shared.pages.derived_draft import (
    VERBS,
    DerivedDraft,
    derived_changed,
    derived_of,
    derived_sent,
    derived_shown,
    twice,
    without,
)
from shared.pages.forms import Values, dicts, group, text, texts
from shared.pages.rules_draft import ExcludeDraft, RequireDraft, RulesDraft, rules_of, rules_sent, rules_shown
from shared.pages.schedule_form import ScheduleShape, schedule_of, shape_from, shape_of
from shared.vendors.contract import Definition, FieldType, Setting
from shared.wording import say

OTHER = "*"
"""Chosen in place of a field of the vendor's: a field of the account's own, named beside it."""
SHARES = ("max_removed_share", "max_moved_share", "max_invalid_share", "max_unreadable_share", "max_deviation_share")
"""Guards that the form shows as percentages."""
WHOLE = ("max_removed_people", "max_removed_times", "max_age_days", "min_profiles", "max_profiles")


OWN = "own"
"""A list with the segment's name."""


NO_DEFINITIONS: Mapping[str, Definition] = {}


@dataclass(frozen=True, slots=True)
class TargetDraft:
    """`kind`: own (a list with the segment's name), name (another name), id (an existing list)."""

    segments: tuple[str, ...] = ()
    kind: str = OWN
    list_name: str = ""
    list_id: str = ""
    existing: str = ""


@dataclass(frozen=True, slots=True)
class MatchDraft:
    """`field` may be OTHER, and then `other` names the field and `type` may say what it is. Where its value is made
    of columns `derived` says how; `then` is what its list of further steps has chosen."""

    field: str = ""
    other: str = ""
    column: str = ""
    when_empty: str = "keep"
    type: str = ""
    derived: DerivedDraft | None = None
    then: str = ""

    @property
    def columns(self) -> tuple[str, ...]:
        """All that are chosen."""
        return tuple(filter(None, self.derived.columns if self.derived else (self.column,)))


@dataclass(frozen=True, slots=True)
class Draft:
    """Everything that the form holds, as text."""

    display_name: str = ""
    connection: str = ""
    targets: tuple[TargetDraft, ...] = (TargetDraft(),)
    address_column: str = ""
    id_column: str = ""
    matching: tuple[MatchDraft, ...] = ()
    phone_country: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    mode: str = Mode.MIRROR
    rules: RulesDraft = field(default_factory=RulesDraft)
    guards: Mapping[str, str] = field(default_factory=lambda: guards_shown(Guards()))
    schedule: ScheduleShape = field(default_factory=ScheduleShape)
    first_run: bool = False
    """Nobody is asked, however many people would join."""
    repair: str = Repair.ON_REQUEST
    paused: bool = False
    key_starts: tuple[str, ...] = ()
    tags: str = ""
    version: str = ""
    also: tuple[Draft, ...] = ()
    """Other connections, each with what it has of its own: its lists, one for each of `targets`, matching, settings."""

    @property
    def segments(self) -> tuple[str, ...]:
        """All that are chosen, each once."""
        return tuple(dict.fromkeys(segment for target in self.targets for segment in target.segments))


def draft_of(
    export: ExportInput,
    definition: Definition | None,
    version: str = "",
    definitions: Mapping[str, Definition] = NO_DEFINITIONS,
) -> Draft:
    """What the form shows of a definition; `definitions` are of the vendors of other connections, by connection."""
    known = {each.name for each in definition.fields} if definition else set()
    return Draft(
        display_name=export.display_name,
        connection=export.connection,
        targets=tuple(_target_shown(target) for target in export.targets),
        address_column=export.address_column,
        id_column=export.id_column or "",
        matching=tuple(_match_shown(match, known) for match in export.matching),
        phone_country=export.phone_country,
        settings={name: setting_shown(value) for name, value in export.settings.items()},
        mode=export.mode,
        rules=rules_shown(export.rules),
        guards=guards_shown(export.guards),
        schedule=shape_of(export.schedule),
        first_run=export.first_run is FirstRun.DELIVER,
        repair=export.repair,
        paused=export.paused,
        key_starts=export.function_key_starts,
        tags=", ".join(export.tags),
        version=version,
        also=tuple(_also_shown(export, each, definitions.get(each.connection)) for each in export.also),
    )


def _also_shown(export: ExportInput, entry: Also, definition: Definition | None) -> Draft:
    return draft_of(companion(export, entry), definition)


def draft_from(values: Values) -> Draft:
    """What the form sent. Rows of the data matching that are empty are left out."""
    rows = [_match_sent(each) for each in dicts(values, "matching")]
    return Draft(
        display_name=text(values, "display_name"),
        connection=text(values, "connection"),
        targets=tuple(_target_sent(each) for each in dicts(values, "targets")) or (TargetDraft(),),
        address_column=text(values, "address_column"),
        id_column=text(values, "id_column"),
        matching=tuple(row for row in rows if row.field or row.column or row.derived),
        phone_country=text(values, "phone_country").strip().upper(),
        settings={name: str(value) for name, value in group(values, "settings").items()},
        mode=text(values, "mode") or Mode.MIRROR,
        rules=rules_sent(values),
        guards=_guards_sent(values),
        schedule=shape_from(group(values, "schedule")) if "schedule" in values else ScheduleShape(),
        first_run=text(values, "first_run") == "on",
        repair=text(values, "repair") or Repair.ON_REQUEST,
        paused=text(values, "paused") == "on",
        key_starts=texts(values, "function_key_starts"),
        tags=text(values, "tags"),
        version=text(values, "version"),
        also=tuple(_also_sent(each) for each in dicts(values, "also")),
    )


def _also_sent(values: Values) -> Draft:
    sent = draft_from(values)
    return Draft(connection=sent.connection, targets=sent.targets, matching=sent.matching, settings=sent.settings)


def input_of(
    draft: Draft, definition: Definition | None, definitions: Mapping[str, Definition] = NO_DEFINITIONS
) -> tuple[dict[str, Any], list[Issue]]:
    """What is to be saved, for ExportInput to validate; and what could not be made of the form. `definitions` as in
    `draft_of`."""
    schedule, issues = schedule_of(draft.schedule)
    known = definition.export_settings if definition else ()
    values = {
        "display_name": draft.display_name,
        "connection": draft.connection,
        "targets": [_target(target) for target in draft.targets],
        "address_column": draft.address_column,
        "id_column": draft.id_column or None,
        "matching": [_match(match) for match in draft.matching],
        "phone_country": draft.phone_country,
        "settings": settings_of(draft.settings, known),
        "mode": draft.mode,
        "rules": rules_of(draft.rules),
        "guards": {name: _guard(name, value) for name, value in draft.guards.items()},
        "schedule": schedule,
        "first_run": FirstRun.DELIVER if draft.first_run else FirstRun.ASK,
        "repair": draft.repair,
        "paused": draft.paused,
        "function_key_starts": draft.key_starts,
        "tags": list(dict.fromkeys(tag for each in draft.tags.split(",") if (tag := each.strip()))),
        "also": [_also(draft, each, definitions.get(each.connection)) for each in draft.also],
    }
    found = [*_twice(draft.matching)]
    for number, each in enumerate(draft.also):
        found += [Issue(f"/also/{number}{issue.pointer}", issue.message) for issue in _twice(each.matching)]
    return values, [*issues, *found]


def _also(draft: Draft, entry: Draft, definition: Definition | None) -> dict[str, Any]:
    """Another connection: a list for each of the export's own, whatever the form has of lists that are gone."""
    lists = [each for each, _ in zip_longest(entry.targets, draft.targets)][: len(draft.targets)]
    targets = [_target(each or TargetDraft()) for each in lists]
    return {
        "connection": entry.connection,
        "targets": [{key: value for key, value in each.items() if key != "segments"} for each in targets],
        "matching": [_match(match) for match in entry.matching],
        "settings": settings_of(entry.settings, definition.export_settings if definition else ()),
    }


def _twice(rows: Sequence[MatchDraft]) -> Iterator[Issue]:
    for number, row in enumerate(rows):
        for step, value in twice(row.derived) if row.derived else ():
            place = f"/matching/{number}/derived/steps/{step}/values"
            yield Issue(place, say('"%(value)s" is there twice: remove one.', value=value))


def settings_of(given: Mapping[str, str], known: Sequence[Setting]) -> dict[str, Any]:
    """Settings as their types; what cannot be one stays text, and is refused for that. A box that is not ticked is
    not sent, and false."""
    found = {setting.name: _typed(setting, given.get(setting.name, "")) for setting in known}
    return {name: value for name, value in found.items() if value != ""}


def guards_shown(guards: Guards) -> dict[str, str]:
    """As the form shows them: shares in percent, nothing where a guard is off."""
    shown = guards.model_dump()
    shares = {name: f"{shown[name] * 100:g}" for name in SHARES if shown[name] is not None}
    numbers = {name: str(shown[name]) for name in WHOLE if shown[name] is not None}
    return dict.fromkeys(shown, "") | shares | numbers


def with_suggestions(draft: Draft, address_column: str | None, matching: Sequence[Match]) -> Draft:
    """The draft with suggestions for what is not matched yet."""
    taken = {row.field for row in draft.matching}
    rows = [MatchDraft(field=match.field, column=match.column or "") for match in matching if match.field not in taken]
    return replace(
        draft, address_column=draft.address_column or address_column or "", matching=(*draft.matching, *rows)
    )


def changed(draft: Draft, do: str) -> Draft:
    """The draft after a button that changes its rows: add-field, remove-field:2, add-target, remove-target:1,
    add-exclude, remove-exclude:0, remove-step:2.0 and the like."""
    verb, _, number = do.partition(":")
    if verb == "also":
        return _also_changed(draft, number)
    if verb == "add-also":
        return replace(draft, also=(*draft.also, Draft(targets=draft.targets)))
    if verb in VERBS:
        return replace(draft, matching=_made_of(draft.matching, verb, number))
    place = int(number) if number.isdecimal() and len(number) < 5 else -1
    if verb == "add-field":
        return replace(draft, matching=(*draft.matching, MatchDraft()))
    if verb == "remove-field":
        return replace(draft, matching=without(draft.matching, place))
    if verb == "add-target":
        return replace(draft, targets=(*draft.targets, TargetDraft()))
    if verb == "remove-target" and len(draft.targets) > 1:
        also = tuple(replace(each, targets=without(each.targets, place)) for each in draft.also)
        return replace(draft, targets=without(draft.targets, place), also=also)
    if verb == "remove-also":
        return replace(draft, also=without(draft.also, place))
    return replace(draft, rules=_rules_changed(draft.rules, verb, place))


def _also_changed(draft: Draft, rest: str) -> Draft:
    """The draft after a button within another connection: `also:0:add-field`."""
    number, _, do = rest.partition(":")
    place = int(number) if number.isdecimal() and len(number) < 5 else -1
    return replace(
        draft, also=tuple(changed(each, do) if index == place else each for index, each in enumerate(draft.also))
    )


def _rules_changed(rules: RulesDraft, verb: str, place: int) -> RulesDraft:
    match verb:
        case "add-exclude":
            return replace(rules, exclude=(*rules.exclude, ExcludeDraft()))
        case "remove-exclude":
            return replace(rules, exclude=without(rules.exclude, place))
        case "add-require":
            return replace(rules, require=(*rules.require, RequireDraft()))
        case "remove-require":
            return replace(rules, require=without(rules.require, place))
    return rules


def _made_of(rows: tuple[MatchDraft, ...], verb: str, numbers: str) -> tuple[MatchDraft, ...]:
    """The rows after a button of what a value is made of; as they are after one that names no row."""
    places = [int(number) for number in numbers.split(".") if number.isdecimal() and len(number) < 5]
    if len(places) != VERBS[verb] or places[0] >= len(rows):
        return rows
    row = rows[places[0]]
    if verb == "make":
        row = replace(row, column="", derived=DerivedDraft(columns=(row.column,)))
    elif verb == "unmake":
        row = replace(row, column=next(iter(row.columns), ""), derived=None)
    elif row.derived:
        row = replace(row, derived=derived_changed(row.derived, verb, places[1:], row.then or Function.TITLE))
    return (*rows[: places[0]], row, *rows[places[0] + 1 :])


def _target_shown(target: Target) -> TargetDraft:
    kind = "id" if target.list_id else "name" if target.list_name else OWN
    return TargetDraft(target.segments, kind, target.list_name or "", target.list_id or "", target.existing or "")


def _guards_sent(values: Values) -> dict[str, str]:
    """A form without a connection has no guards yet: they are the usual ones then, and not off."""
    if "guards" not in values:
        return guards_shown(Guards())
    return {name: text(group(values, "guards"), name) for name in (*SHARES, *WHOLE)}


def _target_sent(values: Values) -> TargetDraft:
    return TargetDraft(
        segments=texts(values, "segments"),
        kind=text(values, "kind") or OWN,
        list_name=text(values, "list_name"),
        list_id=text(values, "list_id"),
        existing=text(values, "existing"),
    )


def _target(draft: TargetDraft) -> dict[str, Any]:
    if draft.kind == "id":
        return {"segments": draft.segments, "list_id": draft.list_id, "existing": draft.existing or None}
    return {"segments": draft.segments, "list_name": draft.list_name if draft.kind == "name" else None}


def _match_shown(match: Match, known: set[str]) -> MatchDraft:
    own = match.field not in known
    return MatchDraft(
        OTHER if own else match.field,
        match.field if own else "",
        match.column or "",
        match.when_empty,
        match.type or "",
        derived_shown(match.derived),
    )


def _match_sent(values: Values) -> MatchDraft:
    derived = derived_sent(values)
    return MatchDraft(
        text(values, "field"),
        text(values, "other"),
        "" if derived else text(values, "column"),
        text(values, "when_empty"),
        text(values, "type"),
        derived,
        text(group(values, "derived"), "then"),
    )


def _match(draft: MatchDraft) -> dict[str, Any]:
    own = draft.field == OTHER
    return {
        "field": draft.other if own else draft.field,
        **({"derived": derived_of(draft.derived)} if draft.derived else {"column": draft.column}),
        "when_empty": draft.when_empty,
        "type": (draft.type or None) if own else None,
    }


def _guard(name: str, value: str) -> Any:
    if not value:
        return None
    try:
        return float(value.replace(",", ".")) / 100 if name in SHARES else int(value.replace(" ", ""))
    except ValueError:
        return value


def setting_shown(value: object) -> str:
    """A setting as a form shows it."""
    if isinstance(value, bool):
        return "on" if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _typed(setting: Setting, value: str) -> Any:
    if setting.type is FieldType.BOOLEAN:
        return value == "on"
    if not value or setting.type not in _NUMBERS:
        return value
    try:
        return _NUMBERS[setting.type](value)
    except ValueError:
        return value


def _number(value: str) -> float:
    return float(value.replace(",", "."))


_NUMBERS: dict[FieldType, Callable[[str], float]] = {FieldType.INTEGER: int, FieldType.NUMBER: _number}
