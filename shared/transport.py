"""Bytes out, an answer in: one HTTP exchange over `urllib3`, without retries and without exceptions."""

from __future__ import annotations

import http.client
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Self
from urllib.parse import unquote

import certifi
import orjson
from urllib3 import HTTPConnectionPool, Timeout, exceptions
from urllib3.response import BaseHTTPResponse
from urllib3.util import make_headers, parse_url

from shared.cloud.scrubbing import guard_library_logs
from shared.deadlines import Deadlines, PlainPool, TlsPool
from shared.errors import OutcomeUnknown
from shared.wording import say

CONNECT_SECONDS = 10.0
_POOL = 16
_PACKED = make_headers(accept_encoding=True)
"""The header that says which ways of packing an answer can be unpacked."""
_CHUNK = 65_536
_LARGEST = 64_000_000
"""Bytes of an answer; more than any vendor's largest page, so that a runaway answer cannot fill the memory."""


class UnexpectedAnswer(OutcomeUnknown):
    """The other side answered with something that its contract does not describe."""


@dataclass(frozen=True, slots=True)
class Answer:
    """A complete answer; header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)

    def json(self) -> Any:
        """The body as JSON. Raises UnexpectedAnswer when it is anything else."""
        value, broken = self._parsed()
        if broken:
            # Raised here and not while handling: the parser's error holds the whole body.
            raise UnexpectedAnswer(
                say("The vendor answered %(status)s with something that is not JSON.", status=str(self.status))
            )
        return value

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises UnexpectedAnswer when it is anything else."""
        value = self.json()
        if not isinstance(value, dict):
            raise UnexpectedAnswer(
                say("The vendor answered %(status)s with JSON that is not an object.", status=str(self.status))
            )
        return value

    def object_or_empty(self) -> dict[str, Any]:
        """The body as a JSON object; empty when it is anything else."""
        value, _ = self._parsed()
        return value if isinstance(value, dict) else {}

    def expect(self, vendor: str, *statuses: int) -> Self:
        """This answer. Raises UnexpectedAnswer when its status is none of those."""
        if self.status not in statuses:
            raise UnexpectedAnswer(
                say(
                    "%(vendor)s answered %(status)s where %(expected)s is expected.",
                    vendor=vendor,
                    status=str(self.status),
                    expected=str(statuses[0]),
                )
            )
        return self

    def _parsed(self) -> tuple[Any, bool]:
        try:
            return orjson.loads(self.body), False
        except orjson.JSONDecodeError:
            return None, True


class Failure(StrEnum):
    """Why there is no answer."""

    UNREACHABLE = "unreachable"
    """Failed before a byte of the request was sent."""
    TIMEOUT = "timeout"
    DROPPED = "dropped"


Transport = Callable[[str, str, Mapping[str, str], bytes | None, float], Answer | Failure]
"""(method, url, headers, body, longest seconds) -> what came back."""


class Wire:
    """A Transport for many threads: a pool of connections for each host, TLS verified, no cookies, no redirects, no
    proxy settings.

    The pools are called themselves: a session of `requests` takes three times the processor time, for what this does
    without.
    """

    def __init__(self) -> None:
        guard_library_logs()
        self._deadlines = Deadlines()
        self._lock = threading.Lock()
        self._hosts: dict[str, _Host] = {}

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        deadline = time.monotonic() + seconds
        with self._deadlines.until(deadline) as exchange:
            answer = self._exchange(method, url, headers, body, seconds, deadline)
        # What was shut in the middle may look like an answer that ended there.
        return Failure.TIMEOUT if exchange.ended else answer

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float, deadline: float
    ) -> Answer | Failure:
        # Libraries' exceptions hold URLs, headers and bodies, so none of them leaves this function.
        try:
            host, target = self._host(url)
            response = host.pool.urlopen(
                method,
                target,
                body,
                {**host.headers, **headers},
                retries=False,
                redirect=False,
                timeout=_timeouts(seconds),
                preload_content=False,
            )
            try:
                names = {name.lower(): value for name, value in response.headers.items()}
                return _read(response.status, names, response, deadline)
            finally:
                response.close()  # a connection whose answer was not read to its end is of no use any more
                response.release_conn()
        except exceptions.TimeoutError as error:
            return Failure.UNREACHABLE if isinstance(error, exceptions.ConnectTimeoutError) else Failure.TIMEOUT
        except exceptions.HTTPError as error:
            return Failure.UNREACHABLE if _never_sent(error) else Failure.DROPPED
        except (http.client.HTTPException, ValueError, OSError):
            return Failure.DROPPED

    def _host(self, url: str) -> tuple[_Host, str]:
        """The host that a URL leads to, and what stands behind it."""
        base, target = _place(url)
        with self._lock:
            if base not in self._hosts:
                self._hosts[base] = _Host.of(base)
            return self._hosts[base], target

    def close(self) -> None:
        with self._lock:
            for host in self._hosts.values():
                host.pool.close()


@dataclass(frozen=True, slots=True)
class _Host:
    """Where a pool of connections leads to. `headers` go with every request; a name and a password in the URL, which
    people may give of a receiver of their own, are among them."""

    pool: HTTPConnectionPool
    headers: Mapping[str, str] = field(repr=False)

    @classmethod
    def of(cls, base: str) -> Self:
        place = parse_url(base)
        headers = _PACKED | (make_headers(basic_auth=unquote(place.auth)) if place.auth else {})
        if place.scheme == "https":
            context = ssl.create_default_context(cafile=certifi.where())
            return cls(TlsPool(str(place.hostname), place.port, maxsize=_POOL, ssl_context=context), headers)
        return cls(PlainPool(str(place.hostname), place.port, maxsize=_POOL), headers)


def _place(url: str) -> tuple[str, str]:
    """Scheme and host, then path and query."""
    begin = url.index("//") + 2
    end = min((place for mark in "/?#" if (place := url.find(mark, begin)) >= 0), default=len(url))
    return url[:end], url[end:] if url[end : end + 1] == "/" else f"/{url[end:]}"


def _timeouts(seconds: float) -> Timeout:
    """Connect, and wait for the answer, so that both and the sending (which has the connect timeout) fit."""
    connect = min(CONNECT_SECONDS, seconds / 4)
    return Timeout(connect=connect, read=seconds - 2 * connect)


def _read(status: int, headers: Mapping[str, str], raw: BaseHTTPResponse, deadline: float) -> Answer | Failure:
    """The body in pieces as they come, since a read timeout alone never ends an answer that trickles."""
    body = bytearray()
    while piece := raw.read1(_CHUNK, decode_content=True):
        body += piece
        if time.monotonic() > deadline:
            return Failure.TIMEOUT
        if len(body) > _LARGEST:
            return Failure.DROPPED
    return Answer(status, headers, bytes(body))


def _never_sent(error: exceptions.HTTPError) -> bool:
    """No connection, no such host, or a certificate that was refused."""
    if isinstance(error, exceptions.SSLError):
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in error.args)
    return isinstance(error, exceptions.NewConnectionError)
