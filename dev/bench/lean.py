"""python -m dev.bench.lean VENDOR: a simulator that judges nobody and keeps no values, so that it is never the slowest.

Bulk writes are parsed, counted and accepted; everything else is the simulator's own, and Iterable's list has whoever
was put on it. `GET /_simulator/state` has
`lean`: the rows that came, and the sum of the numbers in their addresses (`people` numbers everyone), by which a
benchmark knows that everyone came once.
"""

from __future__ import annotations

import argparse
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from dev.bench.vendors import WITHOUT_LIMITS
from dev.simulators.campaign_monitor import CampaignMonitor
from dev.simulators.common.serving import serve_until_signal
from dev.simulators.common.simulator import Simulator
from dev.simulators.common.vendor import TEXT, Answer, Call, Endpoint, json_answer
from dev.simulators.dotdigital import Dotdigital
from dev.simulators.iterable import Iterable

NUMBER = slice(7, 16)
"""Where an address has its number."""
FIELDS = WITHOUT_LIMITS["iterable"].matching
MOST_ROWS = 1000
MOST_IMPORTED = 10_000
"""Of one import of Dotdigital's."""


@dataclass(slots=True)
class Seen:
    """Everyone who came, twice where they came twice."""

    rows: int = 0
    numbers: int = 0

    def take(self, addresses: Sequence[str]) -> None:
        self.rows += len(addresses)
        self.numbers += sum(int(address[NUMBER]) for address in addresses)


class LeanIterable(Iterable):
    """Iterable's bulk requests, counted, in a project that has all fields."""

    def clear(self) -> None:
        super().clear()
        self.seen = Seen()
        self._there: dict[str, bool] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        work = {
            "POST /api/lists/subscribe": self._counted("subscribers", on_list=True),
            "POST /api/lists/unsubscribe": self._counted("subscribers", on_list=False),
            "POST /api/users/bulkUpdate": self._counted("users"),
            "GET /api/lists/getUsers": self._members,
            "GET /api/users/getByEmail": lambda call: json_answer(_profile(call) if _of(call) in self._there else {}),
            "GET /api/users/getFields": lambda _: json_answer({"fields": dict.fromkeys(FIELDS, "string")}),
        }
        return _with(super().endpoints(), work)

    def state(self, account: str | None) -> dict[str, Any]:
        return super().state(account) | {"lean": {"rows": self.seen.rows, "numbers": self.seen.numbers}}

    def _members(self, call: Call) -> Answer:
        return Answer(200, "\n".join(each for each, on in self._there.items() if on).encode(), TEXT)

    def _counted(self, name: str, on_list: bool | None = None) -> Callable[[Call], Answer]:
        """`on_list`: where these people are from now on."""

        def work(call: Call) -> Answer:
            addresses = [row["email"] for row in _rows(call, name)]
            self.seen.take(addresses)
            if on_list is not None:
                self._there.update(dict.fromkeys(addresses, on_list))
            counts = {"successCount": len(addresses), "failCount": 0, "failedUpdates": {}}
            return json_answer(counts, rows=len(addresses))

        return work


class LeanCampaignMonitor(CampaignMonitor):
    """Campaign Monitor's imports and deletions, counted."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = Seen()

    def clear(self) -> None:
        super().clear()
        self.seen = Seen()

    def endpoints(self) -> Sequence[Endpoint]:
        work = {
            "POST /api/v3.3/subscribers/{listid}/import.json": self._import,
            "DELETE /api/v3.3/subscribers/{listid}.json": self._deleted,
        }
        return _with(super().endpoints(), work)

    def state(self, account: str | None) -> dict[str, Any]:
        return super().state(account) | {"lean": {"rows": self.seen.rows, "numbers": self.seen.numbers}}

    def _import(self, call: Call) -> Answer:
        addresses = [row["EmailAddress"] for row in _rows(call, "Subscribers")]
        self.seen.take(addresses)
        counts = {
            "FailureDetails": [],
            "TotalUniqueEmailsSubmitted": len(addresses),
            "TotalExistingSubscribers": 0,
            "TotalNewSubscribers": len(addresses),
            "DuplicateEmailsInSubmission": [],
        }
        return json_answer(counts, 201, rows=len(addresses))

    def _deleted(self, call: Call) -> Answer:
        self.seen.take([call.query["email"]])
        return Answer(200, b"", rows=1)


class LeanDotdigital(Dotdigital):
    """Dotdigital's imports, counted; each is done when it is first asked for, and gives everybody an id."""

    def clear(self) -> None:
        super().clear()
        self.seen = Seen()
        self._imports: dict[str, list[str]] = {}

    def endpoints(self) -> Sequence[Endpoint]:
        work = {
            "PUT /contacts/v3/import": self._taken,
            "GET /contacts/v3/import/{importId}": self._done,
        }
        return _with(super().endpoints(), work)

    def state(self, account: str | None) -> dict[str, Any]:
        return super().state(account) | {"lean": {"rows": self.seen.rows, "numbers": self.seen.numbers}}

    def _taken(self, call: Call) -> Answer:
        rows = _rows(call, "contacts", MOST_IMPORTED)
        addresses = [row["identifiers"]["email"] for row in rows]
        self.seen.take(addresses)
        job = str(uuid.uuid4())
        self._imports[job] = addresses
        return json_answer({"importId": job}, 202, rows=len(addresses))

    def _done(self, call: Call) -> Answer:
        job = call.parameters["importId"]
        created = [
            {"contactId": int(address[NUMBER]) + 1, "identifiers": {"email": address}}
            for address in self._imports.pop(job)
        ]
        summary = {"newContacts": len(created), "updatedContacts": 0}
        return json_answer({"importId": job, "status": "Finished", "summary": summary, "created": created})


def _of(call: Call) -> str:
    return call.query["email"]


def _profile(call: Call) -> dict[str, Any]:
    return {"user": {"email": _of(call), "dataFields": {}}}


def _rows(call: Call, name: str, most: int = MOST_ROWS) -> list[dict[str, Any]]:
    """None of a request that a killed client left without its body."""
    rows: list[dict[str, Any]] = orjson.loads(call.body)[name] if call.body else []
    if len(rows) > most:
        raise ValueError(f"a request carries {len(rows)} rows")
    return rows


def _with(endpoints: Sequence[Endpoint], work: Mapping[str, Callable[[Call], Answer]]) -> list[Endpoint]:
    return [replace(endpoint, work=work.get(endpoint.name, endpoint.work)) for endpoint in endpoints]


VENDORS: dict[str, Callable[[], LeanIterable | LeanCampaignMonitor | LeanDotdigital]] = {
    "campaign-monitor": LeanCampaignMonitor,
    "dotdigital": LeanDotdigital,
    "iterable": LeanIterable,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.bench.lean", description="A vendor that only counts.")
    parser.add_argument("vendor", choices=sorted(VENDORS))
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    simulator = Simulator(VENDORS[options.vendor]())
    serve_until_signal(
        simulator, "127.0.0.1", options.port, ready=lambda: print(f"listening on {simulator.url}", flush=True)
    )


if __name__ == "__main__":
    main()
