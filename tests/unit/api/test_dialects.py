"""Saying how a segment's texts are written, over the API and on its page."""

from __future__ import annotations

from typing import Any, get_args

import pytest

from shared.catalog.dialects import DialectInput, Encoding
from shared.snapshots.dialect import ENCODINGS, Dialect
from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService

VIP = "/api/v1/segments/blob%2Fci:VIP"
DECLARED = {"delimiter": ";", "escape": "\\", "encoding": "windows-1252", "nulls": ["NULL"]}
PEOPLE = {"accept": "text/html"}
FORM = {**PEOPLE, "hx-request": "true", "content-type": "application/x-www-form-urlencoded"}
WHOLE = {"quote": None, "columns": [], "compression": "", **DECLARED}


def test_what_is_declared_is_kept_and_taken_back(client: Client) -> None:
    before = client.get(VIP)
    assert (before.status, before.json["dialect"]) == (200, None)
    saved = client.put(VIP, {"dialect": DECLARED})
    assert (saved.status, saved.json["dialect"]) == (200, WHOLE)
    assert client.get(VIP).json["dialect"] == WHOLE
    assert [each["dialect"] for each in client.get("/api/v1/segments").json] == [None, None, WHOLE]
    assert client.put(VIP, {"dialect": {**DECLARED, "delimiter": ","}}).json["dialect"]["delimiter"] == ","
    assert client.put(VIP, {"dialect": None}).json["dialect"] is None
    assert client.put(VIP, {"dialect": None}).status == 200


def test_somebody_elses_change_is_not_overwritten(client: Client) -> None:
    old = client.get(VIP).headers["etag"]
    assert client.put(VIP, {"dialect": DECLARED}, headers={"If-Match": old}).status == 200
    refused = client.put(VIP, {"dialect": None}, headers={"If-Match": old})
    assert refused.status == 412
    assert client.get(VIP).json["dialect"] == WHOLE


def test_nothing_is_said_of_a_segment_that_is_not_there(client: Client) -> None:
    assert client.put("/api/v1/segments/blob%2Fci:None", {"dialect": DECLARED}).status == 404


@pytest.mark.parametrize(
    "dialect",
    [
        {"delimiter": ";;"},
        {"delimiter": "\n"},
        {"delimiter": '"'},
        {"delimiter": "'", "quote": "'"},
        {"escape": "/"},
        {"escape": "\\", "quote": ""},
        {"encoding": "klingon"},
        {"compression": "zip"},
        {"columns": ["EMail", "email"]},
        {"nulls": [""]},
        {"header": True},
    ],
    ids=str,
)
def test_what_nobody_can_read_with_is_refused(client: Client, dialect: dict[str, Any]) -> None:
    assert client.put(VIP, {"dialect": dialect}).status == 422
    assert client.get(VIP).json["dialect"] is None


def test_it_is_for_administrators(contributor: Client) -> None:
    assert contributor.put(VIP, {"dialect": DECLARED}).status == 403


def test_what_can_be_declared_is_what_can_be_read() -> None:
    assert set(get_args(Encoding)) == {"", *ENCODINGS}
    assert set(DialectInput.model_fields) == set(Dialect.__slots__)


def test_the_page_shows_how_it_is_read_and_takes_what_is_said(client: Client, service: FakeService) -> None:
    form = b"delimiter=tab&escape=%5C&encoding=utf-16&nulls=NULL%0D%0A-&columns="
    saved = client.send("POST", "/segments/blob%2Fci:VIP", raw=form, headers=FORM)
    assert (saved.status, saved.headers["hx-redirect"]) == (204, "/segments/blob%2Fci%3AVIP")
    declared, _ = service.catalog.dialects.get("blob/ci:VIP")
    assert declared == DialectInput(delimiter="\t", escape="\\", encoding="utf-16", nulls=("NULL", "-"))
    shown = client.get("/segments/blob%2Fci:VIP", headers=PEOPLE).body.decode()
    assert "EMail of the first" in shown and "Parquet" in shown
    assert '<option value="utf-16" selected>' in shown and '<option value="tab" selected>' in shown


def test_the_page_shows_rows_to_nobody_else(contributor: Client) -> None:
    shown = contributor.get("/segments/blob%2Fci:VIP", headers=PEOPLE)
    assert shown.status == 200
    assert b"EMail of the first" not in shown.body and b"How it is read" in shown.body
