"""One export over two vendors: the vendor under test, and another one beside it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

from dev.simulators.common.serving import serve
from shared.access.person import LOCAL
from shared.catalog.companions import companion_name
from shared.catalog.models import Export, ExportInput
from shared.control import exports
from shared.delivery import inbox
from shared.delivery.state.records import ENDED, Run
from tests.integration.delivery.engine import Engine
from tests.kits import ITERABLE, KLAVIYO, Kit

NAME = "newsletter"


@dataclass
class Pair:
    """The engine under test, and the same engine as it looks at the other vendor."""

    engine: Engine
    other: Engine

    @property
    def companion(self) -> str:
        """Name of the export on the other connection."""
        return companion_name(NAME, self.other.kit.name)

    def save(self, **changes: Any) -> Export:
        """Save the export on both connections, as API and pages do."""
        body = {
            "display_name": "Newsletter",
            "connection": self.engine.kit.name,
            "targets": [{"segments": ["Loyal"]}],
            "address_column": "EMail",
            "matching": matching(self.engine.kit),
            "guards": {"max_removed_people": 100, "max_removed_times": None},
            **self.engine.kit.export,
            "also": [self.also()],
        }
        sent = ExportInput.model_validate({**body, **changes})
        held = self.engine.catalog.exports.get(NAME)
        return exports.save(self.engine.service, NAME, sent, LOCAL, held, keep_members=True)[0].item

    def also(self) -> dict[str, Any]:
        kit = self.other.kit
        return {"connection": kit.name, "matching": matching(kit), **kit.export}

    def run(self) -> tuple[Run, Run]:
        """Run the export; its own run and the one beside it, once both have ended."""
        started = self.engine.service.begin(NAME)
        self.engine.pump()
        [beside] = started.beside
        assert beside.run is not None, beside.message
        return self.engine.current(started.run), self.engine.current(beside.run)

    @contextmanager
    def down(self) -> Iterator[None]:
        """The vendor under test does not answer inside the block."""
        cloud = self.engine.cloud
        before = cloud.settings
        nowhere = dict.fromkeys(self.engine.kit.hosts(self.engine.simulator.url), "http://127.0.0.1:9")
        cloud.settings = replace(before, vendor_hosts={**before.vendor_hosts, **nowhere})
        yield
        cloud.settings = before

    def pump_until(self, run: Run, most: int = 300) -> None:
        """Deliver messages until this run has ended, whatever becomes of others."""
        for _ in range(most):
            message = self.engine.queue.receive_message(visibility_timeout=600)
            if message is not None:
                inbox.receive(self.engine.cloud, message.content.encode())
                self.engine.queue.delete_message(message)
            if self.engine.current(run).state in ENDED:
                return
        raise AssertionError("the run does not end")


def matching(kit: Kit) -> list[dict[str, str]]:
    return [{"field": kit.first, "column": "FirstName"}, {"field": kit.city, "column": "City"}]


@contextmanager
def pair(engine: Engine, beside: Kit | None = None) -> Iterator[Pair]:
    """The engine's vendor with a connection, and another vendor with one: always the same where none is named."""
    kit = beside or (KLAVIYO if engine.kit.name == ITERABLE.name else ITERABLE)
    with serve(kit.simulator()) as simulator:
        cloud = engine.cloud
        hosts = {**cloud.settings.vendor_hosts, **kit.hosts(simulator.url)}
        cloud.settings = replace(cloud.settings, vendor_hosts=hosts)
        secrets = {credential: f"other-{credential.replace('_', '-')}" for credential in kit.secrets}
        cloud.secrets.values |= {secrets[name]: value for name, value in kit.secrets.items()}  # type: ignore[attr-defined]
        other = Engine(cloud, simulator, engine.unique, kit=kit, at=engine.at)
        kit.furnish(other)
        other.connect(secrets=secrets)
        yield Pair(engine, other)
