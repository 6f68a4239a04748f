"""The API says everything in English, or in the language that Accept-Language asks for."""

from __future__ import annotations

import pytest

from shared.control.runs import Verification
from shared.wording import say, say_many, together
from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import START

GONE = say("The list %(list)s does not exist in %(vendor)s.", list="4411201", vendor="Iterable")
CANCELLED = say("The run was cancelled.")
BEYOND = say_many(
    "%(num)s person has unsubscribed or bounced in %(vendor)s since they were put there.",
    "%(num)s people have unsubscribed or bounced in %(vendor)s since they were put there.",
    1200,
    vendor="Iterable",
)


@pytest.mark.parametrize(
    ("headers", "detail"),
    [
        ({}, 'There is no export "second".'),
        ({"cookie": "language=sv"}, 'There is no export "second".'),
        ({"accept-language": "de"}, 'There is no export "second".'),
        ({"accept-language": "sv-SE,en;q=0.5"}, "Det finns ingen export ”second”."),
        ({"accept-language": "ro"}, "Nu există export „second”."),
    ],
)
def test_a_refusal_is_said_in_the_language_that_is_asked_for(
    client: Client, headers: dict[str, str], detail: str
) -> None:
    assert client.get("/api/v1/exports/second", headers=headers).json["detail"] == detail


def test_every_issue_of_a_body_is_said_in_the_language_that_is_asked_for(client: Client) -> None:
    sent = {"display_name": "x" * 101}
    refused = client.put("/api/v1/exports/second", sent, headers={"accept-language": "sv"}).json
    assert refused["title"] == "Kan inte sparas"
    said = {each["pointer"]: each["message"] for each in refused["errors"]}
    assert said["/display_name"] == "Skriv högst 100 tecken."
    assert said["/connection"] == "Detta krävs."


def test_a_run_of_two_targets_is_told_without_a_mixture(client: Client, service: FakeService) -> None:
    made = run("1", export="vips").model_copy(update={"message": together([GONE, CANCELLED])})
    seen = Verification(verdict="explained", message=BEYOND, at=START, looks=1)
    target = made.targets[0].model_copy(update={"message": GONE, "warnings": (CANCELLED,), "verification": seen})
    service.past = [made.model_copy(update={"targets": (target,)})]
    told = client.get("/api/v1/exports/vips/runs/1", headers={"accept-language": "sv"}).json
    assert told["message"] == "Listan 4411201 finns inte i Iterable. Körningen avbröts."
    assert told["targets"][0]["message"] == "Listan 4411201 finns inte i Iterable."
    assert told["targets"][0]["warnings"] == ["Körningen avbröts."]
    assert told["targets"][0]["verification"]["message"].startswith("1\u00a0200 personer har avregistrerat sig")
    assert client.get("/api/v1/exports/vips/runs/1").json["message"] == f"{GONE} {CANCELLED}"
