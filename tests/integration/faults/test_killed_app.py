"""The real app in a process of its own, killed by SIGKILL: at calls of its own choice, and from outside. Promise 2."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import pytest
import requests

from dev.faults import killing
from dev.faults.interruptions import When
from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.simulators.common.serving import serve
from shared.cloud.cloud import Cloud
from shared.cloud.settings import from_environment
from shared.delivery.state.records import ENDED
from tests.integration.delivery.engine import Engine, Person, secret_name
from tests.integration.faults import promises, segments
from tests.integration.faults.points import CHUNKS, SIDES, Tally, points
from tests.integration.faults.segments import Segment, person
from tests.integration.faults.segments import segment as made_up
from tests.integration.faults.world import World, keep_quiet
from tests.kits import ITERABLE
from tests.sampling import EVERY

NAME = "news"
NEVER = "0 0 0 1 1 *"
LATENCY = 0.1
SUBSCRIBE = "POST /api/lists/subscribe"
UPDATE = "POST /api/users/bulkUpdate"
UNSUBSCRIBE = "POST /api/lists/unsubscribe"


@dataclass
class Life:
    """How one process of the app ends: by itself at a call, or killed once the simulator has seen so many calls."""

    call: int = 0
    when: When = When.BEFORE
    endpoint: str = ""
    seen: int = 0

    @property
    def settings(self) -> dict[str, str]:
        return killing.settings(self.call, self.when) if self.call else {}


@dataclass(kw_only=True)
class AppWorld(World):
    """The world of an app that runs in processes of its own; storage, Key Vault and simulator outlive them.

    Between two processes an hour goes by: leases have ended, and the timer has looked.
    """

    services: LocalServices
    settings: dict[str, str]

    def live(self, life: Life, name: str) -> bool:
        """One process of the app, until it is dead or the run has ended; whether it died."""
        self.pass_time()
        self.wake()
        with (
            self.accounts.slice(name),
            HostProcess(
                killing.APP, settings=self.settings | life.settings, services=self.services, polling=0.1
            ) as host,
        ):
            while _answers(host):
                if self._has_ended(name):
                    host.kill()
                    return False
                if life.seen and self._calls(life.endpoint) >= life.seen:
                    host.kill()
                time.sleep(0.01)
        return True

    def _has_ended(self, name: str) -> bool:
        run = self.run(name)
        return run is not None and run.state in ENDED

    def _calls(self, endpoint: str) -> int:
        return len([entry for entry in self.engine.simulator.journal.entries if entry.endpoint == endpoint])


def _answers(host: HostProcess) -> bool:
    try:
        host.status()
    except requests.RequestException:
        return False
    return True


@contextmanager
def app_world(unique: str, **settings: str) -> Iterator[AppWorld]:
    with LocalServices() as services, serve(ITERABLE.simulator()) as simulator:
        keep_quiet(simulator)
        for credential, value in ITERABLE.secrets.items():
            services.key_vault.set_secret(secret_name(credential), value)
        hosts = ",".join(f"{host}={url}" for host, url in ITERABLE.hosts(simulator.url).items())
        all_settings = {"EXPORT_SCHEDULE": NEVER, "VENDOR_HOSTS": hosts, "SEGMENT_LOCATIONS": f"{unique}-segments"}
        all_settings |= settings
        cloud = Cloud(from_environment(services.settings() | all_settings))
        made = AppWorld(engine=Engine(cloud, simulator, unique), services=services, settings=all_settings)
        made.prepare()
        yield made


def _crowd(numbers: range, **changes: str) -> list[Person]:
    return [person(NAME, number, **changes) for number in numbers]


FIRST = made_up(NAME, _crowd(range(400)))
SECOND = made_up(NAME, [*_crowd(range(40, 60), first="Changed"), *_crowd(range(60, 440))])

ONE_LIFE_IN = 1 if EVERY else 3
LIVES = (
    Life(call=2, when=When.AFTER),
    Life(call=9, when=When.BEFORE),
    Life(call=12, when=When.AFTER),
    Life(endpoint=SUBSCRIBE, seen=5),
    Life(call=14, when=When.AFTER),
    Life(endpoint=SUBSCRIBE, seen=40),
)
"""The effects of a first delivery: start 1 to 4, plan to 7, prepare to 10; then windows of 16 requests and appends."""
LATER_LIVES = (
    Life(call=6, when=When.BEFORE),
    Life(call=15, when=When.AFTER),
    Life(endpoint=UPDATE, seen=2),
    Life(endpoint=UNSUBSCRIBE, seen=2),
)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_killed_again_and_again_within_two_runs_nothing_is_lost(unique: str, tally: Tally) -> None:
    tally.kind = "app killed again and again"
    with app_world(unique, SLICE_SECONDS="0.5") as made:
        made.engine.simulator.change_settings({"latency_fixed": LATENCY})
        made.define(NAME)
        for wanted, lives in ((FIRST, LIVES), (SECOND, LATER_LIVES)):
            made.land(wanted)
            run = made.start(NAME)
            for life in lives[::ONE_LIFE_IN]:
                with tally.point(reached=lambda: True):
                    assert made.live(life, NAME), f"the run ended before {life}"
            assert not made.live(Life(), NAME)
            promises.accounted(made, run, wanted)
        tally.sent_again = made.accounts.again


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not EVERY, reason="each point is two processes: only in `make faults`")
@pytest.mark.parametrize("when", SIDES)
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_killed_at_any_point(unique: str, tally: Tally, chunk: int, when: When) -> None:
    tally.kind = f"app killed {when} a call"
    with app_world(unique) as made:
        for at in points(chunk, 1):
            name = f"export{at}"
            made.define(name)
            if not sum(_killed(made, name, wanted, Life(at, when), tally) for wanted in WANTED):
                break
        tally.sent_again = made.accounts.again


WANTED = (lambda name: segments.first(name, segments.FEW), lambda name: segments.second(name, segments.FEW))


def _killed(made: AppWorld, name: str, wanted: Callable[[str], Segment], life: Life, tally: Tally) -> bool:
    """One delivery, whose process dies at a point and is followed by another one; whether it died."""
    segment, died = wanted(name), False
    made.land(segment)
    run = made.start(name)
    with tally.point(reached=lambda: died):
        died = made.live(life, name)
        if died:
            made.live(Life(), name)
        promises.accounted(made, run, segment)
    return died
