"""Following a run to its end, with a progress bar where a person looks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from cli.api import Api, path
from cli.failures import Exit, Failure
from cli.pausing import pauses

GOOD = frozenset({"succeeded", "succeeded with warnings", "nothing to do"})
UNDER_WAY = frozenset({"queued", "running"})
_PATIENCE = 10
"""Failed looks in a row before we give up: a run goes on whether we see it or not."""

View = dict[str, Any]
See = Callable[[View], None]


_LOOKED_AT = 20
"""Newest runs: a dry run may have ended while an older run waits."""


def newest_run(api: Api, export: str, *, under_way: bool = False) -> str:
    """Id of the newest run; with `under_way` of the newest that has not ended, where there is one. Raises Failure."""
    found = api.get(path("exports", export, "runs"), {"top": _LOOKED_AT if under_way else 1}).body["runs"]
    if not found:
        raise Failure("no_run", "The export has no run yet.")
    open_ones = [each for each in found if under_way and each["state"] in (*UNDER_WAY, "blocked")]
    return str((open_ones or found)[0]["run"])


def watch(api: Api, export: str, run: str, longest: float, see: See) -> View:
    """The run as it is when it ended or waits for a decision. `longest` is the pause between two looks, in seconds,
    once a run turns out to take its time; `see` is called with each view. Raises Failure."""
    waits, failed = pauses(longest), 0
    while True:
        try:
            view: View = api.get(path("exports", export, "runs", run)).body
        except Failure as failure:
            failed += 1
            if failure.exit_status is not Exit.UNREACHABLE or failed > _PATIENCE:
                raise
        else:
            failed = 0
            see(view)
            if view["state"] not in UNDER_WAY:
                return view
        time.sleep(next(waits))


def status_of(state: str) -> Exit:
    """What a run in this state means for a script."""
    if state in GOOD or state in UNDER_WAY:
        return Exit.OK
    return Exit.WAITING if state == "blocked" else Exit.FAILED


@contextmanager
def progress(console: Console) -> Iterator[See]:
    """A function to be called with each view: moves a bar on a terminal, elsewhere writes a line for each step."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("queued", total=None)

        def see(view: View) -> None:
            told = view["progress"]
            bar.update(task, description=_step(view), completed=told["done"], total=told["total"])

        yield see


def _lines(console: Console) -> See:
    said: list[str] = []

    def see(view: View) -> None:
        if (step := _step(view)) not in said:
            said.append(step)
            console.print(step)

    return see


def _step(view: View) -> str:
    step = view["progress"]["step"]
    return f"{view['state']}: {step}" if view["state"] == "running" and step else str(view["state"])
