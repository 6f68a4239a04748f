"""Credentials that people type: into Key Vault, and never out again."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from tests.unit.api.asgi import Answer, Client
from tests.unit.api.bodies import connection_body
from tests.unit.api.service import FakeService

ONE = "/api/v1/connections/marketing"
VALUE = "Tr0ub4dor&3-typed-by-ann"


def type_secret(client: Client, credential: str = "key", value: Any = VALUE, **options: Any) -> Answer:
    return client.put(f"{ONE}/secrets/{credential}", {"value": value}, **options)


def test_a_typed_credential_goes_to_the_vault_under_the_name_that_the_connection_gives(
    client: Client, service: FakeService
) -> None:
    answer = type_secret(client)
    assert answer.status == 200
    assert service.vault.held["letterbox-key"] == VALUE
    assert answer.json["secrets"] == {"key": "letterbox-key"}
    assert client.get(ONE).headers["etag"] == answer.headers["etag"]


def test_without_a_name_the_connection_gets_one_of_its_own(client: Client, service: FakeService) -> None:
    assert client.put(ONE, connection_body(secrets={})).status == 200
    assert type_secret(client, "key").json["secrets"] == {"key": "segment-exports-marketing-key"}
    both = type_secret(client, "backup", "other").json["secrets"]
    assert both == {"key": "segment-exports-marketing-key", "backup": "segment-exports-marketing-backup"}
    assert service.vault.held["segment-exports-marketing-key"] == VALUE
    again = client.put(ONE, client.get(ONE).json)
    assert (again.status, again.json["secrets"]) == (200, both)


def test_a_rotated_credential_keeps_the_account_and_forgets_the_last_check(client: Client) -> None:
    assert client.get(ONE).json["check_code"] == "ok"
    rotated = type_secret(client).json
    assert (rotated["account"], rotated["check_code"], rotated["checked_at"]) == ("acc-1", "", None)
    assert rotated["updated_by"] == "ann"


def test_the_value_is_nowhere_but_in_the_vault(
    client: Client, service: FakeService, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        answers = [type_secret(client), type_secret(client, "nothing"), client.get(ONE), client.get("/api/v1/audit")]
        answers.append(client.put(f"{ONE}/secrets/key", {"value": VALUE, "extra": VALUE}))
        answers.append(client.put(f"{ONE}/secrets/key", {"value": [VALUE]}))
        service.vault.closed = True
        answers.append(type_secret(client))
    assert [each.status for each in answers] == [200, 404, 200, 200, 422, 422, 422]
    assert not [each for each in answers if VALUE.encode() in each.body or VALUE in str(each.headers)]
    assert VALUE not in caplog.text
    assert VALUE not in str(service.world.connections.rows)


def test_what_comes_along_with_copying_is_left_out(client: Client, service: FakeService) -> None:
    assert type_secret(client, value=f" {VALUE}\r\n").status == 200
    assert service.vault.held["letterbox-key"] == VALUE


@pytest.mark.parametrize("value", ["", " \n", "a\nb", "a\x00", "\ud800", None, 7, "x" * 10_001])
def test_what_is_no_credential_is_refused(client: Client, service: FakeService, value: Any) -> None:
    answer = type_secret(client, value=value)
    assert (answer.status, answer.json["errors"][0]["pointer"]) == (422, "/value")
    assert "letterbox-key" not in service.vault.held


def test_only_what_the_vendor_has_can_be_typed(client: Client) -> None:
    answer = type_secret(client, "nothing")
    assert (answer.status, answer.json["detail"]) == (404, 'There is no credential "nothing".')
    assert client.put("/api/v1/connections/none/secrets/key", {"value": "x"}).status == 404


def test_the_apps_own_secrets_are_never_overwritten(client: Client, service: FakeService) -> None:
    client.put(ONE, connection_body(secrets={"key": "courier-app"}))
    answer = type_secret(client)
    assert (answer.status, answer.json["code"]) == (422, "secret_reserved")
    assert service.vault.held["courier-app"] == "app+secret/="


def test_a_vault_that_refuses_leaves_the_connection_as_it_was(client: Client, service: FakeService) -> None:
    client.put(ONE, connection_body(secrets={}))
    service.vault.closed = True
    assert type_secret(client).json["code"] == "secret_not_writable"
    assert client.get(ONE).json["secrets"] == {}


def test_the_version_that_if_match_names(client: Client, service: FakeService) -> None:
    stale = type_secret(client, headers={"If-Match": '"no"'})
    assert (stale.status, "letterbox-key" in service.vault.held) == (412, False)
    assert type_secret(client, headers={"If-Match": client.get(ONE).headers["etag"]}).status == 200


def test_only_administrators_type_credentials(contributor: Client, service: FakeService) -> None:
    assert type_secret(contributor).status == 403
    assert "letterbox-key" not in service.vault.held


def test_the_trail_says_who_typed_which_credential(client: Client) -> None:
    type_secret(client)
    newest = client.get("/api/v1/audit").json["changes"][0]
    assert (newest["who"], newest["action"], newest["subject"]) == ("ann", "write credentials", "connection marketing")


def test_key_vault_tells_no_capitals_from_small_letters_and_neither_do_we(client: Client, service: FakeService) -> None:
    client.put(ONE, connection_body(secrets={"key": "Courier-App"}))
    assert type_secret(client).json["code"] == "secret_reserved"
    assert service.vault.held == {"courier-app": "app+secret/="}
