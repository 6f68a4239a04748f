"""Omnisend's connection: the account, the check, tags as targets, members."""

from __future__ import annotations

import logging

import pytest

from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.vendors.contract import FieldType, Kind, TargetFound, TargetWanted
from shared.vendors.http import Link
from shared.vendors.limits import Limiter
from shared.vendors.omnisend.definition import DEFINITION, HOST
from shared.vendors.omnisend.vendor import Omnisend
from tests.unit.vendors.loopback import Clock, Keys, Raw, Reply, Seen, reply, serving
from tests.unit.vendors.omnisend.brand import (
    BRAND,
    FORBIDDEN,
    KEY,
    TARGET,
    UNAUTHORIZED,
    Brand,
    addresses,
    hang_up,
    rows,
    world,
)

LIMITED = {"title": "Rate limit exceeded", "status": 429}


def wanted(name: str = "Loyal customers", tag: str | None = None) -> TargetWanted:
    return TargetWanted(tag, name)


# The account and the check


def test_the_account_is_the_brand_and_is_asked_for_once() -> None:
    with world(Brand()) as here:
        assert {here.vendor.account() for _ in range(3)} == {BRAND}
        assert len(here.server.seen) == 1


def test_a_good_connection() -> None:
    brand = Brand()
    with world(brand, Keys(f" {KEY}\n")) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account, found.details["brand"]) == (True, "ok", BRAND, "Contoso Coffee")
        assert len(here.server.seen) == 4
        assert here.vendor.account() == BRAND
        assert len(here.server.seen) == 4


def test_the_check_changes_nothing() -> None:
    brand = Brand(tags={TARGET.list_id: {"p0@example.com"}})
    with world(brand) as here:
        assert here.vendor.check().ok
    assert brand.members(TARGET.list_id) == {"p0@example.com"}
    assert not brand.contacts
    assert not brand.batches


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (UNAUTHORIZED, "bad_credentials"),
        (FORBIDDEN, "missing_scope"),
        (reply({"title": "Gone", "status": 410}, 410), "version_retired"),
        (reply({"detail": "Unsupported Omnisend-Version header."}, 400), "version_retired"),
        (reply(LIMITED | {"retryAfter": 90}, 429), "rate_limited"),
        (reply(LIMITED, 429), "rate_limited"),
        (reply({"title": "Error", "status": 500}, 500), "not_checked"),
        (Reply(200, b"<html>", {"Content-Type": "text/html"}), "unexpected_answer"),
        (reply({"brandID": ""}), "unexpected_answer"),
        (Reply(302, b"", {"Location": "https://elsewhere.example"}), "unexpected_answer"),
    ],
)
def test_each_way_to_be_wrong_has_its_own_words(answer: Reply, code: str) -> None:
    with world(lambda seen: answer) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (False, code, None)
        assert KEY not in found.message


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "/api/brands/current", "brands.read"),
        ("GET", "/api/contacts?", "contacts.read"),
        ("GET", "/api/batches", "for batches"),
        ("DELETE", "/api/contacts/tags", "contacts.write"),
    ],
)
def test_the_check_names_the_permission_that_is_missing(method: str, path: str, scope: str) -> None:
    def lacking(seen: Seen) -> Reply | None:
        return FORBIDDEN if seen.method == method and seen.path.startswith(path) else None

    with world(Brand(instead=lacking)) as here:
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "missing_scope")
        assert scope in found.message.split(":")[0]


def test_a_vendor_that_is_not_there() -> None:
    with serving(Brand()) as server:
        closed = server.url
    clock = Clock()
    link = Link(Limiter(DEFINITION.rates, clock=clock, wait=clock.wait), {HOST: closed}, wait=clock.wait)
    assert Omnisend(Keys(KEY), link).check().code == "unreachable"


def test_an_empty_key_is_said_before_any_request() -> None:
    with world(Brand(), Keys("  ")) as here:
        assert here.vendor.check().code == "bad_credentials"
        assert here.server.seen == []


def test_a_secret_that_is_missing_is_said_not_raised() -> None:
    class NoKeys(Keys):
        def get(self, name: str, *, fresh: bool = False) -> str:
            raise UserMustAct("secret_missing", "There is no such secret.")

    with world(Brand(), NoKeys("")) as here:
        assert here.vendor.check().code == "secret_missing"


def test_a_key_that_was_replaced_in_the_vault_is_picked_up() -> None:
    keys = Keys("old", stored=KEY)
    with world(Brand(), keys) as here:
        assert here.vendor.check().ok
        assert keys.fresh == 1


def test_a_lost_lease_stops_the_check() -> None:
    def lost() -> None:
        raise LeaseLost("gone")

    with world(Brand(), before_request=lost) as here, pytest.raises(LeaseLost):
        here.vendor.check()


@pytest.mark.parametrize(
    ("body", "headers", "asked"),
    [(LIMITED | {"retryAfter": 45}, {"Retry-After": "7"}, 45.0), (LIMITED, {"Retry-After": "50"}, 50.0)],
)
def test_a_rate_limit_is_waited_out_as_the_body_says(body: object, headers: dict[str, str], asked: float) -> None:
    with world(lambda seen: reply(body, 429, **headers)) as here:
        with pytest.raises(RetryAfter) as error:
            here.vendor.account()
        assert error.value.seconds == asked
        assert len(here.server.seen) == 1


def test_a_rate_limit_without_a_word_is_waited_out_longer_and_longer() -> None:
    with world(lambda seen: reply(LIMITED, 429)) as here:
        for _ in range(4):
            with pytest.raises(RetryAfter) as error:
                here.vendor.account()
            here.clock.wait(error.value.seconds)
        waits = here.clock.waits
    assert len(waits) == 6
    assert all(least <= wait <= 1.11 * least for least, wait in zip((5, 10, 20, 40, 60, 60), waits, strict=True))


# Tags as targets


def test_a_tag_is_made_from_the_name() -> None:
    with world(Brand()) as here:
        found = here.vendor.prepare(wanted(" Loyal  Customers"), None, {})
        assert (found.list_id, found.name, found.created) == ("loyal customers", " Loyal  Customers", True)
        assert len(found.warnings) == 1
        assert [seen.method for seen in here.server.seen] == ["GET"]


def test_preparing_twice_gives_the_same_tag() -> None:
    with world(Brand()) as here:
        names = ["Loyal", "Café", "Cafe!"]
        once, twice = ([here.vendor.prepare(wanted(name), None, {}).list_id for name in names] for _ in range(2))
        assert once == twice
        assert len(set(once)) == 3


def test_a_tag_that_others_use_is_said() -> None:
    with world(Brand(tags={"loyal": {"p0@example.com"}})) as here:
        found = here.vendor.prepare(wanted("Loyal"), None, {})
        assert (found.list_id, found.created) == ("loyal", False)
        assert "already" in found.warnings[0]


def test_a_remembered_tag_stays_whatever_the_name_is_now() -> None:
    with world(Brand()) as here:
        found = here.vendor.prepare(wanted("Renamed"), TargetFound("loyal", "Loyal", created=True), {})
        assert (found.list_id, found.name, found.created, found.warnings) == ("loyal", "Loyal", False, ())
        assert here.server.seen == []


def test_a_given_tag_is_taken_as_it_is() -> None:
    with world(Brand(tags={"source: Shopify": {"p0@example.com"}})) as here:
        found = here.vendor.prepare(wanted("Loyal", "source: Shopify"), TargetFound("loyal", "Loyal"), {})
        assert (found.list_id, found.name) == ("source: Shopify", "source: Shopify")


@pytest.mark.parametrize(
    ("name", "fits"), [("loyalty_tier", True), ("gender", True), ("Größe", False), ("two words", False)]
)
def test_names_of_custom_properties_are_checked_before_anything_is_sent(name: str, fits: bool) -> None:
    with world(Brand()) as here:
        if fits:
            here.vendor.prepare(wanted(), None, {name: FieldType.STRING})
            return
        with pytest.raises(UserMustAct) as error:
            here.vendor.prepare(wanted(), None, {name: FieldType.STRING})
        assert error.value.code == "field_refused"
        assert here.server.seen == []


def test_tags_cannot_be_listed_and_types_are_free() -> None:
    with world(Brand()) as here:
        assert here.vendor.targets() == []
        assert here.vendor.field_types() == {}
        assert here.server.seen == []


# Members


def test_members_are_read_page_by_page() -> None:
    everyone = addresses(rows(620))
    with world(Brand(tags={"a tag+": everyone})) as here:
        reading = here.vendor.members(TargetFound("a tag+", ""))
        assert next(reading) in everyone
        assert len(here.server.seen) == 1
        assert len({*reading}) == 619
        assert len(here.server.seen) == 3
        assert "tag=a%20tag%2B" in here.server.seen[0].path


def test_nobody_has_the_tag() -> None:
    with world(Brand()) as here:
        assert list(here.vendor.members(TARGET)) == []


def test_pages_that_go_round_in_circles_are_an_error() -> None:
    page = reply({"contacts": [], "paging": {"hasMore": True, "cursors": {"after": "x"}}})
    with world(lambda seen: page) as here:
        with pytest.raises(RetryAfter):
            list(here.vendor.members(TARGET))
        assert len(here.server.seen) == 2


@pytest.mark.parametrize("answer", [Reply(200, b"{}"), Reply(204, b""), reply({"title": "Error"}, 500), hang_up])
def test_members_that_cannot_be_read_are_never_an_empty_tag(answer: Reply | Raw) -> None:
    with world(lambda seen: answer) as here, pytest.raises(RetryAfter):
        list(here.vendor.members(TARGET))


def test_no_address_and_no_key_in_any_log_or_error(caplog: pytest.LogCaptureFixture) -> None:
    def echo(seen: Seen) -> Reply:
        detail = f"{seen.headers['authorization']} {seen.body.decode()}"
        return reply({"title": "Error", "detail": detail}, 500 if seen.method == "GET" else 403)

    caplog.set_level(logging.DEBUG)
    said = []
    with world(echo) as here:
        for kind in Kind:
            with pytest.raises((UserMustAct, RetryAfter)) as refused:
                here.vendor.deliver(TARGET, kind, rows(1))
            said.append(str(refused.value))
        with pytest.raises(RetryAfter) as failed:
            here.vendor.account()
        said += [str(failed.value), here.vendor.check().message]
    for text in [caplog.text, *said]:
        assert "@example.com" not in text
        assert KEY not in text
