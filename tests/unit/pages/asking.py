"""Asking for pages as a browser does."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlencode

from shared.app import create_app
from tests.unit.api.asgi import Answer, Client
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService

HTMX = {"hx-request": "true", "content-type": "application/x-www-form-urlencoded"}


def client(service: FakeService, person: str = "ann", **headers: str) -> Client:
    return Client(create_app(service, KnownCallers()), {"x-test-caller": person, "accept": "text/html", **headers})


def page(answer: Answer) -> str:
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return answer.body.decode()


def post(asked: Client, path: str, form: bytes = b"") -> Answer:
    return asked.send("POST", path, raw=form, headers=HTMX)


def changed(service: FakeService, **fields: str) -> bytes:
    """The form of the export, as the edit page has it, with these fields changed."""
    version = page(client(service).get("/exports/vips/edit")).partition('name="version" value="')[2].partition('"')[0]
    form = {
        "display_name": "VIPs",
        "connection": "marketing",
        "targets.0.segments[]": "blob/ci:VIP",
        "targets.0.kind": "own",
        "address_column": "EMail",
        "matching.0.field": "FIRSTNAME",
        "matching.0.column": "FirstName",
        "matching.0.when_empty": "keep",
        "schedule.kind": "manual",
        "version": unescape(version),
    }
    return urlencode(form | fields).encode()
