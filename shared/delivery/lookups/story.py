"""What happened to one person at one target, as sentences with their times, the newest first. Pure, and without the
address."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from shared.delivery.state.events import LIST
from shared.delivery.state.found import What
from shared.wording import Message, say

_SAID: Mapping[tuple[str, str], Message] = {
    ("add", "accepted"): say("Added to the list."),
    ("add", "rejected"): say("Not added: the vendor refused."),
    ("add", "skipped"): say("Not added: left alone."),
    ("add", "unknown"): say("Perhaps added: the vendor did not answer."),
    ("add", "in flight"): say("Being added: the vendor has not answered yet."),
    ("add", "not sent"): say("To be added; nothing was sent yet."),
    ("change", "accepted"): say("Data brought up to date."),
    ("change", "rejected"): say("Data not brought up to date: the vendor refused."),
    ("change", "skipped"): say("Data not brought up to date: left alone."),
    ("change", "unknown"): say("Data perhaps brought up to date: the vendor did not answer."),
    ("change", "in flight"): say("Data being brought up to date: the vendor has not answered yet."),
    ("change", "not sent"): say("Data to be brought up to date; nothing was sent yet."),
    ("remove", "accepted"): say("Taken off the list."),
    ("remove", "rejected"): say("Not taken off the list: the vendor refused."),
    ("remove", "skipped"): say("Not taken off the list: left alone."),
    ("remove", "unknown"): say("Perhaps taken off the list: the vendor did not answer."),
    ("remove", "in flight"): say("Being taken off the list: the vendor has not answered yet."),
    ("remove", "not sent"): say("To be taken off the list; nothing was sent yet."),
}
"""(operation, outcome) -> what happened."""
_KNOWN: Mapping[str, Message] = {
    "member": say("Put on the list, or data brought up to date, by an earlier run."),
    "maybe": say("Sent by an earlier run, and the vendor did not answer."),
    "removed": say("Taken off the list by an earlier run."),
    "refused": say("Refused in an earlier run."),
}
"""Status in the ledger -> what happened, where the run that did it is not looked at any more."""
_TRIED: Mapping[str, Message] = {
    "never": say("It is not tried again."),
    "when changed": say("It is tried again once the row changes."),
    "next run": say("The next run tries again."),
}


_CHECKED: Mapping[str, Message] = {
    What.MISSING: say("A check of the list did not find the person there; a repair adds them again."),
    What.LOST: say(
        "A check of the list found the person there, whom the record does not have on it; a repair looks after that."
    ),
    What.DIFFERS: say("A check of the list found other values than were delivered; a repair sends them again."),
}
"""What a check-up found -> the same in words."""


def story(
    segments: Iterable[Mapping[str, Any]],
    row: Mapping[str, Any] | None,
    receipts: Sequence[Mapping[str, Any]],
    checked: Iterable[tuple[str, str]] = (),
    events: Sequence[Mapping[str, Any]] = (),
) -> list[dict[str, Any]]:
    """Each as `at` (a time, or empty), `run` (or empty) and `text`. `segments` and `receipts` as they are explained,
    `row` the ledger's; `checked` is when a check-up found what, `events` what was written down, the newest first, of
    which receipts tell more while there are any."""
    found = [_moment(at, "", _CHECKED[What(what)]) for at, what in checked]
    told = {str(each["run"]) for each in receipts}
    happened = [*found, *_receipts(receipts), *_events(events, told)]
    happened += _known(row, told | {str(each["run"]) for each in events})
    happened.sort(key=lambda each: str(each["at"]), reverse=True)
    return [*(moment for each in segments for moment in (_in_segment(each), *_left_out(each))), *happened]


def _left_out(found: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    at = str(found.get("taken_at", ""))
    for each in found.get("left_out", ()):
        yield _moment(at, "", say("%(field)s: %(why)s", field=each["field"], why=each["reason"]))


def _in_segment(found: Mapping[str, Any]) -> dict[str, Any]:
    name = str(found["segment"]).rpartition(":")[2]
    if problem := found.get("problem"):
        return _moment("", "", say("%(segment)s could not be looked into: %(why)s", segment=name, why=problem))
    at = str(found.get("taken_at", ""))
    if not found["rows"]:
        return _moment(at, "", say("Not in the newest snapshot of %(segment)s.", segment=name))
    row = found["places"][0]["row_of_snapshot"]
    return _moment(at, "", say("In the newest snapshot of %(segment)s, row %(row)s.", segment=name, row=row))


def _receipts(receipts: Iterable[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    for each in receipts:
        said = _SAID[str(each["operation"]), str(each["outcome"])]
        reason = each.get("reason")
        text = say("%(what)s %(why)s", what=said, why=reason) if reason and each["outcome"] != "accepted" else said
        yield _moment(str(each["at"]), str(each["run"]), text)


def _events(events: Sequence[Mapping[str, Any]], told: set[str]) -> Iterator[dict[str, Any]]:
    """What runs did that have no receipt any more; where it begins with who was on the list, that too."""
    for number, each in enumerate(events, 1):
        at, run = str(each["at"]), str(each["run"])
        if each["operation"] == LIST:
            if number == len(events):
                yield _moment(at, "", _BEFORE)
        elif run not in told:
            said = _SAID[str(each["operation"]), str(each["outcome"])]
            why = _because(each)
            yield _moment(at, run, say("%(what)s %(why)s", what=said, why=why) if why else said)


def _because(event: Mapping[str, Any]) -> str:
    if event["why"]:
        return _MOVED if event["why"] == "moved" else _BY_A_RULE
    accepted = event["outcome"] == "accepted" or not event["code"]
    return "" if accepted else say("The code is %(code)s.", code=event["code"])


_BEFORE = say("Was on the list when this began to be written down.")
_MOVED = say("The person changed their address.")
_BY_A_RULE = say("A rule keeps the person back.")


def _known(row: Mapping[str, Any] | None, told: set[str]) -> Iterator[dict[str, Any]]:
    """What the ledger knows beyond the receipts that were found."""
    run = str((row or {}).get("run") or "").rpartition("-")[0]
    if row is None or run in told:
        return
    said, retry = _KNOWN[row["status"]], _TRIED.get(str(row.get("retry") or ""))
    text = say("%(what)s %(why)s", what=said, why=retry) if row["status"] == "refused" and retry else said
    at = row.get("changed_at")
    yield _moment(f"{at.isoformat()}+00:00" if at else "", run, text)


def _moment(at: str, run: str, text: str) -> dict[str, Any]:
    return {"at": at, "run": run, "text": text}
