"""What is wrong with an export, judged when it is saved. Pure over what the catalog read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from shared.catalog.connection_validation import setting_issues
from shared.catalog.issues import Issue
from shared.catalog.models import MAX_SEGMENTS, MAX_TARGETS, Connection, ExportInput, Target, WhenEmpty
from shared.catalog.schedules import schedule_issues
from shared.catalog.targets import target_key, target_name
from shared.vendors.contract import Definition

_FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an export is judged by.

    `segments`: columns of each segment that exists. `owners`: target key -> the other export that owns it.
    `default_list`: id of the connection's, "" where it has none.
    `writers`: field, its case folded -> other exports that fill it, where the account has it once.
    """

    connection: Connection | None
    definition: Definition | None
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    default_list: str = ""
    writers: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Judgement:
    """Issues forbid saving; warnings do not."""

    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


def judge(export: ExportInput, around: Surroundings) -> Judgement:
    """Everything that is wrong with the export, at once."""
    issues = [*_connection(export, around.connection), *_targets(export, around)]
    issues += schedule_issues(export.schedule)
    warnings = list(_unseen(export, around.segments))
    issues += _columns(export, around.segments)
    if around.definition is not None:
        issues += _matching(export, around.definition)
        issues += setting_issues(export.settings, around.definition.export_settings, around.definition.label)
        issues += _names_that_are_too_long(export, around.definition)
        warnings += [*_spelling(export, around.definition), *_known_lists(export, around.definition)]
        warnings += _shared_fields(export, around.writers)
    if around.connection is not None and around.connection.check_code not in ("", "ok"):
        warnings.append(Issue("/connection", f"Its last check failed: {around.connection.check_message}"))
    return Judgement(tuple(issues), tuple(warnings))


def _connection(export: ExportInput, connection: Connection | None) -> Iterator[Issue]:
    if not export.connection:
        yield Issue("/connection", "The export has no connection: choose one.")
        return
    if connection is None:
        yield Issue("/connection", f'There is no connection "{export.connection}": create it first.')
        return
    obstacles = {
        "The connection is disabled: enable it, or choose another.": connection.disabled,
        "The connection has no recorded consent: have an administrator agree first.": connection.consent is None,
        "The connection's account is not known: check the connection first.": not connection.account,
    }
    yield from (Issue("/connection", message) for message, present in obstacles.items() if present)


def _targets(export: ExportInput, around: Surroundings) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for index, target in enumerate(export.targets):
        yield from _one_target(index, target, around.default_list)
        key = target_key(target)
        identity = target_identity(target, around.definition)
        if identity in seen:
            yield Issue(f"/targets/{index}", f"Target {seen[identity]} is the same: put the segments on one target.")
        elif key in around.owners:
            yield owned_issue(index, export, around.owners[key], around.default_list)
        seen.setdefault(identity, index)
    total = sum(len(target.segments) for target in export.targets)
    if len(export.targets) > MAX_TARGETS:
        yield Issue("/targets", f"An export has at most {MAX_TARGETS} targets: make two exports of it.")
    if total > MAX_SEGMENTS:
        yield Issue("/targets", f"Together the targets have {total} segments: use at most {MAX_SEGMENTS}.")


def target_identity(target: Target, definition: Definition | None) -> str:
    """The same for two targets that are one list at the vendor."""
    if definition is None or definition.list_id_of is None:
        return target_key(target)
    return target.list_id or definition.list_id_of(target_name(target))


def _names_that_are_too_long(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    most = definition.longest_list_name
    for index, target in enumerate(export.targets):
        if most and not target.list_id and len(target_name(target)) > most:
            yield Issue(
                f"/targets/{index}/list_name",
                f"A list's name has at most {most} characters at {definition.label}: give a shorter list_name.",
            )


def _shared_fields(export: ExportInput, writers: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    for index, match in enumerate(export.matching):
        if others := writers.get(match.field.casefold()):
            yield Issue(
                f"/matching/{index}/field",
                f'Other exports fill "{match.field}" too ({_quoted(others)}): whoever is in several of their segments '
                "has the value that was sent last.",
            )


def _one_target(index: int, target: Target, default_list: str) -> Iterator[Issue]:
    if target.list_id and target.list_name:
        yield Issue(f"/targets/{index}/list_name", "Give list_id or list_name, not both.")
    if target.list_id and target.existing is None:
        which = f"The connection's default list, {default_list}," if target.list_id == default_list else "The list"
        yield Issue(
            f"/targets/{index}/existing",
            f"{which} may have members already. Choose adopt (the segment decides about everyone whom this export "
            "adds) or protect (who is on the list now is never taken off).",
        )
    if not target_name(target).strip():
        yield Issue(f"/targets/{index}/segments/0", "No list can be named after this segment: give a list_name.")
    for segment, count in Counter(target.segments).items():
        if count > 1:
            place = len(target.segments) - 1 - target.segments[::-1].index(segment)
            yield Issue(f"/targets/{index}/segments/{place}", "The target has this segment twice: remove one.")


def owned_issue(index: int, export: ExportInput, owner: str, default_list: str = "") -> Issue:
    """The refusal, with the offer of a list of its own."""
    target = export.targets[index]
    name = target_name(target)
    which = " (the connection's default)" if target.list_id and target.list_id == default_list else ""
    what = f"id {target.list_id}{which}" if target.list_id else f'"{name}"'
    return Issue(
        f"/targets/{index}",
        f'The list {what} belongs to the export "{owner}", and a list has one export. Give this export a list of '
        f'its own: leave list_id out and set list_name, for example to "{name} ({export.display_name})".',
    )


def _unseen(export: ExportInput, segments: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    for place, segment in _places(export):
        if segment not in segments:
            yield Issue(place, f'There is no snapshot of "{segment}" yet: its columns could not be checked.')


def _columns(export: ExportInput, segments: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    """Columns that a segment lacks, each said once with the segments that lack it."""
    wanted = [("/address_column", export.address_column)]
    wanted += [(f"/matching/{index}/column", match.column) for index, match in enumerate(export.matching)]
    used = dict.fromkeys(segment for _, segment in _places(export))
    for place, column in wanted:
        lacking = [segment for segment in used if segment in segments and column not in segments[segment]]
        if lacking:
            near = _near(column, segments[lacking[0]])
            yield Issue(place, f'{_quoted(lacking)} has no column "{column}"{near}.')


def _near(column: str, columns: Sequence[str]) -> str:
    """The column that was probably meant, or what there is to choose from."""
    for other in columns:
        if other.strip().casefold() == column.strip().casefold():
            return f': write it "{other}"'
    return f"; it has {_quoted(columns)}" if columns else "; it has none"


def _quoted(names: Sequence[str], at_most: int = 5) -> str:
    listed = ", ".join(f'"{name}"' for name in names[:at_most])
    return listed if len(names) <= at_most else f"{listed} and {len(names) - at_most} more"


def _places(export: ExportInput) -> Iterator[tuple[str, str]]:
    """Pointer and reference of every segment."""
    for t, target in enumerate(export.targets):
        for s, segment in enumerate(target.segments):
            yield f"/targets/{t}/segments/{s}", segment


def _matching(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, match in enumerate(export.matching):
        place = f"/matching/{index}/field"
        if wrong := _field_problem(match.field, definition):
            yield Issue(place, wrong)
        # Vendors differ in whether case counts; two fields that differ by case alone are a mistake everywhere.
        if match.field.casefold() in seen:
            yield Issue(place, f'"{match.field}" is matched twice: remove one.')
        seen.add(match.field.casefold())
        known = next((each for each in definition.fields if each.name == match.field), None)
        if known is not None and match.type not in (None, known.type):
            message = f'"{match.field}" is a {known.type} at {definition.label}: leave the type out.'
            yield Issue(f"/matching/{index}/type", message)
        if known is not None and not known.clears and match.when_empty is WhenEmpty.CLEAR:
            message = f'{definition.label} cannot clear "{match.field}": choose keep for empty cells.'
            yield Issue(f"/matching/{index}/when_empty", message)
    given = {definition.email_field, *(match.field for match in export.matching)}
    for each in definition.fields:
        if each.required and each.name not in given:
            yield Issue("/matching", f'{definition.label} requires the field "{each.name}": match a column to it.')


def _field_problem(name: str, definition: Definition) -> str | None:
    if name.casefold() == definition.email_field.casefold():
        return "The address column fills this field: remove it from the data matching."
    if name in {each.name for each in definition.fields}:
        return None
    if name.casefold() in {reserved.casefold() for reserved in definition.reserved_fields}:
        return f'{definition.label} keeps "{name}" for itself: choose another field.'
    if not definition.custom_fields:
        names = [each.name for each in definition.fields if each.name != definition.email_field]
        return f"{definition.label} has no such field; it knows {_quoted(names, 30)}."
    if name != name.strip() or not _FIELD_NAME.fullmatch(name):
        return "A field's name has no spaces at its ends and no control characters."
    if definition.custom_name and not re.fullmatch(definition.custom_name, name):
        return f"{definition.label} has no field of such a name: it takes {definition.custom_name_rule}."
    return None


def _known_lists(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    for index, target in enumerate(export.targets):
        if target.list_id and definition.list_warning:
            yield Issue(f"/targets/{index}/list_id", definition.list_warning)


def _spelling(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    known = {each.name.casefold(): each.name for each in definition.fields}
    for index, match in enumerate(export.matching):
        meant = known.get(match.field.casefold(), match.field)
        if meant != match.field and definition.custom_fields:
            message = f'This makes a custom field; {definition.label}\'s own field is spelled "{meant}".'
            yield Issue(f"/matching/{index}/field", message)
