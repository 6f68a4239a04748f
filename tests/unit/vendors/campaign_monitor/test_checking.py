"""The connection check and the account, against a scripted server."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from shared.errors import LeaseLost, UserMustAct
from shared.vendors.campaign_monitor.targets import NAMED_CLIENTS
from tests.unit.vendors.campaign_monitor.account import (
    BAD_KEY,
    CLIENT,
    FAILED,
    KEY,
    OTHER,
    Account,
    error,
    linked,
    world,
)
from tests.unit.vendors.loopback import Keys, Reply, Seen, reply, serving


def test_the_account_is_the_client_without_a_request() -> None:
    with world(Account(), client_id=f" {CLIENT.upper()} ") as here:
        assert here.vendor.account() == f"campaign-monitor-{CLIENT}"
        assert here.server.seen == []


def test_without_a_client_there_is_no_account() -> None:
    with world(Account(), client_id="") as here, pytest.raises(UserMustAct) as error_:
        here.vendor.account()
    assert error_.value.code == "client_missing"


def test_a_good_connection_is_one_request() -> None:
    with world(Account()) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (True, "ok", here.vendor.account())
        assert here.calls() == [f"GET clients/{CLIENT}/lists"]
        assert here.server.seen[0].headers["accept"] == "application/json"


@pytest.mark.parametrize(("client_id", "code"), [("", "client_missing"), (OTHER, "client_unknown")])
def test_a_client_that_is_missing_or_wrong_comes_with_those_to_choose_from(client_id: str, code: str) -> None:
    with world(Account(clients={CLIENT: "Acme", "b" * 32: "Bolt"}), client_id=client_id) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (False, code, None)
        assert f"Set client_id to one of: {CLIENT} (Acme), {'b' * 32} (Bolt)." in found.message
        assert found.details == {f"client {CLIENT}": "Acme", f"client {'b' * 32}": "Bolt"}


def test_many_clients_are_all_in_the_details() -> None:
    with world(Account(clients={f"{number:032x}": f"c{number}" for number in range(40)}), client_id="") as here:
        found = here.vendor.check()
        assert len(found.details) == 40
        assert f"and {40 - NAMED_CLIENTS} more" in found.message


def test_a_key_that_reaches_no_client() -> None:
    with world(Account(clients={}), client_id="") as here:
        assert "reaches no client" in here.vendor.check().message


def test_a_key_that_may_not_list_clients_is_told_where_the_id_is() -> None:
    account = Account(other={"/clients": error(403, status=403)})
    with world(account, client_id="") as here:
        found = here.vendor.check()
        assert (found.code, "client's settings" in found.message) == ("client_missing", True)


def test_a_missing_client_does_not_hide_a_wrong_key() -> None:
    with world(Account(), key="wrong", client_id="") as here:
        assert here.vendor.check().code == "bad_credentials"


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (BAD_KEY, "bad_credentials"),
        (error(60, status=401), "forbidden"),
        (error(403, status=403), "forbidden"),
        (error(77, status=401), "forbidden"),
        (error(429, "Rate limit exceeded", 429), "rate_limited"),
        (FAILED, "not_checked"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "unexpected_answer"),
        (Reply(200, b"{}"), "unexpected_answer"),
        (Reply(200, b"<Lists/>", {"Content-Type": "application/xml"}), "unexpected_answer"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), "unexpected_answer"),
    ],
)
def test_each_way_to_be_wrong_has_its_own_words(answer: Reply, code: str) -> None:
    with world(lambda seen: answer) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (False, code, None)
        assert KEY not in found.message


def test_a_vendor_that_is_not_there() -> None:
    with serving(Account()) as server:
        closed = server.url
    assert linked(closed, Keys(KEY), {})[0].check().code == "unreachable"


@pytest.mark.parametrize("key", ["", "  ", "kéy", "k\ney"])
def test_a_secret_that_is_no_key_is_not_sent(key: str) -> None:
    with world(Account(), key=key) as here:
        assert here.vendor.check().code == "bad_credentials"
        assert here.server.seen == []


def test_a_key_that_was_replaced_in_the_vault_is_picked_up() -> None:
    keys = Keys("old", stored=KEY)
    with serving(Account()) as server:
        vendor, _, link = linked(server.url, keys, {})
        assert vendor.check().ok
        assert keys.fresh == 1
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


def test_a_secret_that_is_missing_is_said_not_raised() -> None:
    class NoKeys(Keys):
        def get(self, name: str, *, fresh: bool = False) -> str:
            raise UserMustAct("secret_missing", "There is no such secret.")

    assert linked("http://127.0.0.1:9", NoKeys(""), {})[0].check().code == "secret_missing"


def _lost() -> None:
    raise LeaseLost("taken over")


@pytest.mark.parametrize("account", [Account(), lambda seen: reply([])])
def test_a_lost_lease_is_not_a_finding(account: Callable[[Seen], Reply]) -> None:
    with world(account, hooks={"before_request": _lost}) as here, pytest.raises(LeaseLost):
        here.vendor.check()
