"""What there is to choose from."""

from __future__ import annotations

from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService, info


def test_segments_are_listed_with_age_and_rows(client: Client, service: FakeService) -> None:
    lapsed, nameless, vip = client.get("/api/v1/segments").json
    assert [lapsed["id"], nameless["id"], vip["id"]] == ["blob/ci:Lapsed", "blob/ci:Nameless", "blob/ci:VIP"]
    assert vip == {
        "id": "blob/ci:VIP",
        "name": "VIP",
        "columns": ["CustomerId", "EMail", "FirstName", "Birthday"],
        "taken_at": "2026-11-22T11:58:00Z",
        "age_seconds": 120,
        "bytes": 10,
        "files": 1,
        "rows": 3,
        "problems": [],
        "exports": [],
        "read_as": "Parquet",
        "dialect": None,
    }
    assert lapsed["rows"] is None


def test_a_segment_is_read_by_an_id_with_slashes(client: Client, service: FakeService) -> None:
    info(service, 0, container="a b", folder="ä", name="Grün", snapshot=None, problems=("The file part 2 is missing.",))
    for path in ("a%20b/%C3%A4:Gr%C3%BCn", "a%20b%2F%C3%A4:Gr%C3%BCn"):
        answer = client.get(f"/api/v1/segments/{path}")
        assert (answer.status, answer.json["id"]) == (200, "a b/ä:Grün")
        assert answer.json["age_seconds"] is None
        assert answer.json["problems"] == ["The file part 2 is missing."]


def test_an_unknown_segment_is_not_found(client: Client) -> None:
    answer = client.get("/api/v1/segments/blob/ci:None")
    assert (answer.status, answer.json["detail"]) == (404, 'There is no segment "blob/ci:None".')


def test_vendors_say_what_a_form_needs(client: Client) -> None:
    assert [each["name"] for each in client.get("/api/v1/vendors").json] == ["letterbox", "plain"]
    vendor = client.get("/api/v1/vendors/letterbox").json
    assert vendor["credentials"][0] == {
        "name": "key",
        "label": "API key",
        "description": "From the account page.",
        "type": "string",
        "required": True,
        "default": None,
        "choices": [],
        "minimum": None,
        "maximum": None,
        "made_at": [],
    }
    assert vendor["reserved_fields"] == ["unsubscribed"]
    assert vendor["max_profiles"] == 1_000_000
    assert {"name": "BORN", "label": "Birthday", "type": "date", "required": False} in vendor["fields"]
    assert client.get("/api/v1/vendors/pigeon").status == 404
