"""The real app on any vendor, killed by SIGKILL at calls of its own choice; another process goes on. `make faults`."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import pytest
import requests

from dev.faults import killing
from dev.faults.interruptions import When
from dev.host.host_process import HostProcess
from dev.host.services import LocalServices
from dev.simulators.common.serving import serve
from shared.cloud.cloud import Cloud
from shared.cloud.settings import from_environment
from shared.delivery import inbox
from shared.delivery.state import layout
from shared.delivery.state.records import ENDED, now
from tests.integration.delivery.engine import Engine, Person, secret_name
from tests.integration.faults.any_vendor import VendorWorld, calm, connect, define, first, second
from tests.integration.faults.points import SEED, Tally
from tests.kits import KITS, Kit
from tests.sampling import EVERY

ONE_IN = 8
SETTINGS = {"EXPORT_SCHEDULE": "0 0 0 1 1 *", "JOB_SECONDS": "0.05", "VERIFY_SECONDS": "0.01"}


class Killed(VendorWorld):
    """Its workers are processes; `services` outlive them."""

    services: LocalServices
    settings: dict[str, str]

    def survive(self, name: str, wanted: list[Person], at: int) -> bool:
        """One run, whose first process kills itself at a call; whether it did."""
        self.engine.at -= timedelta(seconds=59)
        self.engine.land(wanted)
        run, already = self.engine.start(name), self.done()
        died = self.live(name, killing.settings(at, When.BEFORE))
        in_flight = self.in_flight(name)
        if died:
            self.pass_time()
            later = now() + timedelta(hours=1)
            inbox.wake(self.engine.cloud, clock=lambda: later)
            assert not self.live(name, {})
        twice = {address for (_, address), times in (self.done() - already).items() if times > 1}
        assert twice <= in_flight
        self.again += len(twice)
        self.kept(self.engine.current(run), wanted)
        return died

    def live(self, name: str, armed: dict[str, str]) -> bool:
        """One process, until it is dead or all is done; whether it died."""
        settings = self.settings | armed
        with HostProcess(killing.APP, settings=settings, services=self.services, polling=0.1) as host:
            while _answers(host):
                if self._is_over(name):
                    host.kill()
                    self.pass_time()  # it may still have held the account
                    return False
                time.sleep(0.02)
        return True

    def _is_over(self, name: str) -> bool:
        run = self.latest(name)
        return run is not None and run.state in ENDED and not list(self.engine.cloud.blobs.names(layout.VERIFYING))


def _answers(host: HostProcess) -> bool:
    try:
        host.status()
    except requests.RequestException:
        return False
    return True


@contextmanager
def killed_world(kit: Kit, unique: str) -> Iterator[Killed]:
    with LocalServices() as services, serve(kit.simulator()) as simulator:
        for credential, value in kit.secrets.items():
            services.key_vault.set_secret(secret_name(credential), value)
        hosts = ",".join(f"{host}={url}" for host, url in kit.hosts(simulator.url).items())
        settings = {**SETTINGS, "VENDOR_HOSTS": hosts, "SEGMENT_LOCATIONS": f"{unique}-segments"}
        cloud = Cloud(from_environment(services.settings() | settings))
        made = Killed(Engine(cloud, simulator, unique, kit=kit, at=now() - timedelta(days=1)))
        made.services, made.settings = services, settings
        kit.furnish(made.engine)
        calm(made.engine)
        connect(made.engine)
        yield made


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.skipif(not EVERY, reason="each point is two processes: only in `make faults`")
@pytest.mark.parametrize("kit", [KITS[name] for name in KITS if name != "iterable"], ids=lambda kit: kit.name)
def test_killed_at_any_point(kit: Kit, unique: str, tally: Tally) -> None:
    tally.kind = f"{kit.name}: app killed before a call"
    with killed_world(kit, unique) as world:
        for at in count(SEED % ONE_IN + 1, ONE_IN):
            name = f"export{at}"
            define(world.engine, name)
            struck = [world.survive(name, wanted, at) for wanted in (first(name), second(name))]
            tally.tried += sum(struck)
            tally.survived += sum(struck)
            if not any(struck):
                break
        tally.sent_again = world.again
