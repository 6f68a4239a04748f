"""The doctor's look at lists: what the service's records say, beside what the vendors count.

A check-up is carried out by the service, in turn with deliveries of the same account: all are started, then waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Any

from rich.console import Console

from cli.api import Api, path
from cli.failures import Exit, Failure
from cli.findings import Check, Finding
from cli.pausing import pauses

PATIENCE = 600.0
"""Seconds that check-ups are waited for, all together."""
_POLL_SECONDS = 5.0
_CHECK = "list"
_DIFFERENCES = ("missing", "strangers", "returned", "lost", "differs")
"""Numbers of people that a check-up in full tells."""
_CANNOT_NOW = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY})

View = dict[str, Any]
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which check-ups to make: of this export, or of all. In full, everyone on a list is read."""

    export: str | None = None
    full: bool = False
    patience: float = PATIENCE


@dataclass(frozen=True, slots=True)
class _Started:
    export: str
    subject: str
    target: int
    instead: str = ""
    """Why it is not the check-up that was asked for."""


def compared(wanted: Wanted, tell: Tell) -> Check:
    """The check of the doctor that these check-ups are; `tell` is told how far they are."""

    def lists(api: Api) -> Iterator[Finding]:
        pending: list[_Started] = []
        for export, target, subject in _targets(api, wanted.export):
            tell(f"Checking {subject}")
            made = _start(api, export, target, subject, full=wanted.full)
            if isinstance(made, Finding):
                yield made
            else:
                pending.append(made)
        yield from _wait(api, pending, wanted.patience, tell)

    return lists


@contextmanager
def telling(console: Console) -> Iterator[Tell]:
    """A function that says how far it is: in one line that changes on a terminal, elsewhere in lines."""
    if not console.is_terminal:
        yield lambda text: console.print(text, soft_wrap=True)
        return
    with console.status("") as status:
        yield status.update


def _targets(api: Api, only: str | None) -> Iterator[tuple[str, int, str]]:
    """Export, number and what people are told of each target that something was delivered to."""
    found = [api.get(path("exports", only)).body] if only else api.get(path("exports")).body
    for export in found:
        if export["last_run"] is None and not only:
            continue  # said already: it never ran
        several = len(export["targets"]) > 1
        for number in range(len(export["targets"])):
            yield export["name"], number, f"{export['name']}/{number}" if several else export["name"]


def _start(api: Api, export: str, target: int, subject: str, *, full: bool) -> _Started | Finding:
    """Raises Failure where nobody answers."""
    try:
        api.send("POST", path("exports", export, "doctor"), {"target": target, "full": full})
    except Failure as failure:
        if failure.code == "too_many_members":
            counted = _start(api, export, target, subject, full=False)
            return counted if isinstance(counted, Finding) else replace(counted, instead=failure.message)
        return _refused(failure, subject)
    return _Started(export, subject, target)


def _refused(failure: Failure, subject: str) -> Finding:
    """Whoever may not, or cannot now, has not found anything wrong."""
    if not failure.status:
        raise failure
    harmless = failure.exit_status is Exit.NOT_ALLOWED or failure.status in _CANNOT_NOW
    return Finding(_CHECK, subject, "warning" if harmless else "failed", failure.message)


def _wait(api: Api, pending: Sequence[_Started], patience: float, tell: Tell) -> Iterator[Finding]:
    """Each finding as soon as it is there."""
    waiting, waits, until = list(pending), pauses(_POLL_SECONDS), time.monotonic() + patience
    while waiting:
        still = []
        for each in waiting:
            found = _look(api, each)
            if found is None:
                still.append(each)
            else:
                yield found
        waiting = still
        if not waiting:
            return
        if time.monotonic() > until:
            yield from (Finding(_CHECK, each.subject, "warning", "The check-up is still under way.") for each in still)
            return
        tell(f"{len(pending) - len(waiting)} of {len(pending)} lists checked")
        time.sleep(next(waits))


def _look(api: Api, started: _Started) -> Finding | None:
    """None while it is under way."""
    try:
        view = api.get(path("exports", started.export, "doctor"), {"target": started.target}).body["latest"]
    except Failure as failure:
        return None if failure.exit_status is Exit.UNREACHABLE else _refused(failure, started.subject)
    if view is None or view["state"] == "running":
        return None
    if view["state"] == "failed":
        return Finding(_CHECK, started.subject, "failed", view["message"])
    return _found(view, started)


def _found(view: View, started: _Started) -> Finding:
    """Who unsubscribes or is added by others makes a difference every day: it is a warning, and no failure."""
    numbers = _numbers(view)
    words = " ".join(filter(None, [_words(numbers), *view["advice"], started.instead]))
    odd = numbers["difference"] or any(numbers.get(name) for name in ("missing", "strangers", "differs"))
    return Finding(_CHECK, started.subject, "warning" if odd or started.instead else "ok", words, numbers)


def _numbers(view: View) -> dict[str, int | None]:
    """People. `expected` are those of the record, and `difference` what is beyond them and those it is not sure of."""
    counted = view["listed"] if view["full"] else view["counted"]
    beyond = None if counted is None else counted - view["members"]
    unsure = min(max(beyond or 0, 0), view["maybe"])
    found = {"expected": view["members"], "unsure": view["maybe"], "counted": counted}
    found["difference"] = None if beyond is None else beyond - unsure
    return found | ({name: view[name] for name in _DIFFERENCES} if view["full"] else {})


def _words(numbers: dict[str, int | None]) -> str:
    unsure = f" (and {numbers['unsure']} perhaps)" if numbers["unsure"] else ""
    counted = "not told" if numbers["counted"] is None else numbers["counted"]
    difference = numbers["difference"] or 0
    apart = f", {abs(difference)} {'more' if difference > 0 else 'fewer'}" if difference else ""
    return f"Expected {numbers['expected']}{unsure}, counted {counted}{apart}."
