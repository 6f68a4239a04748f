"""A vendor's simulator, probed over HTTP until nothing is left to do."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import requests

from dev.simulators.common.serving import serve
from dev.simulators.common.simulator import Simulator
from shared.vendors.canaries import Canaries
from shared.vendors.contract import ProbeFinding
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.probing import Notebook, Probe, advance, conclude, open_probe
from tests.kits import KITS, Kit

BASE = "ana@example.com"


class Killed(BaseException):
    """The worker died here."""


@dataclass
class Values:
    """Secrets by their names in the vendor's definition."""

    stored: Mapping[str, str]

    def get(self, name: str, *, fresh: bool = False) -> str:
        return self.stored[name]

    def has(self, name: str) -> bool:
        return name in self.stored

    def put(self, name: str, value: str) -> None:
        raise AssertionError("a probe replaces no secret")

    def alone(self, name: str) -> AbstractContextManager[None]:
        return nullcontext()


@dataclass
class Account:
    """One account at a simulator, and what its probe wrote down. `saved` hears of every fact."""

    kit: Kit
    simulator: Simulator[Any]
    base: str = BASE
    mark: str = "0a1b2c"
    facts: dict[str, Any] = field(default_factory=dict)
    saved: Callable[[], None] = lambda: None
    secrets: Mapping[str, str] = field(default_factory=dict)
    left: str = ""
    stored: str = "{}"
    """What was kept of `facts`, where a test says so."""

    @property
    def canaries(self) -> Canaries:
        return Canaries(self.base, self.mark)

    def open(self) -> tuple[Probe, Notebook]:
        link = Link(limiter=Limiter(()), vendor_hosts=self.kit.hosts(self.simulator.url))
        book = Notebook(self.facts, self.saved)
        credentials = Values({**self.kit.secrets, **self.secrets})
        made = open_probe(
            self.kit.name,
            settings=self.kit.settings,
            credentials=credentials,
            link=link,
            canaries=self.canaries,
            book=book,
        )
        return made, book

    def probe(self, most: int = 500, *, late: bool = False) -> dict[str, ProbeFinding]:
        """As the queue would carry it out: every slice opens the connection anew."""
        for _ in range(most):
            made, book = self.open()
            wait = advance(made, book, out_of_time=lambda: False, late=late)
            if wait is None:
                self.left = book.left_behind
                return conclude(self.kit.name, book)
            time.sleep(min(wait, 0.02))
        raise AssertionError("the probe never ends")

    def inspect(self, path: str) -> requests.Response:
        return requests.get(f"{self.simulator.url}/_simulator/{path}", timeout=30)

    def tell(self, path: str, body: Any) -> None:
        answer = requests.post(f"{self.simulator.url}/_simulator/{path}", json=body, timeout=30)
        assert answer.ok, answer.text

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = self.inspect("state").json()
        while state.get("pending"):
            time.sleep(0.02)
            state = self.inspect("state").json()
        return state

    def called(self) -> set[str]:
        """Endpoints that were called."""
        return {entry.endpoint for entry in self.simulator.journal.entries}

    def touched(self) -> set[str]:
        """Addresses that the vendor's calls took effect on."""
        return {address for entry in self.simulator.journal.entries for address in entry.touched}


@contextmanager
def account(vendor: str, **settings: Any) -> Iterator[Account]:
    """An account whose simulator has these switches."""
    kit = KITS[vendor]
    with serve(kit.simulator()) as simulator:
        made = Account(kit, simulator)
        made.tell("settings", {**QUICK[vendor], **settings})
        yield made


QUICK: Mapping[str, Mapping[str, Any]] = {
    "iterable": {"rates": dict.fromkeys(("GET /api/lists/getUsers", "GET /api/users/getFields"))},
    "dotdigital": {},
    "campaign-monitor": {},
    "klaviyo": {"queued_seconds": 0, "job_seconds": 0},
    "mailchimp": {"batch_pending_seconds": 0, "batch_seconds": 0},
    "omnisend": {"batch_pending_seconds": 0, "batch_seconds": 0, "tag_seconds": 0},
}
"""So that nothing is waited for that is not the matter."""
