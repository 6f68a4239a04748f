"""The app's HTTP API: requests, answers, and problems (RFC 9457) as failures with what to do."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import requests
from requests.auth import AuthBase

from cli.addresses import is_local
from cli.failures import Exit, Failure
from cli.signing_in import HOW, Bearer

CSV = "text/csv"
PROBLEM = "application/problem+json"
TIMEOUT = (10, 180)
"""Seconds to connect, and to wait for an answer: a connection check asks the vendor."""

_EXITS: dict[int, Exit] = {
    HTTPStatus.UNAUTHORIZED: Exit.NOT_ALLOWED,
    HTTPStatus.FORBIDDEN: Exit.NOT_ALLOWED,
    HTTPStatus.TOO_MANY_REQUESTS: Exit.NOT_ALLOWED,
    HTTPStatus.SERVICE_UNAVAILABLE: Exit.UNREACHABLE,
}


@dataclass(frozen=True, slots=True)
class Answer:
    """`etag` is the version that was read or written; `retry_after` in seconds, 0 where nothing is said."""

    body: Any
    etag: str = ""
    retry_after: float = 0


def path(*parts: str) -> str:
    """An address in the API, each part quoted whole."""
    return "/api/v1/" + "/".join(quote(part, safe="") for part in parts)


class Api:
    """One app. Every method raises Failure.

    `knows_caller`: more can be asked than to start a run, which the function key opens (`has_key`).
    """

    def __init__(self, url: str, auth: AuthBase, key: str = "") -> None:
        self.knows_caller = is_local(url) or isinstance(auth, Bearer)
        self.has_key = bool(key)
        self._url = url
        self._key = key
        self._http = requests.Session()
        self._http.auth = auth
        self._http.headers.update({"Accept": "application/json", "User-Agent": "segment-exports"})
        self._http.trust_env = not is_local(url)

    def get(self, address: str, query: Mapping[str, Any] | None = None) -> Answer:
        return self.send("GET", address, query=query)

    def find(self, address: str) -> Answer | None:
        """None where there is no such thing."""
        try:
            return self.get(address)
        except Failure as failure:
            if failure.status == HTTPStatus.NOT_FOUND:
                return None
            raise

    def send(
        self,
        method: str,
        address: str,
        body: Any = None,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """`body` goes as JSON. A redirect is a failure: nothing that was meant for the app goes elsewhere."""
        try:
            response = self._http.request(
                method,
                self._url + address,
                params=query,
                json=body,
                headers=headers,
                timeout=TIMEOUT,
                allow_redirects=False,
            )
            return self._answer(response)
        except requests.RequestException as error:
            # Its own words may quote the request.
            raise unreachable(f"{self._url} does not answer ({type(error).__name__}).") from None

    def file(self, address: str, query: Mapping[str, Any] | None = None) -> bytes:
        """A file that the app makes for this answer."""
        return bytes(self.send("GET", address, query=query, headers={"Accept": f"{CSV}, {PROBLEM}"}).body)

    def start_by_key(self, export: str, body: Any) -> Answer:
        """Start a run with the function key, which opens this one address."""
        return self.send("POST", path("exports", export, "run"), body, headers={"x-functions-key": self._key})

    def _answer(self, response: requests.Response) -> Answer:
        kind = response.headers.get("Content-Type", "").partition(";")[0]
        if kind == PROBLEM:
            raise _failure(response)
        if response.status_code == HTTPStatus.NO_CONTENT:
            return Answer(None)
        if response.status_code < HTTPStatus.MULTIPLE_CHOICES and kind == "application/json":
            wait = response.headers.get("Retry-After", "")
            etag = response.headers.get("ETag", "")
            return Answer(response.json(), etag, float(wait if wait.isdigit() else 0))
        if response.status_code == HTTPStatus.OK and kind == CSV:
            return Answer(response.content)
        if response.status_code in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            # So answers the Functions host, before the app is asked.
            message = "The function key (SEGMENT_EXPORTS_KEY) is missing or wrong."
            raise Failure("key_refused", message, exit_status=Exit.NOT_ALLOWED, status=response.status_code)
        raise unreachable(f"{self._url} answers, but not as this app does (status {response.status_code}).")


def unreachable(message: str) -> Failure:
    """There is no app, or it cannot answer now."""
    message = f"{message} Is the address right (--url, SEGMENT_EXPORTS_URL)?"
    return Failure("unreachable", message, exit_status=Exit.UNREACHABLE)


def _failure(response: requests.Response) -> Failure:
    problem = response.json()
    code, detail = str(problem.get("code", "")), str(problem.get("detail", ""))
    if response.status_code == HTTPStatus.UNAUTHORIZED:
        detail = f"{detail} {HOW}"
    if wait := response.headers.get("Retry-After"):
        detail = f"{detail} Try again in {wait} seconds."
    if incident := problem.get("incident"):
        detail = f"{detail} Incident {incident}."
    exit_status = Exit.NOT_ALLOWED if code == "closed" else _EXITS.get(response.status_code, Exit.FAILED)
    errors = problem.get("errors", [])
    return Failure(code, detail, exit_status=exit_status, status=response.status_code, errors=errors)
