"""Finding the account and its region, the connection check, lists and data fields, against a scripted server."""

from __future__ import annotations

from typing import Any

import pytest

from shared.errors import RetryAfter, Unprocessable, UserMustAct
from shared.vendors.contract import FieldType, TargetFound, TargetWanted
from shared.vendors.dotdigital.definition import HOME, HOSTS
from tests.unit.vendors.dotdigital.scripted import (
    DENIED,
    FORBIDDEN,
    PASSWORD,
    Dot,
    Secrets,
    data_field,
    error,
    hang_up,
    linked,
    listed,
    regions,
    token,
    world,
)
from tests.unit.vendors.loopback import Raw, Reply, Seen, reply, serving

WANTED = TargetWanted(None, "Loyal customers")
HTML = Reply(200, b"<html>", {"Content-Type": "text/html"})

# The account and its region


def test_the_account_is_dotdigitals_own_id_and_asked_for_once() -> None:
    with world(Dot()) as here:
        assert here.vendor.account() == here.vendor.account() == "dotdigital-4711"
        here.vendor.targets()
        assert here.asked() == ["GET /r1/v2/account-info", "GET /r2/v2/address-books"]


@pytest.mark.parametrize("region", ["r1", "r2", "r3"])
def test_the_region_is_found_by_itself(region: str) -> None:
    with world(Dot(region)) as here:
        found = here.vendor.check()
        assert (found.ok, found.account) == (True, "dotdigital-4711")
        assert found.details == {"region": region, "calls_remaining": "1997"}
        assert here.asked() == ["GET /r1/v2/account-info", f"GET /{region}/contacts/v3"]


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://r2-api.dotdigital.com.evil.example/",
        "https://evil.example/r2-api.dotdigital.com",
        "https://user@r2-api.dotdigital.com/",
        "http://r2-api.dotdigital.com/",
        "https://r2-api.dotdigital.com:8443/",
        "https://r9-api.dotdigital.com/",
        "https://api.iterable.com",
        "",
    ],
)
def test_the_password_goes_nowhere_that_is_no_known_region(endpoint: str) -> None:
    with world(Dot(endpoint=endpoint or " ")) as here:
        found = here.vendor.check()
        assert (found.ok, found.code) == (False, "unknown_region")
        with pytest.raises(UserMustAct):
            here.vendor.targets()
        assert here.asked() == ["GET /r1/v2/account-info"]


def test_the_vendors_older_domain_names_the_same_region() -> None:
    with world(Dot("r3", endpoint="https://r3-api.dotmailer.com")) as here:
        assert here.vendor.check().details["region"] == "r3"


def test_a_region_may_be_told_by_the_address_that_stands_in_for_it() -> None:
    account = Dot("r2")
    with world(account) as here:
        account.endpoint = f"{here.server.url}/r2/"
        assert here.vendor.check().details["region"] == "r2"


def test_where_only_r1_is_replaced_no_other_region_is_called() -> None:
    with serving(Dot("r2")) as server:
        vendor, _, link = linked({HOME: f"{server.url}/r1"})
        assert vendor.check().code == "unknown_region"
        assert len(server.seen) == 1
        link.transport.close()  # type: ignore[attr-defined]  # the default transport


# The check


@pytest.mark.parametrize(
    ("path", "answer", "code"),
    [
        ("v2/account-info", DENIED, "bad_credentials"),
        ("v2/account-info", token("ERROR_INVALID_LOGIN"), "bad_credentials"),
        ("v2/account-info", HTML, "unexpected_answer"),
        ("v2/account-info", reply({}), "unexpected_answer"),
        ("v2/account-info", reply({"id": 4711, "properties": []}), "unexpected_answer"),
        ("v2/account-info", Reply(302, b"", {"Location": "https://elsewhere.example"}), "unexpected_answer"),
        ("v2/account-info", reply({}, 500), "not_checked"),
        ("v2/account-info", Reply(429, b""), "rate_limited"),
        ("v2/account-info", token("ERROR_APIUSAGE_EXCEEDED"), "rate_limited"),
        ("contacts/v3", error("contacts:notEnabled", 404), "not_migrated"),
        ("contacts/v3", error("contacts:badRequest", 400), "not_migrated"),
        ("contacts/v3", FORBIDDEN, "forbidden"),
        ("contacts/v3", DENIED, "bad_credentials"),
        ("contacts/v3", reply([]), "unexpected_answer"),
        ("contacts/v3", Reply(429, b""), "rate_limited"),
    ],
)
def test_each_way_to_be_wrong_has_its_own_words(path: str, answer: Reply, code: str) -> None:
    with world(Dot(other={f"GET /{path}": answer})) as here:
        found = here.vendor.check()
        assert (found.ok, found.code, found.account) == (False, code, None)
        assert PASSWORD not in found.message


def test_a_vendor_that_is_not_there() -> None:
    with serving(Dot()) as server:
        closed = server.url
    assert linked(regions(closed))[0].check().code == "unreachable"


def test_a_secret_that_is_missing_is_said_not_raised() -> None:
    class NoSecrets(Secrets):
        def get(self, name: str, *, fresh: bool = False) -> str:
            raise UserMustAct("secret_missing", "There is no such secret.")

    with world(Dot(), secrets=NoSecrets()) as here:
        assert here.vendor.check().code == "secret_missing"


def test_a_password_that_was_replaced_in_the_vault_is_picked_up() -> None:
    with world(Dot(), secrets=Secrets("old", stored=f"{PASSWORD}\n")) as here:
        assert here.vendor.check().ok


@pytest.mark.parametrize(
    ("scope", "limit", "setting", "advised"),
    [
        ("lowCallRate", "150", 35, True),
        ("lowCallRate", "150", 150, False),
        ("highCallRate", "900", 35, False),
        ("lowCallRate", "many", 35, False),
    ],
)
def test_the_check_says_when_more_calls_are_allowed(scope: str, limit: str, setting: int, advised: bool) -> None:
    told = reply({"_items": [], "_links": {}}, X_RateLimit_Scope=scope, X_RateLimit_Limit=limit)
    with world(Dot(other={"GET /contacts/v3": told}), calls_per_minute=setting) as here:
        found = here.vendor.check()
        assert found.ok
        assert (limit in found.message) is advised


def test_the_rate_headers_of_an_answer_are_obeyed() -> None:
    last = reply({"_items": [], "_links": {}}, X_RateLimit_Remaining="0", X_RateLimit_Reset="40")
    with world(Dot(other={"GET /contacts/v3": last})) as here:
        assert here.vendor.check().ok
        assert here.vendor.check().code == "rate_limited"
        assert here.asked().count("GET /r2/contacts/v3") == 1


# Lists


def test_a_default_list_is_given_by_its_id() -> None:
    with pytest.raises(Unprocessable):
        linked({}, settings={"list_id": "Loyal"})


def test_lists_to_choose_from_are_all_but_dotdigitals_own() -> None:
    lists = [listed(n, f"List {n:04}") for n in range(2500, 0, -1)]
    with world(Dot(lists=[listed(9001, "All contacts"), listed(9002, " test"), *lists])) as here:
        found = here.vendor.targets()
        assert [(each.list_id, each.name) for each in found[:2]] == [("1", "List 0001"), ("2", "List 0002")]
        assert len(found) == 2500
        assert len(here.server.seen) == 1 + 3 + 1


@pytest.mark.parametrize(
    ("wanted", "remembered", "expected"),
    [
        (TargetWanted("5", "x"), "6", "5"),
        (TargetWanted(None, "x"), "6", "6"),
        (TargetWanted(None, "Renamed"), None, "6"),
    ],
)
def test_which_list_it_is(wanted: TargetWanted, remembered: str | None, expected: str) -> None:
    """The connection's default list is copied into the target when the export is saved, and so is given by id here."""
    lists = [listed(5, "Loyal"), listed(6, "Renamed"), listed(7, "Everyone")]
    with world(Dot(lists=lists), list_id="7") as here:
        before = TargetFound(remembered, "x") if remembered else None
        found = here.vendor.prepare(wanted, before, {})
        assert (found.list_id, found.created, found.details) == (expected, False, {})
        assert here.server.bodies() == []


@pytest.mark.parametrize(
    ("wanted", "remembered", "code"),
    [
        (TargetWanted("9", "x"), None, "target_vanished"),
        (TargetWanted("six", "x"), None, "target_vanished"),
        (TargetWanted("²", "x"), None, "target_vanished"),
        (TargetWanted(None, "x"), "9", "target_vanished"),
        (TargetWanted("1", "x"), None, "target_reserved"),
        (TargetWanted(None, "test"), None, "target_reserved"),
        (TargetWanted(None, "n" * 129), None, "target_refused"),
    ],
)
def test_a_list_that_cannot_be_needs_a_person(wanted: TargetWanted, remembered: str | None, code: str) -> None:
    with world(Dot(lists=[listed(1, "All Contacts"), listed(5, "Loyal")])) as here:
        with pytest.raises(UserMustAct) as found:
            here.vendor.prepare(wanted, TargetFound(remembered, "x") if remembered else None, {})
        assert found.value.code == code
        assert here.server.bodies() == []


def test_a_missing_list_is_made_with_exactly_the_name() -> None:
    with world(Dot(lists=[listed(5, "loyal ä")])) as here:
        found = here.vendor.prepare(TargetWanted(None, "Loyal ä"), None, {})
        assert (found.list_id, found.name, found.created) == ("701", "Loyal ä", True)
        assert here.server.bodies() == [{"name": "Loyal ä", "visibility": "Private"}]


@pytest.mark.parametrize(
    "answer",
    [
        token("ERROR_ADDRESSBOOK_LIMITEXCEEDED"),
        token("ERROR_ADDRESSBOOK_DUPLICATE", 409),
        token("ERROR_ODD"),
        Reply(404),
    ],
)
def test_a_list_that_dotdigital_refuses_to_make_needs_a_person(answer: Reply) -> None:
    with world(Dot(other={"POST /v2/address-books": answer})) as here, pytest.raises(UserMustAct) as found:
        here.vendor.prepare(TargetWanted(None, "New"), None, {})
    assert found.value.code == "target_refused"


@pytest.mark.parametrize("answer", [hang_up, token("ERROR_ADDRESSBOOK_DUPLICATE")])
def test_a_list_that_was_made_all_the_same_is_looked_up_not_made_twice(answer: Reply | Raw) -> None:
    account = Dot()

    def make(seen: Seen) -> Reply | Raw:
        account.lists.append(listed(7, seen.json()["name"]))
        return answer

    account.other["POST /v2/address-books"] = make
    with world(account) as here:
        assert here.vendor.prepare(TargetWanted(None, "New"), None, {}).list_id == "7"
        assert len(here.server.bodies()) == 1


def test_a_list_that_was_perhaps_made_is_looked_for_later() -> None:
    with world(Dot(other={"POST /v2/address-books": lambda seen: hang_up})) as here:
        with pytest.raises(RetryAfter):
            here.vendor.prepare(TargetWanted(None, "New"), None, {})
        assert len(here.server.bodies()) == 1


@pytest.mark.parametrize("body", [{}, [1], [{"id": "5", "name": "n"}], [{"id": 5}], [{"id": True, "name": "n"}]])
def test_lists_in_an_unknown_shape_are_not_an_empty_account(body: Any) -> None:
    with world(Dot(other={"GET /v2/address-books": reply(body)})) as here, pytest.raises(RetryAfter):
        here.vendor.targets()


# Data fields

FIELDS = [
    data_field("FIRSTNAME"),
    data_field("SPENT", "Numeric"),
    data_field("BORN", "Date"),
    data_field("VIP", "Boolean"),
    data_field("SHOE", "Footwear"),
]


def test_types_that_the_account_has_fixed() -> None:
    with world(Dot(fields=FIELDS)) as here:
        assert here.vendor.field_types() == {
            "FIRSTNAME": FieldType.STRING,
            "SPENT": FieldType.NUMBER,
            "BORN": FieldType.DATE,
            "VIP": FieldType.BOOLEAN,
        }


def test_fields_that_were_just_read_are_not_asked_for_again_by_the_prepare_that_follows() -> None:
    with world(Dot(fields=FIELDS)) as here:
        here.vendor.field_types()
        for expected in (1, 2):
            here.vendor.prepare(WANTED, None, {"FIRSTNAME": FieldType.STRING})
            assert sum("data-fields" in each.path for each in here.server.seen) == expected, (
                "a later one reads them anew"
            )


def test_fields_that_fit_need_nothing_and_dates_are_remembered_for_the_batches() -> None:
    wanted = {
        "FIRSTNAME": FieldType.STRING,
        "SPENT": FieldType.INTEGER,
        "BORN": FieldType.DATE,
        "SHOE": FieldType.STRING,
        "optInType": FieldType.STRING,
    }
    with world(Dot(fields=FIELDS)) as here:
        found = here.vendor.prepare(WANTED, None, wanted)
        assert (found.details, found.warnings) == ({"dates": '["BORN"]'}, [])
        assert here.server.bodies() == []


@pytest.mark.parametrize(
    ("wanted", "create", "code", "words"),
    [
        ({"TIER": FieldType.STRING, "CITY": FieldType.STRING}, False, "fields_missing", "TIER, CITY"),
        ({"Born": FieldType.DATE}, True, "fields_missing", "BORN"),
        ({"SPENT": FieldType.STRING}, True, "field_type", "SPENT (Numeric)"),
        ({"FIRSTNAME": FieldType.NUMBER}, True, "field_type", "FIRSTNAME (String)"),
        ({"Loyalty": FieldType.STRING}, True, "field_name", "Loyalty"),
        ({"X" * 21: FieldType.STRING}, True, "field_name", "XXX"),
        ({"SHOE SIZE": FieldType.STRING}, True, "field_name", "SHOE SIZE"),
    ],
)
def test_fields_that_do_not_fit_need_a_person_before_anything_is_made(
    wanted: dict[str, FieldType], create: bool, code: str, words: str
) -> None:
    with world(Dot(fields=FIELDS), create_fields=create) as here:
        with pytest.raises(UserMustAct) as found:
            here.vendor.prepare(TargetWanted(None, "New"), None, wanted)
        assert found.value.code == code
        assert words in found.value.message
        assert here.server.bodies() == []


def test_missing_fields_are_made_where_that_is_wished() -> None:
    wanted = {
        "FIRSTNAME": FieldType.STRING,
        "TIER": FieldType.STRING,
        "POINTS": FieldType.INTEGER,
        "RATIO": FieldType.NUMBER,
        "SINCE": FieldType.DATE,
        "GOLD": FieldType.BOOLEAN,
    }
    with world(Dot(), create_fields=True) as here:
        found = here.vendor.prepare(WANTED, None, wanted)
        assert {each["name"]: each["type"] for each in here.server.bodies()} == {
            "TIER": "String",
            "POINTS": "Numeric",
            "RATIO": "Numeric",
            "SINCE": "Date",
            "GOLD": "Boolean",
        }
        assert found.warnings == ["Made the data fields TIER, POINTS, RATIO, SINCE, GOLD in Dotdigital."]
        again = here.vendor.prepare(WANTED, None, wanted)
        assert (len(here.server.bodies()), again.warnings) == (5, [])


def test_a_field_that_somebody_else_made_in_this_moment_is_fine() -> None:
    taken = reply({"message": "Field already exists. ERROR_NON_UNIQUE_DATAFIELD"}, 400)
    with world(Dot(other={"POST /v2/data-fields": taken}), create_fields=True) as here:
        assert here.vendor.prepare(WANTED, None, {"TIER": FieldType.STRING}).list_id == "345579"


def test_a_field_that_dotdigital_refuses_needs_a_person() -> None:
    full = token("ERROR_PARAMETER_INVALID")
    with world(Dot(other={"POST /v2/data-fields": full}), create_fields=True) as here:
        with pytest.raises(UserMustAct) as found:
            here.vendor.prepare(WANTED, None, {"TIER": FieldType.STRING})
        assert found.value.code == "field_refused"


def test_the_hosts_are_the_regions() -> None:
    assert [host.partition("-")[0] for host in HOSTS] == ["r1", "r2", "r3"]
