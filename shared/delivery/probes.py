"""Probes of connections: started by a person, carried out by queue messages under the account's lease.

What a probe knows is a blob, which goes when the probe ends; what people see of it is with the connection. A probe
that was cut off goes on with the same message, or the timer sends it again.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from shared.catalog.issues import Invalid, Issue, NotFound, NotNow
from shared.catalog.models import Connection, ProbeAnswer, Probed, ProbeState
from shared.catalog.store import connection_store
from shared.cloud.cloud import Cloud
from shared.delivery import addresses
from shared.delivery.account.connecting import open_leased
from shared.delivery.account.lease import AccountLease
from shared.delivery.jobs import BlobKind, Clock, Course, LeasedAccount, leased
from shared.delivery.messages import ProbeMessage
from shared.delivery.state import layout
from shared.delivery.state.records import now
from shared.errors import Conflict, Unprocessable
from shared.vendors.canaries import Canaries
from shared.vendors.contract import ProbeFinding
from shared.vendors.probing import Notebook, advance, conclude, open_probe, questions
from shared.wording import say

LONGEST = timedelta(hours=1)
"""After so long a probe asks nothing more and clears away."""
LONGEST_LOCAL = 64
"""Characters before the at sign."""
_WRITES = 5
"""How often the connection's row is written anew when somebody else was faster."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probing(Course):
    """A probe that is under way, and what it knows."""

    connection: str
    mark: str
    base: str = field(repr=False)
    facts: dict[str, Any] = field(default_factory=dict)


class _Kind(BlobKind[ProbeMessage, Probing]):
    words = "A slice of a probe"
    folder = layout.PROBES
    patience = timedelta(hours=24)
    poisoned = say("The probe failed several times; the log has the details. The next one clears away what it left.")
    too_late = say("The probe did not get to its end in a day. The next one clears away what it left.")

    def blob(self, of: Probing | ProbeMessage) -> str:
        return layout.probe(of.connection)

    def message(self, course: Probing) -> ProbeMessage:
        return ProbeMessage(course.connection, course.mark, course.turn)

    def account(self, cloud: Cloud, job: Probing) -> LeasedAccount | None:
        held = connection_store(cloud.connections).get(job.connection)
        if held is None or not _is_probed(held.item, job):
            # The connection went, or leads elsewhere now: another probe clears away.
            cloud.blobs.delete(self.blob(job))
            return None
        return leased(str(held.item.account), held.item)

    def step(self, cloud: Cloud, course: Probing, lease: AccountLease, clock: Clock) -> None:
        held = connection_store(cloud.connections).get(course.connection)
        if held is None or not _is_probed(held.item, course):
            return
        book = Notebook(course.facts)
        wait = _ask(cloud, held.item, course, lease, clock)
        if wait is None:
            state = ProbeState.FAILED if book.hopeless else ProbeState.ENDED
            words = book.hopeless or book.left_behind
            _end(cloud, course, clock, state, words, conclude(held.item.vendor, book))
            return
        _record(cloud, course, answers=_answers(held.item.vendor, book.findings))
        self.again(cloud, course, wait, clock)

    def fail(self, cloud: Cloud, job: Probing, words: str, clock: Clock) -> None:
        _end(cloud, job, clock, ProbeState.FAILED, words)


KIND = _Kind(Probing)


def start(cloud: Cloud, name: str, base: str, by: str, *, clock: Clock = now) -> Probed:
    """Start a probe, or give the one that is under way. `base` is an address, or a domain, that canaries are made of.

    Raises NotFound, Invalid for a base that makes no addresses, Unprocessable where the connection is disabled or was
    not checked yet, NotNow while another connection's probe is at the account, and Conflict where the connection is
    being changed.
    """
    _check_base(base)
    store = connection_store(cloud.connections)
    held = store.get(name)
    if held is None:
        raise NotFound("connection", name)
    _check_ready(held.item)
    before = held.item.probe
    if before and before.state is ProbeState.RUNNING and _is_alive(cloud, name, before.mark, clock):
        return before
    _check_alone(cloud, held.item, clock)
    probed = Probed(mark=secrets.token_hex(3), state=ProbeState.RUNNING, started_at=clock(), started_by=by)
    store.replace(held.item.model_copy(update={"probe": probed}), held.etag)
    moment = probed.started_at.timestamp()
    KIND.begin(
        cloud,
        Probing(
            account=str(held.item.account),
            started=moment,
            due=moment,
            connection=name,
            mark=probed.mark,
            base=base.strip(),
        ),
    )
    return probed


def _ask(cloud: Cloud, connection: Connection, course: Probing, lease: AccountLease, clock: Clock) -> float | None:
    """Seconds until the next slice, None at the end. The account is ours, so its whole rate is: a share of it, as
    checks and pickers have, would be two calls a minute for the smallest Dotdigital package."""

    def save() -> None:
        lease.hold()
        KIND.write(cloud, KIND.alive(course, clock))

    opened = open_leased(cloud, connection, lease)
    book = Notebook(course.facts, save)
    probe = open_probe(
        connection.vendor,
        settings=connection.settings,
        credentials=opened.credentials,
        link=opened.link,
        canaries=Canaries(course.base, course.mark),
        book=book,
    )
    deadline = time.monotonic() + cloud.settings.slice_seconds
    late = clock().timestamp() - course.started > LONGEST.total_seconds()
    return advance(probe, book, out_of_time=lambda: time.monotonic() > deadline, late=late)


def _check_base(base: str) -> None:
    """Raises Invalid, which never quotes it."""
    canary = Canaries(base, "0" * 6)[99]
    local, _, domain = canary.partition("@")
    if local.startswith("+") or len(local) > LONGEST_LOCAL or "." not in domain or list(addresses.invalid([canary])):
        raise Invalid(
            [Issue("/canary", say("Write an e-mail address, or a domain, that test contacts may be made of."))]
        )


def _check_ready(connection: Connection) -> None:
    if connection.disabled:
        raise Unprocessable("connection_disabled", say("The connection is disabled: enable it to probe it."))
    if connection.account is None:
        raise Unprocessable("not_checked", say("Check the connection first: its account is not known yet."))


def _check_alone(cloud: Cloud, connection: Connection, clock: Clock) -> None:
    """Each of two probes would take what the other makes for left behind. Raises NotNow."""
    for blob in cloud.blobs.names(layout.PROBES):
        other = KIND.read(cloud, blob)
        if other is None or other.connection == connection.name or other.account != connection.account:
            continue
        if not KIND.is_silent(cloud, other, clock):
            raise NotNow(
                "probing",
                say(
                    "The same account is being probed on the connection '%(connection)s'.", connection=other.connection
                ),
            )


def _is_alive(cloud: Cloud, name: str, mark: str, clock: Clock) -> bool:
    course = KIND.read(cloud, layout.probe(name))
    return course is not None and course.mark == mark and not KIND.is_silent(cloud, course, clock)


def _is_probed(connection: Connection, course: Probing) -> bool:
    """False where the connection was changed, so that the probe is no longer its own."""
    probe = connection.probe
    return probe is not None and probe.state is ProbeState.RUNNING and probe.mark == course.mark


def _end(
    cloud: Cloud,
    course: Probing,
    clock: Clock,
    state: ProbeState,
    message: str,
    found: Mapping[str, ProbeFinding] | None = None,
) -> None:
    """The connection first: a probe that dies in between ends once more."""
    held = connection_store(cloud.connections).get(course.connection)
    if held is not None:
        known = found if found is not None else Notebook(course.facts).findings
        answers = _answers(held.item.vendor, known)
        _record(cloud, course, state=state, message=message, finished_at=clock(), answers=answers)
    cloud.blobs.delete(KIND.blob(course))


def _record(cloud: Cloud, course: Probing, **changes: Any) -> None:
    """Keep with the connection what people see of the probe, while it is still that connection's."""
    store = connection_store(cloud.connections)
    for _ in range(_WRITES):
        held = store.get(course.connection)
        if held is None or held.item.probe is None or not _is_probed(held.item, course):
            return
        probe = held.item.probe.model_copy(update=changes)
        with suppress(Conflict):
            store.replace(held.item.model_copy(update={"probe": probe}), held.etag)
            return
    raise Conflict("the connection is changed all the time")


def _answers(vendor: str, found: Mapping[str, ProbeFinding]) -> tuple[ProbeAnswer, ...]:
    return tuple(
        ProbeAnswer(id=each.id, asks=each.asks, section=each.section, **asdict(found[each.id]))
        for each in questions(vendor)
        if each.id in found
    )
