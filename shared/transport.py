"""Bytes out, an answer in: one HTTP exchange over `requests`, without retries and without exceptions."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import orjson
import requests
import urllib3.exceptions
from urllib3.response import BaseHTTPResponse

from shared.cloud.scrubbing import guard_library_logs
from shared.deadlines import DeadlineAdapter, Deadlines
from shared.errors import OutcomeUnknown
from shared.wording import say

CONNECT_SECONDS = 10.0
_POOL = 16
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
    """A Transport for many threads: one connection pool, TLS verified, no cookies, no redirects, no proxy settings."""

    def __init__(self) -> None:
        guard_library_logs()
        self._session = requests.Session()
        # Otherwise a .netrc could replace the credential, and a proxy variable could reroute it.
        self._session.trust_env = False
        self._session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
        self._deadlines = Deadlines()
        adapter = DeadlineAdapter(pool_connections=_POOL, pool_maxsize=_POOL, max_retries=0)
        self._session.mount("https://", adapter)
        self._session.mount("http://", adapter)

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
            with self._session.request(
                method,
                url,
                headers=dict(headers),
                data=body,
                timeout=_timeouts(seconds),
                allow_redirects=False,
                stream=True,
            ) as response:
                names = {name.lower(): value for name, value in response.headers.items()}
                return _read(response.status_code, names, response.raw, deadline)
        except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
            return Failure.UNREACHABLE if isinstance(error, requests.ConnectTimeout) else Failure.TIMEOUT
        except requests.ConnectionError as error:
            return Failure.UNREACHABLE if _never_sent(error) else Failure.DROPPED
        except (requests.RequestException, urllib3.exceptions.HTTPError, ValueError):
            return Failure.DROPPED

    def close(self) -> None:
        self._session.close()


def _timeouts(seconds: float) -> tuple[float, float]:
    """Connect, and wait for the answer, so that both and the sending (which has the connect timeout) fit."""
    connect = min(CONNECT_SECONDS, seconds / 4)
    return connect, seconds - 2 * connect


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


def _never_sent(error: requests.ConnectionError) -> bool:
    """No connection, no such host, or a certificate that was refused."""
    wrapped = error.args[0] if error.args else None
    reason = getattr(wrapped, "reason", wrapped)
    if isinstance(reason, urllib3.exceptions.SSLError):
        return any(isinstance(cause, ssl.SSLCertVerificationError) for cause in reason.args)
    return isinstance(reason, urllib3.exceptions.NewConnectionError)
