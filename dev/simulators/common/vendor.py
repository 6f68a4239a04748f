"""What a vendor simulator is made of: endpoints that turn a call into an answer."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic

import orjson

from dev.simulators.common.clock import Clock
from dev.simulators.common.settings import SettingsT

JSON = "application/json"
TEXT = "text/plain; charset=utf-8"
HTML = "text/html; charset=utf-8"

_PARAMETER_TYPE = re.compile(r":\w+}")


@dataclass(frozen=True, slots=True)
class Call:
    """A request as an endpoint sees it; header names are lower-case, `account` is set once the key is known."""

    method: str
    path: str
    endpoint: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    client: str = ""
    account: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and for the journal: the rows that the call carried and the identifiers it took effect on; `left` are
    those of them whom it took off a list, where the same endpoint puts people on it.

    `worked` is for an answer whose status does not tell whether the vendor did what was asked.
    """

    status: int
    body: bytes
    media: str = JSON
    headers: tuple[tuple[str, str], ...] = ()
    rows: int = 0
    touched: Sequence[str] = ()
    left: Sequence[str] = ()
    worked: bool | None = None

    def with_header(self, name: str, value: str) -> Answer:
        return replace(self, headers=(*self.headers, (name, value)))


class Refusal(Exception):
    """Ends a call with `answer`, from however deep in the work."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"HTTP {answer.status}")
        self.answer = answer


def json_answer(value: Any, status: int = 200, rows: int = 0, touched: Sequence[str] = ()) -> Answer:
    return Answer(status, orjson.dumps(value), rows=rows, touched=touched)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`path` is a template in Starlette's notation; `name`, without its types, is what journal, faults and rates
    call the endpoint.
    """

    method: str
    path: str
    work: Callable[[Call], Answer]

    @property
    def name(self) -> str:
        return f"{self.method} {_PARAMETER_TYPE.sub('}', self.path)}"


class Vendor(ABC, Generic[SettingsT]):
    """One vendor: its settings and its state. Calls come one at a time, from the thread that serves."""

    name: str
    settings: SettingsT
    clock: Clock

    @abstractmethod
    def endpoints(self) -> Sequence[Endpoint]: ...

    def route(self, path: str) -> str:
        """The path by which the endpoint is found, where a vendor answers to more than one form."""
        return path

    @abstractmethod
    def authenticate(self, call: Call) -> str | Answer:
        """The account that the call's key belongs to, or the refusal."""

    @abstractmethod
    def not_found(self, call: Call) -> Answer:
        """The answer to a path or method that the vendor does not have."""

    @abstractmethod
    def rate_limited(self, endpoint: str, account: str) -> Answer:
        """The 429, without Retry-After."""

    def told_to_wait(self, limited: Answer, seconds: int) -> Answer:
        """The 429, saying when to come back; most vendors do so in a header."""
        return limited.with_header("retry-after", str(seconds))

    @abstractmethod
    def error(self, status: int) -> Answer:
        """The vendor's body for a failure of its own, such as 500 or 503."""

    @abstractmethod
    def state(self, account: str | None) -> dict[str, Any]:
        """What `GET /_simulator/state` answers; None is the first account."""

    @abstractmethod
    def members(self, target: str) -> Iterator[dict[str, Any]]:
        """`{"address", "dataFields"}` for each member of a list or tag. Raises `KeyError` if there is none."""

    @abstractmethod
    def load(self, content: Any) -> dict[str, Any]:
        """Put people and lists in place. Raises `ValueError` when `content` does not fit."""

    @abstractmethod
    def clear(self) -> None:
        """Forget all state; settings stay."""
