"""A rehearsal: a vendor's module does all that it does in a run, and nothing that writes leaves this process.

Questions pass through to the vendor. Whatever writes is answered by the vendor's understudy, which says what the vendor
would say by its contract, as far as that can be known beforehand. So a rehearsal tells what a run would be told, by the
same code; and requests are counted, and not sent.
"""

from __future__ import annotations

import threading
import time
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlsplit

import orjson

from shared.errors import UserMustAct
from shared.transport import Failure
from shared.vendors.answer_times import AnswerTimes
from shared.vendors.answers import Answer, Request
from shared.vendors.contract import ConnectionSettings, Definition
from shared.vendors.http import Counters, Link
from shared.vendors.limits import Limiter
from shared.wording import say

REHEARSED = "rehearsed"
"""In ids of what a rehearsal only pretends to make."""
FEW = 20
"""People who are asked for one by one, where a vendor tells of more of them page by page."""

_TURNED_AWAY = frozenset({401, 403})


def json_answer(body: Any, status: int = 200) -> Answer:
    """An answer as an understudy gives it."""
    return Answer(status, {"content-type": "application/json"}, orjson.dumps(body))


class _Unanswered(Exception):
    """The vendor did not answer a question of the understudy: what the module is told in place of the answer."""

    def __init__(self, instead: Answer) -> None:
        super().__init__("a question was not answered")
        self.instead = instead


@dataclass(frozen=True, slots=True)
class Called:
    """A request of a vendor's module. `path` begins at the root of the vendor's API; `base` is what stands before it.
    `ask` passes a question of the understudy itself on to the vendor."""

    method: str
    base: str
    path: str
    query: Mapping[str, str]
    body: bytes
    ask: Callable[[Request], Answer]

    def json(self) -> Any:
        return orjson.loads(self.body)


class Understudy(ABC):
    """Answers in a vendor's place. Thread safe. Lives for a slice, as long as the jobs that it pretends to begin.

    `target` is the list's id, and `on_target` tells who is on it now, by address; None where it is too long to be read.
    """

    roots: ClassVar[tuple[str, ...]]
    """How the paths of the vendor's API begin."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.settings: ConnectionSettings = {}
        self.target = ""
        self.on_target: Callable[[str], bool] | None = None
        self._pretended = 0

    def pretended(self) -> str:
        """The id of a job that is only pretended to begin."""
        with self.lock:
            self._pretended += 1
            return f"{REHEARSED}-{self._pretended}"

    @abstractmethod
    def answer(self, called: Called) -> Answer | None:
        """What the vendor would say; None for a question, which the vendor answers itself."""


class _Tally(Limiter):
    """Counts in place of waiting. Remembers what is asked for, for the exchange that follows in the same thread."""

    def __init__(self, real: Limiter) -> None:
        self._real = real
        self._here = threading.local()
        self._counted = threading.Lock()
        self.asked: dict[str, Counter[str]] = {}
        self.phase = ""

    @property
    def endpoint(self) -> str:
        return str(getattr(self._here, "endpoint", ""))

    def acquire(self, endpoint: str) -> float:
        self._here.endpoint = endpoint
        with self._counted:
            self.asked.setdefault(self.phase, Counter())[endpoint] += 1
        return 0.0

    def throttled(self, endpoint: str) -> None:
        self._real.throttled(endpoint)

    def hold(self, endpoint: str, seconds: float) -> None:
        self._real.hold(endpoint, seconds)

    def seconds_for(self, endpoint: str, requests: int) -> float:
        return self._real.seconds_for(endpoint, requests)

    def state(self) -> dict[str, Any]:
        return self._real.state()

    def restore(self, state: Mapping[str, Any]) -> None:
        self._real.restore(state)


class Rehearsing:
    """What a vendor's module stands on while it rehearses. `link` is the module's, `outside` leads to the vendor, and
    `sent` counts what went out."""

    def __init__(self, definition: Definition, understudy: Understudy, outside: Link) -> None:
        self.understudy = understudy
        self.sent = Counters()
        self._counting = threading.Lock()
        self.withheld: dict[str, Counter[str]] = {}
        """Requests that did not go out, by phase and endpoint."""
        self.aside: dict[str, float] = {}
        """Seconds that the understudy's own questions took, by phase: no run asks them."""
        self.answers: list[float] = []
        """Seconds that answers of the vendor took, the rate's waits apart."""
        self.outside = replace(outside, counters=self.sent)
        self._tokens = definition.oauth.token_path if definition.oauth else None
        self._tally = _Tally(outside.limiter)
        self.link = replace(
            outside, limiter=self._tally, transport=self._exchange, counters=Counters(), answer_times=AnswerTimes()
        )

    @property
    def asked(self) -> Mapping[str, Counter[str]]:
        """Requests that the run would make, by phase and endpoint."""
        return self._tally.asked

    def begin(self, phase: str) -> None:
        """What is asked from now on belongs to this phase: phases follow one another."""
        self._tally.phase = phase

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        base, path, query = self._parts(url)

        def ask(request: Request) -> Answer:
            began = time.monotonic()
            url = f"{base}{request.target}"
            outcome = self._send(request.method, url, headers, request.body, seconds, request.endpoint)
            self._set_aside(time.monotonic() - began)
            return _required(outcome)

        try:
            answer = self.understudy.answer(Called(method, base, path, query, body or b"", ask))
        except _Unanswered as error:
            return error.instead
        if answer is not None:
            self._withhold()
            return answer
        if method != "GET" and not (self._tokens and path.endswith(self._tokens)):
            raise UserMustAct(
                "not_rehearsed",
                say("The rehearsal would have had to write at the vendor, so it ended: tell the engineers."),
            )
        return self._send(method, url, headers, body, seconds, self._tally.endpoint)

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, endpoint: str
    ) -> Answer | Failure:
        link = self.outside
        self.sent.add(requests=1, throttled_seconds=link.limiter.acquire(endpoint))
        link.before_request()
        began = time.monotonic()
        outcome = link.exchange(endpoint, method, url, headers, body, seconds)
        self.answers.append(time.monotonic() - began)
        return outcome

    def _set_aside(self, seconds: float) -> None:
        with self._counting:
            self.aside[self._tally.phase] = self.aside.get(self._tally.phase, 0.0) + seconds

    def _withhold(self) -> None:
        with self._counting:
            self.withheld.setdefault(self._tally.phase, Counter())[self._tally.endpoint] += 1

    def _parts(self, url: str) -> tuple[str, str, Mapping[str, str]]:
        parts = urlsplit(url)
        starts = [place for root in self.understudy.roots if (place := parts.path.find(root)) >= 0]
        start = min(starts, default=0)
        base = f"{parts.scheme}://{parts.netloc}{parts.path[:start]}"
        return base, parts.path[start:], dict(parse_qsl(parts.query, keep_blank_values=True))


def _required(outcome: Answer | Failure) -> Answer:
    """The answer to a question of an understudy. Where there is none, the module is told what makes it try again, and
    where the connection may not ask, that."""
    if isinstance(outcome, Failure) or outcome.status == 429 or outcome.status >= 500:
        raise _Unanswered(Answer(429, {"retry-after": "1"}))
    if outcome.status in _TURNED_AWAY:
        raise _Unanswered(outcome)
    return outcome
