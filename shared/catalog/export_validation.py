"""What is wrong with an export, judged when it is saved. Pure over what the catalog read."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from shared.catalog.connection_validation import setting_issues
from shared.catalog.derived_validation import columns_of_matching, derived_issues, derived_warnings
from shared.catalog.holdout import NamedElsewhere, holdout_issues
from shared.catalog.id_validation import ID_COLUMN, id_issues
from shared.catalog.issues import Issue
from shared.catalog.models import MAX_SEGMENTS, MAX_TARGETS, Connection, ExportInput, Repair, Target, WhenEmpty
from shared.catalog.rules_validation import columns_of_rules, excluded_columns, rule_issues, rule_warnings
from shared.catalog.schedules import schedule_issues
from shared.catalog.targets import target_key, target_name
from shared.vendors.contract import Definition
from shared.wording import Message, say

_FIELD_NAME = re.compile(r"[^\x00-\x1f\x7f-\x9f]+")


class SegmentKnown(NamedTuple):
    """A segment that exists: its id, whatever it was called, and its columns."""

    id: str
    columns: Sequence[str]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What an export is judged by.

    `segments`: columns of each segment that exists; `ids`: its id, whatever the export calls it. `owners`: target key
    -> the other export that owns it. `default_list`: id of the connection's, "" where it has none. `writers`: field,
    its case folded -> other exports that fill it, where the account has it once. `holdouts`: name -> another export
    that names it. `stays`: people may be on its lists who were added before it had its holdout and whom it never takes
    off.
    """

    connection: Connection | None
    definition: Definition | None
    segments: Mapping[str, Sequence[str]] = field(default_factory=dict)
    owners: Mapping[str, str] = field(default_factory=dict)
    default_list: str = ""
    writers: Mapping[str, Sequence[str]] = field(default_factory=dict)
    ids: Mapping[str, str] = field(default_factory=dict)
    holdouts: Mapping[str, NamedElsewhere] = field(default_factory=dict)
    stays: bool = False


@dataclass(frozen=True, slots=True)
class Judgement:
    """Issues forbid saving; warnings do not."""

    issues: tuple[Issue, ...]
    warnings: tuple[Issue, ...]


def judge(export: ExportInput, around: Surroundings) -> Judgement:
    """Everything that is wrong with the export, at once."""
    issues = [*_connection(export, around.connection), *_targets(export, around)]
    issues += schedule_issues(export.schedule)
    warnings = [*_unseen(export, around.segments), *rule_warnings(export), *derived_warnings(export)]
    issues += [*_columns(export, around.segments), *rule_issues(export, around.ids), *id_issues(export)]
    issues += holdout_issues(export.rules.holdout, around.holdouts, stays=around.stays)
    if around.definition is not None:
        issues += [*_matching(export, around.definition), *derived_issues(export, around.definition)]
        issues += setting_issues(export.settings, around.definition.export_settings, around.definition.label)
        issues += _names_that_are_too_long(export, around.definition)
        warnings += [*_spelling(export, around.definition), *_known_lists(export, around.definition)]
        warnings += _shared_fields(export, around.writers)
        issues += _repair(export, around.definition)
    if around.connection is not None and around.connection.check_code not in ("", "ok"):
        warnings.append(
            Issue("/connection", say("Its last check failed: %(why)s", why=around.connection.check_message))
        )
    return Judgement(tuple(issues), tuple(warnings))


def _connection(export: ExportInput, connection: Connection | None) -> Iterator[Issue]:
    if not export.connection:
        yield Issue("/connection", say("The export has no connection: choose one."))
        return
    if connection is None:
        yield Issue("/connection", say('There is no connection "%(name)s": create it first.', name=export.connection))
        return
    obstacles = {
        say("The connection is disabled: enable it, or choose another."): connection.disabled,
        say("The connection has no recorded consent: have an administrator agree first."): connection.consent is None,
        say("The connection's account is not known: check the connection first."): not connection.account,
    }
    yield from (Issue("/connection", message) for message, present in obstacles.items() if present)


def _repair(export: ExportInput, definition: Definition) -> Iterator[Issue]:
    """Nothing tells a repair by itself to begin where nothing is ever verified."""
    if export.repair is Repair.WHEN_IT_DIFFERS and not definition.verifiable:
        yield Issue(
            "/repair",
            say(
                "%(vendor)s offers no way to verify a list after a delivery, so no list would ever be repaired by "
                "itself: leave that off, check the list now and then, and repair what was found.",
                vendor=definition.label,
            ),
        )


def _targets(export: ExportInput, around: Surroundings) -> Iterator[Issue]:
    seen: dict[str, int] = {}
    for index, target in enumerate(export.targets):
        yield from _one_target(index, target, around.default_list)
        key = target_key(target)
        identity = target_identity(target, around.definition)
        if identity in seen:
            yield Issue(
                f"/targets/{index}",
                say("Target %(number)s is the same: put the segments on one target.", number=seen[identity]),
            )
        elif key in around.owners:
            yield owned_issue(index, export, around.owners[key], around.default_list)
        seen.setdefault(identity, index)
    total = sum(len(target.segments) for target in export.targets)
    if len(export.targets) > MAX_TARGETS:
        yield Issue(
            "/targets",
            say("An export has at most %(most)s targets: make two exports of it.", most=MAX_TARGETS),
        )
    if total > MAX_SEGMENTS:
        yield Issue(
            "/targets",
            say(
                "Together the targets have %(total)s segments: use at most %(most)s.",
                total=total,
                most=MAX_SEGMENTS,
            ),
        )


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
                say(
                    "A list's name has at most %(most)s characters at %(vendor)s: give a shorter list_name.",
                    most=most,
                    vendor=definition.label,
                ),
            )


def _shared_fields(export: ExportInput, writers: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    for index, match in enumerate(export.matching):
        if others := writers.get(match.field.casefold()):
            yield Issue(
                f"/matching/{index}/field",
                say(
                    'Other exports fill "%(field)s" too (%(exports)s): whoever is in several of their segments has the '
                    "value that was sent last.",
                    field=match.field,
                    exports=_quoted(others),
                ),
            )


def _one_target(index: int, target: Target, default_list: str) -> Iterator[Issue]:
    if target.list_id and target.list_name:
        yield Issue(f"/targets/{index}/list_name", say("Give list_id or list_name, not both."))
    if target.list_id and target.existing is None:
        default = say("The connection's default list, %(list)s,", list=default_list)
        which = default if target.list_id == default_list else say("The list")
        yield Issue(
            f"/targets/{index}/existing",
            say(
                "%(which)s may have members already. Choose adopt (the segment decides about everyone whom this export "
                "adds) or protect (who is on the list now is never taken off).",
                which=which,
            ),
        )
    if not target_name(target).strip():
        yield Issue(f"/targets/{index}/segments/0", say("No list can be named after this segment: give a list_name."))
    for segment, count in Counter(target.segments).items():
        if count > 1:
            place = len(target.segments) - 1 - target.segments[::-1].index(segment)
            yield Issue(f"/targets/{index}/segments/{place}", say("The target has this segment twice: remove one."))


def owned_issue(index: int, export: ExportInput, owner: str, default_list: str = "") -> Issue:
    """The refusal, with the offer of a list of its own."""
    target = export.targets[index]
    name = target_name(target)
    what: str = f'"{name}"'
    if target.list_id:
        what = say("id %(id)s", id=target.list_id)
        if target.list_id == default_list:
            what = say("id %(id)s (the connection's default)", id=target.list_id)
    return Issue(
        f"/targets/{index}",
        say(
            'The list %(list)s belongs to the export "%(export)s", and a list has one export. Give this export a '
            'list of its own: leave list_id out and set list_name, for example to "%(name)s (%(own)s)".',
            list=what,
            export=owner,
            name=name,
            own=export.display_name,
        ),
    )


def _unseen(export: ExportInput, segments: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    for place, segment in _places(export):
        if segment not in segments:
            yield Issue(
                place,
                say('There is no snapshot of "%(segment)s" yet: its columns could not be checked.', segment=segment),
            )


def _columns(export: ExportInput, segments: Mapping[str, Sequence[str]]) -> Iterator[Issue]:
    """Columns that a segment lacks, each said once with the segments that lack it."""
    wanted = [("/address_column", export.address_column)]
    wanted += [(ID_COLUMN, export.id_column)] if export.id_column else []
    wanted += [*columns_of_matching(export), *columns_of_rules(export)]
    used = list(dict.fromkeys(segment for _, segment in _places(export)))
    needed = [(place, column, used) for place, column in wanted]
    needed += [(place, column, [segment]) for place, segment, column in excluded_columns(export)]
    for place, column, looked_at in needed:
        lacking = [segment for segment in looked_at if segment in segments and column not in segments[segment]]
        if lacking:
            near = _near(column, segments[lacking[0]])
            yield Issue(
                place,
                say(
                    '%(segments)s has no column "%(column)s"%(near)s.',
                    segments=_quoted(lacking),
                    column=column,
                    near=near,
                ),
            )


def _near(column: str, columns: Sequence[str]) -> Message:
    """The column that was probably meant, or what there is to choose from."""
    for other in columns:
        if other.strip().casefold() == column.strip().casefold():
            return say(': write it "%(column)s"', column=other)
    return say("; it has %(columns)s", columns=_quoted(columns)) if columns else say("; it has none")


def _quoted(names: Sequence[str], at_most: int = 5) -> str:
    listed = ", ".join(f'"{name}"' for name in names[:at_most])
    if len(names) <= at_most:
        return listed
    return say("%(names)s and %(more)s more", names=listed, more=len(names) - at_most)


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
            yield Issue(place, say('"%(field)s" is matched twice: remove one.', field=match.field))
        seen.add(match.field.casefold())
        known = next((each for each in definition.fields if each.name == match.field), None)
        if known is not None and match.type not in (None, known.type, known.type.sent_as):
            message = say(
                '"%(field)s" is a %(type)s at %(vendor)s: leave the type out.',
                field=match.field,
                type=Message(known.type),
                vendor=definition.label,
            )
            yield Issue(f"/matching/{index}/type", message)
        if match.when_empty is WhenEmpty.CLEAR and not definition.clears(match.field):
            message = say(
                '%(vendor)s cannot clear "%(field)s": choose keep for empty cells.',
                vendor=definition.label,
                field=match.field,
            )
            yield Issue(f"/matching/{index}/when_empty", message)
    given = {definition.email_field, *(match.field for match in export.matching)}
    for each in definition.fields:
        if each.required and each.name not in given:
            yield Issue(
                "/matching",
                say(
                    '%(vendor)s requires the field "%(field)s": match a column to it.',
                    vendor=definition.label,
                    field=each.name,
                ),
            )


def _field_problem(name: str, definition: Definition) -> str | None:
    if name.casefold() == definition.email_field.casefold():
        return say("The address column fills this field: remove it from the data matching.")
    if name in {each.name for each in definition.fields}:
        return None
    if name.casefold() in {reserved.casefold() for reserved in definition.reserved_fields}:
        return say(
            '%(vendor)s keeps "%(field)s" for itself: choose another field.', vendor=definition.label, field=name
        )
    if not definition.custom_fields:
        names = [each.name for each in definition.fields if each.name != definition.email_field]
        return say(
            "%(vendor)s has no such field; it knows %(fields)s.", vendor=definition.label, fields=_quoted(names, 30)
        )
    if name != name.strip() or not _FIELD_NAME.fullmatch(name):
        return say("A field's name has no spaces at its ends and no control characters.")
    if definition.custom_name and not re.fullmatch(definition.custom_name, name):
        return say(
            "%(vendor)s has no field of such a name: it takes %(rule)s.",
            vendor=definition.label,
            rule=Message(definition.custom_name_rule),
        )
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
            message = say(
                'This makes a custom field; %(vendor)s\'s own field is spelled "%(field)s".',
                vendor=definition.label,
                field=meant,
            )
            yield Issue(f"/matching/{index}/field", message)
