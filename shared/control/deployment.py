"""The check-up of a deployment: what it runs on, its connections, exports, segments and notifications."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import quote

from shared.catalog.models import Connection
from shared.control import segments
from shared.control.listing import listed
from shared.control.overview import Line, overview
from shared.control.service import Service
from shared.errors import ExportError
from shared.wording import Message, say


class Severity(StrEnum):
    """How much a finding matters."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Found:
    """What was found of one subject; `address` is its page, empty where it has none."""

    subject: Message | str
    verdict: Severity
    message: Message | str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Area:
    """One part of the deployment: what is wrong or may be, and how much is well."""

    title: Message
    troubles: Sequence[Found]
    well: int

    @property
    def failed(self) -> bool:
        return any(each.verdict is Severity.FAILED for each in self.troubles)


Look = Callable[[Service], Iterator[Found]]


def check_up(service: Service) -> list[Area]:
    """Look at every part. No vendor is asked: a connection's last check counts."""
    return [_area(title, look, service) for title, look in _AREAS]


def _area(title: Message, look: Look, service: Service) -> Area:
    """A part that cannot be looked at is a trouble of its own, and no other part's."""
    try:
        findings = list(look(service))
    except ExportError as error:
        findings = [Found(say("It cannot be looked at."), Severity.FAILED, error.words)]
    troubles = [each for each in findings if each.verdict is not Severity.OK]
    return Area(title, troubles, len(findings) - len(troubles))


_PARTS = {
    "blobs": say("Blob Storage"),
    "queue": say("Queue"),
    "tables": say("Tables"),
    "key_vault": say("Key Vault"),
}


def _surroundings(service: Service) -> Iterator[Found]:
    for part, problem in service.readiness().items():
        yield Found(_PARTS.get(part, part), Severity.FAILED if problem else Severity.OK, problem)


def _connections(service: Service) -> Iterator[Found]:
    for held in service.catalog.connections.all():
        verdict, message = _of_connection(held.item)
        yield Found(held.item.display_name, verdict, message, f"/connections/{held.item.name}")


def _of_connection(connection: Connection) -> tuple[Severity, Message | str]:
    if connection.disabled:
        return Severity.WARNING, say("It is disabled: no export runs on it.")
    if not connection.consent:
        return Severity.WARNING, say("Nobody agreed yet: no export can use it.")
    if not connection.check_code:
        return Severity.WARNING, say("It was not checked since it was changed.")
    return (Severity.OK, "") if connection.check_code == "ok" else (Severity.FAILED, connection.check_message)


def _exports(service: Service) -> Iterator[Found]:
    exports = [held.item for held in service.catalog.exports.all()]
    known = {held.item.name: held.item for held in service.catalog.connections.all()}
    found = overview(listed(exports, known, service.runs.latest()), service.catalog.now())
    troubles = [
        *_lines(found.failed, Severity.FAILED, say("Its last run failed.")),
        *_lines(found.missed, Severity.FAILED, say("It was due, and no run of it began.")),
        *_lines(found.waiting, Severity.WARNING, say("Its run waits for a decision.")),
    ]
    yield from troubles
    named = {each.address for each in troubles}
    yield from (Found(each.display_name, Severity.OK) for each in exports if f"/exports/{each.name}" not in named)


def _lines(lines: Sequence[Line], verdict: Severity, message: Message) -> Iterator[Found]:
    for line in lines:
        export = line.row.export
        yield Found(export.display_name, verdict, message, f"/exports/{export.name}")


def _segments(service: Service) -> Iterator[Found]:
    for each in segments.views(service):
        address = f"/segments/{quote(each.id, safe='')}"
        bad = Severity.FAILED if each.exports else Severity.WARNING
        yield from (Found(each.name, bad, problem, address) for problem in each.problems[:1])
        if not each.problems:
            yield Found(each.name, Severity.OK)


def _notifications(service: Service) -> Iterator[Found]:
    found = service.notifications()
    subject = found.receiver or say("Receiver")
    where = "/administration/notifications"
    if not found.receiver:
        yield Found(subject, Severity.WARNING, say("Nobody is notified when a run fails: no receiver is set."), where)
    elif found.waiting:
        words = say("%(n)s notifications were not taken yet.", n=found.waiting)
        yield Found(subject, Severity.WARNING, words, where)
    else:
        yield Found(subject, Severity.OK)


_AREAS: tuple[tuple[Message, Look], ...] = (
    (say("What the app runs on"), _surroundings),
    (say("Connections"), _connections),
    (say("Exports"), _exports),
    (say("Segments"), _segments),
    (say("Notifications"), _notifications),
)
