"""Many exports on many connections: four simulators, one storage, one queue."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from dev.simulators.common.journal import Entry
from dev.simulators.common.serving import serve
from shared.catalog.models import ConnectionInput, Consent, SettingDecision
from shared.cloud.settings import Location, Settings, StorageAddress
from tests.integration.delivery.engine import ADMINISTRATOR, Engine, FixedSecrets, TestCloud
from tests.kits import KITS
from tests.load.accounts import VENDORS, Account, account
from tests.load.delays import Delayed


@dataclass
class Desk(Engine):
    """One vendor's part of a fleet."""

    secrets: dict[str, str] = field(default_factory=dict)

    def open(self, name: str, where: Account) -> None:
        """Make a connection to an account, checked and with consent."""
        self.tell("settings", where.known)
        if where.content:
            self.tell("people", where.content)
        named = {credential: f"{name}-{credential.replace('_', '-')}" for credential in where.secrets}
        self.secrets.update({named[credential]: value for credential, value in where.secrets.items()})
        sent = ConnectionInput(
            display_name=name,
            vendor=where.vendor,
            settings=dict(where.settings),
            secrets=named,
            consent=Consent(agreed_by="admin", text="Profiles may go to the vendor."),
            decisions={setting: SettingDecision.model_validate(each) for setting, each in self.kit.decisions.items()},
        )
        held = self.catalog.save_connection(name, sent, ADMINISTRATOR, None)
        self.catalog.record_check(held, self.service.check_connection(name))

    def on_list(self, where: Account, name: str) -> dict[str, Mapping[str, Any]]:
        """Address -> fields of everyone on an account's list, once the vendor has nothing left to do.

        No other account of the vendor may have a list of that name.
        """
        while (state := self.inspect(f"state?account={where.id}").json()).get("pending"):
            time.sleep(0.05)
        ids = [each["id"] for each in state["lists"] if each["name"] == self.kit.list_name(name)]
        lines = [line for each in ids for line in self.inspect(f"lists/{quote(str(each))}/members").iter_lines()]
        return {row["address"]: self.kit.values(row) for row in map(json.loads, lines)}

    def entries_after(self, number: int) -> list[Entry]:
        return [entry for entry in self.simulator.journal.entries if entry.number > number]


@dataclass
class Fleet:
    """`pace` is how many times faster than life the waits are."""

    cloud: TestCloud
    desks: Mapping[str, Desk]
    queue: Delayed
    pace: float


@contextmanager
def fleet(storage: StorageAddress, unique: str, *, pace: float, **changes: Any) -> Iterator[Fleet]:
    """Four simulators without a connection yet."""
    with ExitStack() as stack:
        simulators = {name: stack.enter_context(serve(KITS[name].simulator())) for name in VENDORS}
        hosts = {host: url for name, each in simulators.items() for host, url in KITS[name].hosts(each.url).items()}
        settings = Settings(
            state_storage=storage,
            segment_storage=storage,
            segment_locations=(Location(f"{unique}-segments"),),
            vendor_hosts=hosts,
            job_seconds=1.0,
        )
        cloud, secrets = TestCloud(replace(settings, **changes), unique), dict[str, str]()
        cloud.secrets = FixedSecrets(secrets)  # type: ignore[assignment]  # only `get` is used
        queue = stack.enter_context(Delayed(storage, f"{unique}-slices", pace))
        cloud.slices = queue
        queue.prepare()
        desks = {
            name: Desk(cloud, simulator, unique, kit=KITS[name], secrets=secrets)
            for name, simulator in simulators.items()
        }
        yield Fleet(cloud, desks, queue, pace)


def one_account_each(made: Fleet) -> dict[str, Account]:
    """A connection to one account of each vendor, called like the vendor."""
    accounts = {name: account(name, 1) for name in VENDORS}
    for name, where in accounts.items():
        made.desks[name].open(name, where)
    return accounts
