"""Removing a connection on its page and over the API: one question for all exports, with numbers, and progress."""

from __future__ import annotations

from html import unescape
from urllib.parse import urlencode

import pytest

from shared.app import create_app
from shared.delivery.state.records import State
from tests.unit.api.asgi import Client
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService, run
from tests.unit.pages.asking import client, page, post

CLEAR = "/connections/marketing/clear"


@pytest.fixture
def crowded(service: FakeService) -> FakeService:
    """With 25 exports on the connection, 3 people on each one's list."""
    for number in range(24):
        service.world.save(f"e{number}", targets=[{"segments": ["blob/ci:VIP"], "list_name": f"List {number}"}])
    service.left = {"list": 3}
    return service


def form(service: FakeService, **fields: str) -> bytes:
    shown = page(client(service).get("/connections/marketing/remove"))
    version = unescape(shown.partition('name="version" value="')[2].partition('"')[0])
    return urlencode({"version": version, **fields}).encode()


def test_the_page_has_the_numbers_and_one_choice_for_all(crowded: FakeService) -> None:
    shown = page(client(crowded).get("/connections/marketing/remove"))
    for told in ("25 exports use it", "75 people whom they added are on lists now.", "What becomes of all of them"):
        assert told in shown
    assert shown.count('name="decision"') == 3


def test_it_asks_once_more_and_does_nothing_before(crowded: FakeService) -> None:
    shown = page(post(client(crowded), CLEAR, form(crowded, decision="remove")))
    assert "Is this right for all 25 exports?" in shown
    assert "75 people" in shown
    assert "Nobody is taken off a list" in shown
    assert len(crowded.catalog.exports_on("marketing")) == 25
    assert crowded.trail.page(1, None)[0][0].outcome == "refused", "nothing was changed yet"


def test_it_shows_how_far_it_is_and_goes_on_by_itself(crowded: FakeService) -> None:
    sure = {"decision": "detach", "sure": "on", "total": "25"}
    shown = page(post(client(crowded), CLEAR, form(crowded, **sure)))
    assert '<progress max="25" value="20"' in shown
    assert "20 of 25 exports are done." in shown
    assert 'hx-trigger="load delay:500ms, submit"' in shown
    answer = post(client(crowded), CLEAR, form(crowded, **sure))
    assert answer.headers["hx-redirect"] == "/connections?removed=marketing"
    listed = page(client(crowded).get("/connections", query={"removed": "marketing"}))
    assert "The connection marketing was removed." in listed


def test_what_cannot_go_is_named_and_nothing_turns_in_circles(crowded: FakeService) -> None:
    crowded.past = [run("r1", State.RUNNING, "e7")]
    sure = {"decision": "detach", "sure": "on", "total": "25"}
    post(client(crowded), CLEAR, form(crowded, **sure))
    shown = page(post(client(crowded), CLEAR, form(crowded, **sure)))
    assert "Some exports need you" in shown
    assert 'href="/exports/e7"' in shown
    assert "hx-trigger" not in shown.partition('id="going"')[2]
    assert "Try again" in shown


def test_a_connection_that_was_changed_meanwhile_is_not_removed(crowded: FakeService) -> None:
    sent = form(crowded, decision="remove", sure="on")
    crowded.world.connect(display_name="Other", shared_with="administrators and contributors")
    answer = post(client(crowded), CLEAR, sent)
    assert answer.status == 412
    assert "Somebody changed it meanwhile, so nothing was done." in page(answer)
    assert "If-Match" not in page(answer)
    assert len(crowded.catalog.exports_on("marketing")) == 25


@pytest.mark.parametrize("person", ["carl", "vera"])
def test_others_than_administrators_may_not(crowded: FakeService, person: str) -> None:
    assert post(client(crowded, person), CLEAR, b"decision=remove&sure=on").status == 403
    assert client(crowded, person).get("/connections/marketing/remove").status == 403


def test_the_api_takes_the_same_decision_step_by_step(crowded: FakeService) -> None:
    api = Client(create_app(crowded, KnownCallers()))
    where = f"/api/v1{CLEAR}"
    assert api.get(where).json == {"removed": False, "left": 25, "people": 75, "withdrawing": 0, "refused": []}
    assert api.post(where, {"exports": "burn"}).status == 422
    first = api.post(where, {"exports": "remove"}).json
    assert (first["removed"], first["left"]) == (False, 5)
    assert api.post(where, {"exports": "remove"}).json["removed"] is True
    assert api.get("/api/v1/connections/marketing").status == 404
