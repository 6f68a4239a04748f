"""What was asked of a simulator: every request, and the sums over them."""

from __future__ import annotations

from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from dev.simulators.common.clock import Clock

Keep = Literal["counts", "addresses", "bodies"]

LATEST = 100_000  # older entries are forgotten, the sums are not


@dataclass(slots=True)
class Entry:
    """One request. `at` is the clock's monotonic time of arrival, `status` None when no answer went out.

    `worked` says whether the vendor did what was asked, whatever the client was told; `touched` holds the
    identifiers that a write took effect on, `left` those of them who left a list by it.
    """

    number: int
    at: float
    method: str
    path: str
    endpoint: str
    query: str = ""
    account: str = ""
    rows: int = 0
    body_bytes: int = 0
    status: int | None = None
    worked: bool = False
    fault: str | None = None
    touched: Sequence[str] = ()
    left: Sequence[str] = ()
    body: bytes | None = None

    def as_json(self) -> dict[str, Any]:
        body = None if self.body is None else self.body.decode("utf-8", "replace")
        return {**asdict(self), "body": body}


class _Peak:
    """The most calls that arrived within any window of `seconds`."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._arrivals: deque[float] = deque()
        self.most = 0

    def add(self, at: float) -> None:
        arrivals = self._arrivals
        arrivals.append(at)
        while arrivals[0] <= at - self._seconds:
            arrivals.popleft()
        self.most = max(self.most, len(arrivals))


@dataclass(slots=True)
class _Tally:
    calls: int = 0
    rows: int = 0
    body_bytes: int = 0
    worked: int = 0
    by_status: Counter[str] = field(default_factory=Counter)
    second: _Peak = field(default_factory=lambda: _Peak(1.0))
    minute: _Peak = field(default_factory=lambda: _Peak(60.0))

    def arrived(self, at: float) -> None:
        self.calls += 1
        self.second.add(at)
        self.minute.add(at)

    def settled(self, entry: Entry) -> None:
        self.rows += entry.rows
        self.body_bytes += entry.body_bytes
        self.worked += entry.worked
        self.by_status[str(entry.status or "none")] += 1

    def as_json(self) -> dict[str, Any]:
        return {
            "calls": self.calls,
            "rows": self.rows,
            "body_bytes": self.body_bytes,
            "worked": self.worked,
            "by_status": dict(self.by_status),
            "max_per_second": self.second.most,
            "max_per_minute": self.minute.most,
        }


class Journal:
    """Append-only; `entries` are the latest 100,000 in order of arrival."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.clear()

    def clear(self) -> None:
        self._latest: deque[Entry] = deque(maxlen=LATEST)
        self._all = _Tally()
        self._by_endpoint: defaultdict[str, _Tally] = defaultdict(_Tally)
        self._in_flight = 0
        self._most_in_flight = 0

    @property
    def entries(self) -> list[Entry]:
        return list(self._latest)

    @property
    def in_flight(self) -> int:
        """The calls that have come and whose answer has not gone out yet."""
        return self._in_flight

    def arrive(self, method: str, path: str, endpoint: str, query: str = "") -> Entry:
        """A request came in. Call `settle` before its answer goes out, and `leave` after."""
        entry = Entry(self._all.calls + 1, self._clock.monotonic(), method, path, endpoint, query)
        self._latest.append(entry)
        for tally in (self._all, self._by_endpoint[endpoint]):
            tally.arrived(entry.at)
        self._in_flight += 1
        self._most_in_flight = max(self._most_in_flight, self._in_flight)
        return entry

    def settle(self, entry: Entry) -> None:
        """The entry is complete: add it to the sums."""
        for tally in (self._all, self._by_endpoint[entry.endpoint]):
            tally.settled(entry)

    def leave(self) -> None:
        # A reset while calls were under way has already set the count to nought.
        self._in_flight = max(0, self._in_flight - 1)

    def summary(self) -> dict[str, Any]:
        """Sums over all requests, and `by_endpoint` the same for each."""
        return {
            **self._all.as_json(),
            "max_in_flight": self._most_in_flight,
            "by_endpoint": {name: tally.as_json() for name, tally in sorted(self._by_endpoint.items())},
        }
