"""Exports that are due at the same minute, carried out by a few instances of the host."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta

from azure.storage.queue import QueueMessage

from dev.simulators.common.faults import Fault
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox, segments
from shared.delivery.slices import active_runs
from shared.delivery.start import starting
from shared.delivery.state.records import Run, now
from tests.contract.outcomes import GOOD
from tests.integration.delivery.engine import Person, people
from tests.load.accounts import VENDORS, Account, account
from tests.load.delays import Asked
from tests.load.fleet import Fleet, fleet
from tests.load.host import Host, Turn, client_of
from tests.load.leases import Leases, watched
from tests.load.quick import quick
from tests.load.quiet import quiet_libraries

SHARING = ("iterable", "omnisend")
"""Vendors whose last two connections lead to one account."""
SEGMENTS = ("Bronze", "Silver", "Gold")
EVERY = timedelta(minutes=5)
SCHEDULE = {"kind": "cron", "expression": "*/5 * * * *", "time_zone": "UTC"}
DEAD = (Fault(kind="hang", every=2), Fault(kind="error", status=503))
"""Every other request is never answered, and the rest are turned away."""


@dataclass
class Size:
    """How much of everything; `people` of a segment."""

    exports: int
    connections: int
    people: int
    instances: int
    pace: float


CALL_SECONDS = 1.0
"""Between naming who is called, from when on an account is taken, and the message that calls."""


@dataclass
class Wave:
    """One minute at which all are due. Moments are monotonic seconds; `finished` and `runs` are by export."""

    started_at: float
    runs: dict[str, Run]
    finished: dict[str, float] = field(default_factory=dict)
    turns: Sequence[Turn] = ()
    asked: Sequence[Asked] = ()
    """Messages that were sent while it was watched."""


@dataclass
class Crowd:
    """`of` tells each export's account, `segment` its segment; an export and its list share their name."""

    fleet: Fleet
    host: Host
    leases: Leases
    size: Size
    of: dict[str, Account] = field(default_factory=dict)
    connection: dict[str, str] = field(default_factory=dict)
    segment: dict[str, str] = field(default_factory=dict)
    people: dict[str, list[Person]] = field(default_factory=dict)
    waves: int = 0

    def furnish(self) -> None:
        """As many connections of each vendor, and a snapshot of each segment."""
        each = self.size.connections // len(VENDORS)
        self.land(0)
        for index in range(self.size.exports):
            vendor, number = VENDORS[index % len(VENDORS)], index // len(VENDORS) % each + 1
            shares = number == each > 1 and vendor in SHARING
            where = account(vendor, number - 1 if shares else number)
            name, connection = f"export-{index:03d}", f"{vendor}-{number}"
            desk = self.fleet.desks[vendor]
            if connection not in self.connection.values():
                desk.open(connection, where)
            self.of[name], self.connection[name] = where, connection
            self.segment[name] = SEGMENTS[index % len(SEGMENTS)]
            desk.define(
                name,
                connection=connection,
                targets=[{"segments": [self.segment[name]], "list_name": name}],
                schedule=SCHEDULE,
                first_run="deliver",
            )

    def land(self, first: int) -> None:
        """Newer snapshots of all segments, from this person on."""
        for number, segment in enumerate(SEGMENTS):
            self.people[segment] = people(self.size.people, start=first + number)
            self.fleet.desks[VENDORS[0]].land(self.people[segment], segment, files=1)

    def due(self) -> Wave:
        """The next time has come: the timer starts every run."""
        self.waves += 1
        cloud, at = self.fleet.cloud, now() + EVERY * self.waves
        started = starting.tick(cloud, clock=lambda: at, newest=segments.Newest(cloud))
        return Wave(time.monotonic(), {each.export: each for each in started})

    def watch(self, wave: Wave, until: Callable[[Wave], bool]) -> None:
        """Let the instances work until this holds, and note which run ended when."""
        before, asked = len(self.host.turns), len(self.fleet.queue.asked)
        with self.host.instances(self.size.instances):
            while not until(wave):
                time.sleep(0.05)
                assert not self.leases.together, f"two slices at once on {self.leases.together}"
                idle = self.host.idle()
                self._note_ends(wave)  # after the look at the host: what ended it is seen
                assert until(wave) or not idle, f"nothing goes on, and runs have not ended: {self._stuck(wave)}"
        self._note_ends(wave)
        wave.turns = [*wave.turns, *self.host.turns[before:]]
        wave.asked = [*wave.asked, *self.fleet.queue.asked[asked:]]

    def _note_ends(self, wave: Wave) -> None:
        active = {each.value.export for each in active_runs(self.fleet.cloud)}
        for export in wave.runs.keys() - active - wave.finished.keys():
            wave.finished[export] = time.monotonic() - wave.started_at

    def _stuck(self, wave: Wave) -> list[str]:
        return sorted(wave.runs.keys() - wave.finished.keys())

    def vendor_of(self, turn: Turn) -> str:
        return self.account_of(turn).vendor

    def account_of(self, turn: Turn) -> Account:
        return self.of[json.loads(turn.content)["export"]]

    def held_up_by_others(self, wave: Wave) -> list[str]:
        """Turns that found their account in use with no other slice of the same account at work, or called to be."""
        at_work = [turn for turn in wave.turns if not turn.turned_away]
        return [
            turn.content
            for turn in wave.turns
            if turn.turned_away
            and not any(
                self.account_of(other) == self.account_of(turn)
                and other.visible_at <= turn.ended_at + CALL_SECONDS
                and other.ended_at >= turn.taken_at
                for other in at_work
            )
        ]

    def wrong(self, wave: Wave, names: Iterable[str]) -> list[str]:
        """Exports of a wave whose run ended badly, or whose list is not their segment."""
        return [name for name in names if not self._is_right(wave, name)]

    def _is_right(self, wave: Wave, name: str) -> bool:
        where, desk = self.of[name], self.fleet.desks[self.of[name].vendor]
        wanted = {each.email for each in self.people[self.segment[name]]}
        return desk.current(wave.runs[name]).state in GOOD and desk.on_list(where, name).keys() == wanted


@contextmanager
def crowd(storage: StorageAddress, unique: str, size: Size, *, batch: int, threshold: int) -> Iterator[Crowd]:
    """Everything is there and nothing due yet. `batch` and `threshold` are host.json's."""
    assert storage.connection_string is not None
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        leases = stack.enter_context(watched())
        stack.enter_context(quick(size.pace))
        made = stack.enter_context(fleet(storage, unique, pace=size.pace))

        def carry_out(message: QueueMessage) -> None:
            inbox.receive(made.cloud, message.content.encode())

        def give_up(message: QueueMessage) -> None:
            inbox.give_up(made.cloud, message.content.encode(), str(message.id))

        client = client_of(made.queue, storage, f"{unique}-slices")
        host = Host(made.queue, client, carry_out, give_up, lambda message: None, batch, threshold)
        crowd = Crowd(made, host, leases, size)
        crowd.furnish()
        yield crowd
