"""What is wrong with an export's rules, judged when it is saved. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from shared.catalog.issues import Issue
from shared.catalog.models import ExportInput, Mode
from shared.wording import say


def columns_of_rules(export: ExportInput) -> Iterator[tuple[str, str]]:
    """Pointer and name of every column that the export's own segments must have for its rules."""
    for index, rule in enumerate(export.rules.require):
        yield f"/rules/require/{index}/column", rule.column
    if export.rules.limit:
        yield "/rules/limit/by", export.rules.limit.by


def excluded_columns(export: ExportInput) -> Iterator[tuple[str, str, str]]:
    """Pointer, segment and address column of every excluded segment."""
    for index, rule in enumerate(export.rules.exclude):
        place = f"/rules/exclude/{index}/{'address_column' if rule.address_column else 'segment'}"
        yield place, rule.segment, rule.address_column or export.address_column


def rule_issues(export: ExportInput, ids: Mapping[str, str]) -> Iterator[Issue]:
    """`ids`: reference of a segment that is there -> its id."""
    yield from _excluded(export, ids)
    yield from _required(export)


def rule_warnings(export: ExportInput) -> Iterator[Issue]:
    if export.rules and export.mode is Mode.ADD:
        yield Issue(
            "/mode",
            say("Nobody is taken off in this mode: whoever is kept back by a rule later stays on the list."),
        )


def _excluded(export: ExportInput, ids: Mapping[str, str]) -> Iterator[Issue]:
    own = {ids.get(segment, segment) for target in export.targets for segment in target.segments}
    seen: set[str] = set()
    for index, rule in enumerate(export.rules.exclude):
        place, found = f"/rules/exclude/{index}/segment", ids.get(rule.segment, rule.segment)
        if rule.segment not in ids:
            yield Issue(
                place,
                say(
                    'There is no segment "%(segment)s", or several are called so: a rule excludes one that is there.',
                    segment=rule.segment,
                ),
            )
        elif found in own:
            yield Issue(
                place,
                say('The export delivers "%(segment)s" itself: nobody of it would be left.', segment=rule.segment),
            )
        elif found in seen:
            yield Issue(place, say('"%(segment)s" is excluded twice: remove one.', segment=rule.segment))
        seen.add(found)


def _required(export: ExportInput) -> Iterator[Issue]:
    seen: set[str] = set()
    for index, rule in enumerate(export.rules.require):
        if rule.column in seen:
            yield Issue(
                f"/rules/require/{index}/column",
                say('"%(column)s" is required twice: put all its values into one rule.', column=rule.column),
            )
        seen.add(rule.column)
        for value, times in Counter(value.lower() for value in rule.one_of).items():
            if times > 1:
                yield Issue(
                    f"/rules/require/{index}/one_of", say('"%(value)s" is there twice: remove one.', value=value)
                )
