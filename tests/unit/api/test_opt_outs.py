"""Opt-outs of a connection over the API: where they land is part of the connection, reading them is asked for."""

from __future__ import annotations

from dataclasses import replace

from cli.shapes import Shapes
from shared.delivery.opt_outs import collecting
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import OptOutReading, ReadingState
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import START

ONE = "/api/v1/connections/marketing"
WANTED = {"location": "lake/opt-outs", "daily": True, "exclude": False}


def save(client: Client, **wanted: object) -> None:
    version = client.get(ONE).headers["etag"]
    body = connection_body(opt_outs={**WANTED, **wanted})
    assert client.put(ONE, body, headers={"if-match": version}).status == 200


def test_where_they_land_is_saved_with_the_connection(client: Client) -> None:
    assert client.get(f"{ONE}/opt-outs").json == {
        "location": None,
        "segment": None,
        "people": 0,
        "parts": 0,
        "latest": None,
    }
    save(client)
    assert client.get(ONE).json["opt_outs"] == WANTED
    told = client.get(f"{ONE}/opt-outs").json
    assert (told["location"], told["segment"]) == ("lake/opt-outs", "lake/opt-outs:OptOuts_marketing")


def test_a_place_that_is_none_is_refused_where_it_stands(client: Client) -> None:
    version = client.get(ONE).headers["etag"]
    answer = client.put(ONE, connection_body(opt_outs={"location": "lake"}), headers={"if-match": version})
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/opt_outs/location")


def test_reading_is_started_and_told_where_to_look(client: Client) -> None:
    save(client)
    answer = client.post(f"{ONE}/opt-outs")
    assert (answer.status, answer.headers["location"]) == (202, f"{ONE}/opt-outs")
    assert (answer.json["latest"]["state"], answer.json["latest"]["started_by"]) == ("running", "ann")


def test_reading_afresh_is_asked_for_in_the_body(client: Client) -> None:
    save(client)
    assert client.post(f"{ONE}/opt-outs", {"afresh": True}).json["latest"]["afresh"] is True
    assert client.post(f"{ONE}/opt-outs", {"afresh": "x"}).status == 422
    assert client.post(f"{ONE}/opt-outs", {"other": 1}).status == 422


def test_without_a_place_nothing_is_read(client: Client) -> None:
    answer = client.post(f"{ONE}/opt-outs")
    assert (answer.status, answer.json["code"]) == (422, "opt_outs_nowhere")


def test_only_administrators_see_and_start_it(contributor: Client) -> None:
    assert contributor.get(f"{ONE}/opt-outs").status == 403
    assert contributor.post(f"{ONE}/opt-outs").status == 403


def test_exports_as_code_know_them_by_the_description_of_the_api(client: Client) -> None:
    shapes = Shapes(client.get("/api/openapi.json").json)
    written = {"display_name": "Shop", "vendor": "letterbox", "opt_outs": {"location": "lake/opt-outs"}}
    complete = shapes.complete("connection", written)
    assert complete["opt_outs"] == WANTED
    assert shapes.shorten("connection", complete)["opt_outs"] == {"location": "lake/opt-outs"}
    assert "opt_outs" not in shapes.shorten("connection", shapes.complete("connection", {"vendor": "letterbox"}))
    wrong = {**written, "opt_outs": {"place": "lake"}}
    assert list(shapes.unknown("connection", wrong)) == ["/opt_outs/place"]


def test_what_was_landed_is_told(client: Client, service: FakeService) -> None:
    save(client)
    reading = OptOutReading(
        mark="ab",
        started=START.timestamp(),
        started_by="",
        state=ReadingState.ENDED,
        finished=START.timestamp(),
        found={"bounced": 2},
        lost=("7",),
    )
    fresh = collecting.blank(service.catalog.connection("marketing").item)
    service.landed = replace(fresh, parts=(Part(1, 3, "x"), Part(2, 2, "y")), reading=reading)
    told = client.get(f"{ONE}/opt-outs").json
    assert (told["people"], told["parts"]) == (5, 2)
    assert (told["latest"]["state"], told["latest"]["found"]) == ("ended", {"bounced": 2})
    assert told["latest"]["lists_gone"] == ["7"]


def test_what_lies_in_another_folder_is_not_this_ones(client: Client, service: FakeService) -> None:
    save(client)
    fresh = collecting.blank(service.catalog.connection("marketing").item)
    service.landed = replace(fresh, location="lake/before", parts=(Part(1, 3, "x"),))
    assert client.get(f"{ONE}/opt-outs").json["people"] == 0
