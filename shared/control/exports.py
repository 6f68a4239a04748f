"""What people do with exports, the same for pages and API: look, save, delete, copy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from functools import partial

from pydantic import Field

from shared.access.person import Person
from shared.catalog import companions, copying
from shared.catalog.catalog import require_its_own
from shared.catalog.issues import Invalid, Issue, NotNow
from shared.catalog.models import Export, ExportInput, Mode, Schedule
from shared.catalog.schedules import next_time, next_times
from shared.catalog.store import Held
from shared.catalog.targets import target_key
from shared.control.listing import ListedExport
from shared.control.runs import RunSummary
from shared.control.service import Service
from shared.control.views import IssueView
from shared.delivery.addresses import invalid
from shared.errors import RetryAfter, UserMustAct
from shared.mailbox import normalised
from shared.snapshots.snapshot import Snapshot
from shared.wording import say, say_many

NEXT_TIMES = 5


class ExportView(Export):
    """A stored export, with when it runs next, how it last went, and the warnings of saving it."""

    next_times: tuple[datetime, ...] = Field(default=(), description="Empty without a cron schedule or when paused.")
    last_run: RunSummary | None = None
    warnings: tuple[IssueView, ...] = ()


def view(export: Export, service: Service, warnings: Sequence[Issue] = ()) -> ExportView:
    """The export with its next times and how it last went."""
    return _view(export, service, service.runs.last(export.name), warnings)


def view_with(export: Export, service: Service, last: RunSummary | None) -> ExportView:
    """The same, where its newest run is known already."""
    return _view(export, service, last)


def _view(export: Export, service: Service, last: RunSummary | None, warnings: Sequence[Issue] = ()) -> ExportView:
    times = [] if asleep(export) else next_times(export.schedule, service.catalog.now(), NEXT_TIMES)
    return ExportView(
        **dict(export),
        next_times=tuple(times),
        last_run=last,
        warnings=tuple(IssueView.model_validate(warning) for warning in warnings),
    )


def asleep(export: Export) -> bool:
    """Its schedule starts nothing."""
    return export.paused or export.detached


def next_of(row: ListedExport, service: Service) -> datetime | None:
    """When an export of a list runs next by a clock."""
    return None if asleep(row.export) else next_time(row.export.schedule, service.catalog.now())


def views(service: Service) -> list[ExportView]:
    """All exports, by name. A query for their definitions and one for their newest runs."""
    last = service.runs.latest()
    return [_view(held.item, service, last.get(held.item.name)) for held in service.catalog.exports.all()]


def save(
    service: Service,
    name: str,
    sent: ExportInput,
    caller: Person,
    held: Held[Export] | None,
    *,
    keep_members: bool = False,
) -> tuple[Held[Export], list[Issue]]:
    """Save it; what is stored, and what there is to know. Raises what Catalog.save_export does, and NotNow where
    people whom the export added would be left on a list that it gives up."""
    sent = service.catalog.settled(sent)
    found = effects(held.item, sent, service, keep_members=keep_members) if held else []
    busy = held is not None and running(name, service)
    told: list[Issue] = []

    def before_writing(item: Export) -> None:
        told.extend(_of_targets(service, held.item if held else None, item))
        told.extend(_of_companions(service, item))
        service.following.quietly(held.item if held else None, item)

    saved, warnings = service.catalog.save_export(name, sent, caller, held, running=busy, before_writing=before_writing)
    service.following.follow(name)
    return saved, [*found, *warnings, *_landed(service, saved.item), *told]


def _of_companions(service: Service, export: Export) -> Iterator[Issue]:
    """What other vendors tell of their targets. Raises Invalid as `_of_targets` does."""
    for index, (held, item) in enumerate(service.catalog.companions.wanted(export.name, export, export.updated_by)):
        try:
            yield from companions.placed(_of_targets(service, held.item if held else None, item), index)
        except Invalid as error:
            raise Invalid(list(companions.placed(error.issues, index))) from None


def _of_targets(service: Service, before: Export | None, after: Export) -> Sequence[Issue]:
    """What the vendor tells of its targets. Raises Invalid for a list that it newly names and that cannot be written
    to; one that it had is told of, so that the rest of it can still be changed."""
    told = service.target_warnings(after)
    had = {target.list_id for target in before.targets} if before and before.account == after.account else set()
    new = {f"/targets/{index}/list_id" for index, each in enumerate(after.targets) if each.list_id not in had}
    if wrong := [issue for issue in told if issue.pointer in new]:
        raise Invalid(wrong)
    return told


ROWS_LOOKED_AT = 200
FEWEST_ADDRESSES = 0.5
"""Of a column with fewer addresses than this, something else was probably meant."""


def _landed(service: Service, export: Export) -> Iterator[Issue]:
    """What the newest snapshots show that somebody should know before the first run."""
    chosen = [each for each in service.segments() if {each.id, each.name} & set(export.segments)]
    rows = service.row_counts([each.id for each in chosen])
    for segment in chosen:
        if rows.get(segment.id) == 0:
            yield Issue(
                "/targets",
                say("The segment %(segment)s has nobody in it now: a run would add nobody.", segment=segment.name),
            )
        elif segment.snapshot is not None and export.address_column in segment.columns:
            yield from _addresses(service, segment.name, segment.snapshot, export.address_column)


def _addresses(service: Service, segment: str, snapshot: Snapshot, column: str) -> Iterator[Issue]:
    try:
        cells = [normalised(row[0] or "") for row in service.first_rows(snapshot, [column], ROWS_LOOKED_AT)]
    except (UserMustAct, RetryAfter):  # the run tells the same
        return
    bad = set(invalid(set(cells)))
    share = sum(cell not in bad for cell in cells) / len(cells) if cells else 1.0
    if share < FEWEST_ADDRESSES:
        yield Issue(
            "/address_column",
            say(
                "Only %(share)s%% of the first %(rows)s rows of %(segment)s have an e-mail address in %(column)s: "
                "choose the column that has them.",
                share=round(100 * share),
                rows=len(cells),
                segment=segment,
                column=column,
            ),
        )


def check(
    service: Service,
    name: str,
    sent: ExportInput,
    caller: Person,
    held: Held[Export] | None,
    *,
    keep_members: bool = False,
) -> tuple[Export, list[Issue]]:
    """What saving would store and say, after every check that saving makes. Raises what `save` does."""
    sent = service.catalog.settled(sent)
    found = effects(held.item, sent, service, keep_members=keep_members) if held else []
    busy = held is not None and running(name, service)
    item, _, warnings = service.catalog.checked_export(name, sent, caller, held, running=busy)
    told = [*_of_targets(service, held.item if held else None, item), *_of_companions(service, item)]
    return item, [*found, *warnings, *_landed(service, item), *told]


def set_schedule(
    service: Service, held: Held[Export], caller: Person, *, paused: bool, schedule: Schedule | None = None
) -> Held[Export]:
    """Change when it runs and nothing else. Raises what Catalog.set_schedule does."""
    overlook = partial(service.following.quietly, held.item)
    saved = service.catalog.set_schedule(held, caller, paused=paused, schedule=schedule, before_writing=overlook)
    service.following.follow(held.item.name)
    return saved


def delete(service: Service, held: Held[Export], caller: Person, *, keep_members: bool = False) -> None:
    """Delete it and free its targets. Raises NotNow while people whom it added are on its lists, unless they stay."""
    require_its_own(held.item)
    family = [held, *service.catalog.companions.owned(held.item.name)]
    _keep(sum(sum(service.members(each.item).values()) for each in family), keep_members)
    busy = any(running(each.item.name, service) for each in family)
    service.catalog.delete_export(held, caller, running=busy)
    service.following.follow(held.item.name)


def detach(service: Service, held: Held[Export], caller: Person) -> Held[Export]:
    """Take its connection off: it keeps its definition and does not run. Raises NotNow while it runs."""
    detached = service.catalog.detach_export(held, caller, running=running(held.item.name, service))
    service.following.follow(held.item.name)
    return detached


def copy(service: Service, export: Export) -> tuple[str, ExportInput]:
    """A free name and the definition of a duplicate, which is not saved yet."""
    taken = {held.item.name for held in service.catalog.exports.all()}
    return copying.copy_of(export, taken)


def effects(before: Export, after: ExportInput, service: Service, *, keep_members: bool) -> list[Issue]:
    """What a change means for people on the lists, on all its connections. Raises NotNow where a dropped target still
    has some of ours, or another connection that it drops is being written to."""
    require_its_own(before)
    found = _effects(before, after, service, keep_members=keep_members)
    order = list(companions.wanted(before.name, after).items())
    for held in service.catalog.companions.owned(before.name):
        index, definition = next(
            ((number, each) for number, (name, each) in enumerate(order) if name == held.item.name), (0, None)
        )
        _require_quiet(service, held.item, definition)
        if definition is None:
            _keep(sum(service.members(held.item).values()), keep_members)
        else:
            issues = _effects(held.item, definition, service, keep_members=keep_members)
            found += companions.placed(issues, index)
    return list(dict.fromkeys(found))


def _require_quiet(service: Service, companion: Export, after: ExportInput | None) -> None:
    staying = {target_key(target) for target in after.targets} if after else set()
    drops = {target_key(target) for target in companion.targets} - staying
    if drops and running(companion.name, service):
        words = say(
            'A run on the connection "%(connection)s" is writing to a list that this would drop: cancel it, or wait '
            "for it.",
            connection=companion.connection,
        )
        raise NotNow("running", words)


def _effects(before: Export, after: ExportInput, service: Service, *, keep_members: bool) -> list[Issue]:
    members = service.members(before)
    staying = {target_key(target) for target in after.targets}
    _keep(sum(count for key, count in members.items() if key not in staying), keep_members)
    again = sum(count for key, count in members.items() if key in staying)
    found = []
    if again and (before.matching, before.address_column) != (after.matching, after.address_column):
        found.append(
            Issue(
                "/matching",
                say_many(
                    "The data matching changed: %(num)s person is sent again by the next run.",
                    "The data matching changed: %(num)s people are sent again by the next run.",
                    again,
                ),
            )
        )
    if before.mode is Mode.ADD and after.mode is Mode.MIRROR and again:
        found.append(Issue("/mode", say("The next run takes off everyone who left the segment since they were added.")))
    if again and before.rules != after.rules and after.mode is Mode.MIRROR:
        found.append(
            Issue("/rules", say("The rules changed: the next run takes off everyone whom they keep back from now on."))
        )
    return found


def running(name: str, service: Service) -> bool:
    """Is a run of it under way, or waiting for a decision?"""
    return service.is_running(name)


def _keep(left: int, keep_members: bool) -> None:
    if left and not keep_members:
        raise NotNow(
            "members_left",
            say_many(
                "%(num)s person whom this export added is on its lists. Run it with the kind 'withdraw' first to "
                "take them off, or repeat this with keep_members=true to leave them there.",
                "%(num)s people whom this export added are on its lists. Run it with the kind 'withdraw' first to "
                "take them off, or repeat this with keep_members=true to leave them there.",
                left,
            ),
        )
