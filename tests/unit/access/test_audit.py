"""The audit trail: every change, who made it, before and after; nothing secret, nobody's address; nothing lost."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import pytest

from shared.access.actions import Action
from shared.access.audit import LONGEST, Change, ChangeOutcome, Trail
from shared.access.person import LOCAL
from shared.app import create_app
from shared.delivery.state.records import State
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import connection_body, export_body
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.tables import MemoryTable

ONE, AUDIT = "/api/v1/connections/marketing", "/api/v1/audit"


@pytest.fixture
def client(service: FakeService) -> Client:
    return Client(create_app(service, KnownCallers()))


def newest(client: Client) -> dict[str, Any]:
    changes = client.get(AUDIT, query={"top": 1}).json["changes"]
    return dict(changes[0]) if changes else {}


def test_a_change_is_told_with_who_what_before_and_after(client: Client) -> None:
    client.put(ONE, connection_body(display_name="Post", secrets={"key": "second"}))
    told = newest(client)
    assert (told["who"], told["who_id"], told["how"]) == ("ann", "ann", "bearer")
    assert (told["action"], told["subject"], told["outcome"]) == ("save connections", "connection marketing", "done")
    assert told["changes"]["display_name"] == ["Marketing", "Post"]
    assert told["changes"]["secrets"] == [{"key": "letterbox-key"}, {"key": "second"}], "names of secrets are none"
    assert "vendor" not in told["changes"]


def test_what_is_made_has_no_before_and_what_is_removed_no_after(client: Client) -> None:
    client.put("/api/v1/exports/vips", export_body())
    assert newest(client)["changes"]["display_name"] == [None, "VIPs"]
    client.delete("/api/v1/exports/vips")
    assert newest(client)["changes"]["display_name"] == ["VIPs", None]


def test_a_refused_change_is_told_too(client: Client) -> None:
    for refused in (client.put(ONE, {"vendor": "x"}), client.put(ONE, connection_body(vendor="none"))):
        assert refused.status == 422
        assert (newest(client)["outcome"], newest(client)["changes"]) == ("refused", {})


def test_reading_is_not_told(client: Client) -> None:
    client.put(ONE, connection_body())
    last = newest(client)["id"]
    for path in (ONE, "/api/v1/exports", AUDIT, "/api/docs"):
        client.get(path)
    client.put(ONE, connection_body(), headers={"x-test-caller": "carl"})
    assert newest(client)["id"] == last, "neither is what the caller may not do"


def test_a_decision_is_told_with_what_was_decided(client: Client, service: FakeService) -> None:
    service.world.save("vips")
    service.past = [run("r3", State.BLOCKED)]
    client.post("/api/v1/exports/vips/runs/r3/decision", {"plan": "plan-1", "decision": "deliver"})
    told = newest(client)
    assert told["subject"] == "run r3 of export vips"
    assert told["details"] == {"plan": "plan-1", "decision": "deliver"}


def test_who_was_forgotten_can_be_proved_and_not_read(client: Client) -> None:
    client.post("/api/v1/forget", {"address": " Jane@Example.org"})
    told = newest(client)
    salt, _, digest = told["details"]["person"].partition(":")
    assert hashlib.sha256(f"{salt}:jane@example.org".encode()).hexdigest() == digest
    assert "example.org" not in str(told).lower()


def test_a_credential_is_never_in_it(client: Client, service: FakeService) -> None:
    secret = "s3cr3t-of-ours-0123456789"
    client.put(f"{ONE}/secrets/key", {"value": secret})
    client.put(ONE, connection_body(secrets={"key": secret + "!"}))
    client.put(ONE, connection_body(unknown=secret))
    assert len(client.get(AUDIT).json["changes"]) == 3
    assert secret not in client.get(AUDIT).body.decode()


def test_only_administrators_read_it(client: Client) -> None:
    assert client.get(AUDIT, headers={"x-test-caller": "carl"}).status == 403


def test_it_is_read_in_pages_newest_first(client: Client) -> None:
    for number in range(5):
        client.put(
            f"/api/v1/exports/e{number}", export_body(targets=[{"segments": ["blob/ci:VIP"], "list_name": str(number)}])
        )
    seen, token = [], None
    while True:
        page = client.get(AUDIT, query={"top": 2, **({"continue": token} if token else {})}).json
        seen += [each["subject"] for each in page["changes"]]
        token = page["next"]
        if token is None:
            break
    assert seen == [f"export e{number}" for number in reversed(range(5))]
    assert client.get(AUDIT, query={"continue": "' or 1 eq 1"}).status == 422


class Died(BaseException):
    """What a killed process does not even get to see."""


def test_a_crash_leaves_the_record_of_what_was_begun() -> None:
    table = MemoryTable()
    with pytest.raises(Died), Trail(table).change(LOCAL, Action.EDIT_EXPORT, Change("export a")):
        raise Died
    [[record], _] = Trail(table).page(9, None)
    assert (record.outcome, record.subject, record.who) == (ChangeOutcome.BEGUN, "export a", "local")


def test_no_change_is_made_that_cannot_be_recorded(client: Client, service: FakeService) -> None:
    class Full(MemoryTable):
        def insert(self, entity: dict[str, Any]) -> str:
            raise OSError("no room")

    service.trail = Trail(Full())
    assert client.put(ONE, connection_body(display_name="Post")).status == 500
    assert client.get(ONE).json["display_name"] == "Marketing"


def test_a_change_that_was_made_stays_made_where_its_record_cannot_be_completed(
    client: Client, service: FakeService
) -> None:
    class Stuck(MemoryTable):
        def replace(self, entity: dict[str, Any], etag: str) -> str:
            raise OSError("no room")

    service.trail = Trail(Stuck())
    assert client.put(ONE, connection_body(display_name="Post")).status == 200
    assert newest(client)["outcome"] == "begun"


def test_an_unexpected_failure_is_told_as_such(client: Client, service: FakeService) -> None:
    service.failure = KeyError("x")
    client.post(f"{ONE}/check")
    assert newest(client)["outcome"] == "failed"


def test_what_does_not_fit_is_named_only() -> None:
    table = MemoryTable()
    with Trail(table).change(LOCAL, Action.EDIT_EXPORT, Change("export a")) as change:
        change.note(long="x" * LONGEST, short="y")
    [[record], _] = Trail(table).page(1, None)
    assert record.details == {"too_long": ["long", "short"]}


def test_records_of_one_moment_are_all_kept() -> None:
    trail = Trail(MemoryTable(), lambda: LATER)
    for _ in range(3):
        with trail.change(LOCAL, Action.EDIT_EXPORT, Change("export a")):
            pass
    assert len(trail.page(9, None)[0]) == 3


LATER = FakeService().world.now + timedelta(days=1)
