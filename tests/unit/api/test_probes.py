"""Probing a connection over the API: for administrators, with the canaries' address in the body only."""

from __future__ import annotations

import pytest

from shared.catalog.issues import Invalid, Issue
from shared.catalog.models import ProbeAnswer, Probed, ProbeState
from shared.vendors.contract import CheckResult, Told
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import START

ONE = "/api/v1/connections/marketing"
CANARY = {"canary": "ann@example.com"}
PROBED = Probed(
    mark="0a1b2c",
    state=ProbeState.ENDED,
    started_at=START,
    started_by="ann",
    finished_at=START,
    answers=(
        ProbeAnswer(id="name", asks="Is a name cleared?", section="4", told=Told.ANSWERED, answer="kept"),
        ProbeAnswer(id="gzip", asks="Is it taken?", section="5", told=Told.NOT_TRIED, answer="exports send none"),
    ),
)


def test_a_probe_is_started_and_told_where_to_look(client: Client, service: FakeService) -> None:
    answer = client.post(f"{ONE}/probe", CANARY)
    assert (answer.status, answer.headers["location"]) == (202, ONE)
    assert (answer.json["state"], answer.json["started_by"]) == ("running", "ann")
    assert service.canaries == ["ann@example.com"]
    assert b"example.com" not in answer.body


def test_only_administrators_probe(contributor: Client, service: FakeService) -> None:
    assert contributor.post(f"{ONE}/probe", CANARY).status == 403
    assert service.canaries == []


@pytest.mark.parametrize("body", [{}, {"canary": "a"}, {"canary": "a" * 300}, {"canary": 7}, {**CANARY, "list": "x"}])
def test_another_body_is_refused_without_being_quoted(client: Client, body: dict[str, object]) -> None:
    answer = client.post(f"{ONE}/probe", body)
    assert answer.status == 422
    assert b"aaa" not in answer.body


def test_what_is_no_address_is_said_at_its_place(client: Client, service: FakeService) -> None:
    service.failure = Invalid([Issue("/canary", "Write an address.")])
    answer = client.post(f"{ONE}/probe", CANARY)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/canary")


def test_no_connection_no_probe(client: Client) -> None:
    assert client.post("/api/v1/connections/none/probe", CANARY).status == 404


def test_what_was_found_out_is_read_with_the_connection_and_only_the_server_writes_it(
    client: Client, service: FakeService
) -> None:
    held = service.catalog.connection("marketing")
    service.catalog.connections.replace(held.item.model_copy(update={"probe": PROBED}), held.etag)
    read = client.get(ONE).json
    assert read["probe"]["answers"][0]["answer"] == "kept"
    forged = {**read, "probe": {"mark": "ffffff"}}
    assert client.put(ONE, forged).json["probe"] == read["probe"]


def test_answers_are_of_one_account_and_go_when_the_connection_leads_elsewhere(
    client: Client, service: FakeService
) -> None:
    held = service.catalog.connection("marketing")
    service.catalog.connections.replace(held.item.model_copy(update={"probe": PROBED}), held.etag)
    client.post(f"{ONE}/check")
    assert client.get(ONE).json["probe"]
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    client.post(f"{ONE}/check")
    assert client.get(ONE).json["probe"] is None
    held = service.catalog.connection("marketing")
    service.catalog.connections.replace(held.item.model_copy(update={"probe": PROBED}), held.etag)
    assert client.put(ONE, connection_body(secrets={"key": "another-secret"})).json["probe"] is None
