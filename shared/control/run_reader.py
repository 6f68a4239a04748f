"""What is known of runs: one of them, lists of them, what they report, and the files that they leave.

Runs of an export that is deleted are still there. None means that there is no such thing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from shared.catalog.models import NAME
from shared.cloud.cloud import Cloud
from shared.control import links, runs
from shared.control.links import RunFile
from shared.control.runs import (
    PlannedView,
    RejectedRow,
    Report,
    RunPage,
    RunPoint,
    RunRows,
    RunsAsked,
    RunSummary,
    RunView,
)
from shared.control.views import FileLink
from shared.delivery.lookups import history, planned
from shared.delivery.state import every_run, latest, layout
from shared.delivery.state.records import ENDED, GROUPS, Delivery
from shared.delivery.state.runs import Runs
from shared.errors import Unprocessable
from shared.wording import say


class RunReader:
    """Reads runs, and changes nothing."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud
        self._runs = Runs(cloud.runs)

    def view(self, export: str, run: str) -> RunView | None:
        """A run and its deliveries."""
        held = self._runs.run(export, run)
        return runs.view(held.value, self._deliveries(export, run)) if held else None

    def last(self, export: str) -> RunSummary | None:
        """The newest run, under way or not."""
        return next((runs.summary(run) for run in self._runs.history(export, at_once=1)), None)

    def latest(self) -> Mapping[str, RunSummary]:
        """Export -> its newest run, of those that have one. One query, however many exports and runs there are."""
        return {export: runs.summary(run) for export, run in latest.every(self._cloud.runs).items() if run}

    def before(self, view: RunView) -> RunView | None:
        """The last run before this one that left the lists as the segments say."""
        run = planned.before(self._runs, view.export, view.run)
        return runs.view(run, self._deliveries(run.export, run.run)) if run else None

    # Lists

    def page(self, export: str, *, top: int, continuation: str | None) -> RunPage:
        """Newest first. Raises Unprocessable for a token it did not give."""
        if continuation is not None and not self._there(export, continuation):
            raise _bad_token()
        found = list(islice(self._runs.history(export, after=continuation or "", at_once=top + 1), top + 1))
        following = found[top - 1].run if len(found) > top else None
        return RunPage(runs=tuple(runs.summary(run) for run in found[:top]), next=following)

    def rows(self, export: str, asked: RunsAsked, *, top: int) -> RunRows:
        """Runs that the address asks for, newest first, each with its counts. Raises Unprocessable for a token it did
        not give."""
        if asked.after and not self._there(export, asked.after):
            raise _bad_token()
        alone = not asked.state or bool(asked.where)
        listed = self._runs.listed(
            export,
            after=asked.after,
            since=asked.since,
            until=asked.until,
            where=asked.where,
            at_once=top + 1 if alone else None,
        )
        found, last, early = runs.page_of_runs(listed, asked, top)
        counted = self._runs.deliveries_of(export, [run.run for run in found if not run.counts])
        rows = tuple(runs.row(run, counted.get(run.run, ())) for run in found)
        return RunRows(rows, last.run if last else "", last.created_at if last and early else None)

    def rows_of_all(self, asked: RunsAsked, *, top: int) -> RunRows:
        """Runs of all exports that the address asks for, newest first, each with its counts once it ended: one query.
        Raises Unprocessable for a token it did not give."""
        where = {"group": asked.state} if asked.state in GROUPS else {}
        where |= {"vendor": asked.vendor} if asked.vendor else {}
        listed = every_run.newest_first(
            self._cloud.runs,
            after=_place(asked.after),
            since=asked.since,
            until=asked.until,
            where=where,
            at_once=top + 1 if asked.exports is None else 4 * top,
        )
        found, last, early = runs.page_of_runs(listed, asked, top)
        following = f"{last.run}.{last.export}" if last else ""
        rows = tuple(runs.row(run, ()) for run in found)
        return RunRows(rows, following, last.created_at if last and early else None)

    def points(self, export: str, *, top: int) -> Sequence[RunPoint]:
        """The newest runs that ended, newest first, each with how long it took and who was on the lists after it."""
        points = history.points(self._cloud, islice(self._runs.listed(export, at_once=top), top))
        return [RunPoint(**dict(runs.summary(each.run)), seconds=each.seconds, members=each.members) for each in points]

    # What a run says of itself

    def report(self, export: str, run: str) -> Report | None:
        """What it did, once it has ended."""
        view = self.view(export, run)
        if view is None or view.state not in ENDED:
            return None
        return runs.report(view, [self._report(delivery) for delivery in self._deliveries(export, run)])

    def planned(self, export: str, run: str, target: int = 0) -> PlannedView | None:
        """What the plan of one of the run's targets says of itself, None where there is none that can be read."""
        found = planned.read(self._cloud, export, run, target)
        return PlannedView.model_validate(found) if found else None

    def sample(self, export: str, run: str, target: int = 0) -> Sequence[Mapping[str, Any]] | None:
        """A few people of each kind whom a plan holds that a guard stopped or that a dry run made, each with the
        reason and as the vendor would get it."""
        if self._runs.run(export, run) is None:
            return None
        found: list[dict[str, Any]] | None = self._json(layout.sample(layout.delivery_folder(export, run, target)))
        return found

    def rejected_rows(self, export: str, run: str, target: int = 0) -> Sequence[RejectedRow]:
        """A few refused people for each reason."""
        if self._runs.run(export, run) is None:
            return []
        return [RejectedRow(**row) for row in history.rejected_samples(self._cloud, export, run, target)]

    def link(self, file: RunFile, export: str, run: str, target: int = 0) -> FileLink | None:
        """A link to a file of one of the run's targets, counted from 0; it works for minutes."""
        if self._runs.run(export, run) is None:
            return None
        return links.of_run(self._cloud, export, run, target, file)

    def _deliveries(self, export: str, run: str) -> list[Delivery]:
        return [each.value for each in self._runs.deliveries(export, run)]

    def _there(self, export: str, run: str) -> bool:
        """No table is asked for anything but a slug."""
        return NAME.fullmatch(run) is not None and self._runs.run(export, run) is not None

    def _report(self, delivery: Delivery) -> Mapping[str, Any]:
        folder = layout.delivery_folder(delivery.export, delivery.run, delivery.index)
        return self._json(layout.report(folder)) or {"snapshots": [], "reasons": [], "target": {"key": ""}}

    def _json(self, file: str) -> Any:
        """A stored file; None where there is none."""
        stored = self._cloud.blobs.read(file)
        return json.loads(stored[0]) if stored else None


def _place(token: str) -> tuple[str, str] | None:
    """The export and the run that a page of all runs goes on after."""
    if not token:
        return None
    run, _, export = token.partition(".")
    if not (NAME.fullmatch(run) and NAME.fullmatch(export)):
        raise _bad_token()
    return export, run


def _bad_token() -> Unprocessable:
    return Unprocessable("bad_token", say("This page does not exist: start again without `continue`."))
