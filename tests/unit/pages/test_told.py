"""What pages say of the state of things: in words, with what to do next, and a way back."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from typing import Any

import pytest

from shared.catalog.issues import Issue
from shared.control.runs import RunView
from shared.delivery.state.records import State
from shared.vendors.contract import CheckResult, Setting
from shared.wording import say
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import ADMIN, LETTERBOX, connection
from tests.unit.pages.asking import changed, client, page, post


@pytest.mark.parametrize(
    "path", ["/nowhere", "/exports/vips/nowhere", "/exports/vips/run", "/exports/vips/runs/r1?asked=no", "/a/b/c/d"]
)
def test_an_address_that_leads_nowhere_is_a_page_for_people(service: FakeService, path: str) -> None:
    answer = client(service).get(path.partition("?")[0], query={"asked": "no"} if "?" in path else None)
    assert answer.status == 404
    assert "There is no such page." in page(answer)
    assert "To the exports" in page(answer)


def test_an_address_that_leads_nowhere_is_a_problem_for_programs(service: FakeService) -> None:
    for path, accepted in (("/api/v1/nowhere", "text/html"), ("/nowhere", "application/json")):
        answer = client(service, accept=accepted).get(path)
        assert answer.status == 404
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize(
    ("person", "told"), [("vera", "Your role lets you look"), ("carl", "Its connection is not shared with you.")]
)
def test_who_may_only_look_is_told_the_reason_that_is_true(service: FakeService, person: str, told: str) -> None:
    service.world.connect("private", account="acc-2")
    service.world.save("secret-plans", connection="private")
    shown = page(client(service, person).get("/exports/secret-plans"))
    assert told in shown
    assert "not shared with you" not in page(client(service, "vera").get("/exports/vips"))


def test_a_list_that_the_vendor_does_not_have_is_refused_in_the_words_of_the_page(service: FakeService) -> None:
    words = say(
        "%(vendor)s has no list with the id %(id)s: give the id of one that exists (GET .../targets of the connection "
        "lists them), or leave list_id out and set list_name.",
        vendor="Letterbox",
        id="999",
    )
    service.forewarned = [Issue("/targets/0/list_id", words)]
    sent = {"targets.0.kind": "id", "targets.0.list_id": "999", "targets.0.existing": "adopt"}
    text = page(post(client(service), "/exports/vips", changed(service, **sent)))
    assert "List: Letterbox has no list with the id 999. Choose one of those that exist" in text
    assert 'href="#f-targets-0-list_id"' in text, "the way to the field"
    assert "list_name" not in re.sub(r'(id|name|for|href)="[^"]*"', "", text)
    assert service.catalog.export("vips").item.targets[0].list_id is None, "nothing was saved"


def test_a_connection_that_works_says_so_once(service: FakeService) -> None:
    text = page(client(service).get("/connections/marketing"))
    assert text.count("Connected") == 1
    assert "Fine." not in text, "what the check said is told when it was made, and where it does not work"


CONNECTIONS: list[tuple[str, dict[str, Any], str]] = [
    ("fresh", {}, "not checked yet"),
    ("broken", {}, "does not work"),
    ("unagreed", {"consent": None}, "nobody agreed yet"),
    ("off", {"disabled": True}, "disabled"),
]


@pytest.mark.parametrize(("name", "changes", "told"), CONNECTIONS)
def test_what_is_wrong_with_a_connection_stands_where_it_is_chosen(
    service: FakeService, name: str, changes: dict[str, Any], told: str
) -> None:
    held = service.catalog.save_connection(name, connection(display_name=name, **changes), ADMIN, None)
    if name != "fresh":
        service.catalog.record_check(
            held, CheckResult(name != "broken", "", "acc-9", "ok" if name != "broken" else "x")
        )
    shown = page(client(service).get("/exports/new"))
    option = shown.partition(f'<option value="{name}"')[2].partition("</option>")[0]
    assert option.endswith(f"({told})")


def test_a_connection_that_nobody_agreed_to_says_what_to_do(service: FakeService) -> None:
    service.world.connect("unagreed", consent=None)
    shown = page(client(service).get("/connections/unagreed"))
    assert "no export can use this connection" in shown
    assert "/connections/unagreed/edit#f-consent" in shown


def test_a_client_is_picked_where_the_vendor_names_several(service: FakeService) -> None:
    details = {"client 4f1a": "Nordic shops", "client 77bb": "Outlet"}
    service.check = lambda: CheckResult(False, "There is no client.", code="client_missing", details=details)
    shown = page(post(client(service), "/connections/marketing/check"))
    assert '<option value="77bb">Outlet (77bb)</option>' in shown
    assert "Choose the client" in page(client(service).get("/connections/marketing")), "also after signing in"
    definition = replace(LETTERBOX, settings=(*LETTERBOX.settings, Setting("client_id", "Client", "Its id.")))
    service.world.offer({"letterbox": definition})
    service.check = lambda: CheckResult(True, "Fine.", "acc-1")
    assert "Connected to Letterbox." in page(post(client(service), "/connections/marketing/client", b"client=77bb"))
    assert service.catalog.connection("marketing").item.settings["client_id"] == "77bb"


def test_a_run_that_is_being_cancelled_says_so_at_once(service: FakeService) -> None:
    going: RunView = run("r1", State.RUNNING, connection="marketing")
    service.past = [going]
    assert "Cancel the run" in page(client(service).get("/exports/vips/runs/r1"))
    service.past = [going.model_copy(update={"cancelling": True})]
    shown = page(client(service).get("/exports/vips/runs/r1"))
    assert "It is being cancelled" in shown
    assert "Cancel the run" not in shown


def test_a_column_without_addresses_and_an_empty_segment_are_said_on_saving(service: FakeService) -> None:
    service.cells = [("Malmö",), ("Lund",), ("ada@example.org",)]
    shown = unescape(page(post(client(service), "/exports/vips", changed(service))))
    assert "Only 33% of the first 3 rows of VIP have an e-mail address in EMail" in shown
    service.cells = [("ada@example.org",), ("bo@example.org",), ("",)]
    assert "of the first 3 rows" not in page(post(client(service), "/exports/vips", changed(service)))
    service.rows = {"blob/ci:VIP": 0}
    shown = page(post(client(service), "/exports/vips", changed(service)))
    assert "The segment VIP has nobody in it now" in shown


def test_what_a_connection_check_found_is_said_once_and_credentials_have_their_names(service: FakeService) -> None:
    service.check = lambda: CheckResult(True, "Connected to Letterbox; it has 3 lists.", "acc-1")
    shown = page(post(client(service), "/connections/marketing/check"))
    assert shown.count("Connected to Letterbox") == 1
    [key] = [each for each in LETTERBOX.credentials if each.name == "key"]
    assert f"{key.label}: <span" in shown
