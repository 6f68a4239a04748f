"""Lists and their custom fields, against a scripted server."""

from __future__ import annotations

import json
from typing import Any

import pytest

from shared.errors import RetryAfter, Unprocessable, UserMustAct
from shared.vendors.campaign_monitor.vendor import MOST_DETAILS
from shared.vendors.contract import FieldType, TargetFound, TargetWanted
from tests.unit.vendors.campaign_monitor.account import CLIENT, FAILED, LIST, OTHER, Account, error, hang_up, world
from tests.unit.vendors.loopback import Raw, Reply, Seen

BY_NAME = TargetWanted(None, "Loyal")


def fields_of(target: TargetFound) -> Any:
    return json.loads(target.details["fields"])


# Which list


def test_a_list_is_found_by_its_remembered_id_even_when_renamed() -> None:
    with world(Account(lists={LIST: "Loyal", OTHER: "Renamed"})) as here:
        found = here.vendor.prepare(BY_NAME, TargetFound(OTHER, "Loyal"), {})
        assert (found.list_id, found.name, found.created) == (OTHER, "Renamed", False)


def test_a_given_id_goes_before_a_remembered_one() -> None:
    with world(Account(lists={LIST: "a", OTHER: "b"})) as here:
        assert here.vendor.prepare(TargetWanted(LIST, "x"), TargetFound(OTHER, "b"), {}).list_id == LIST


@pytest.mark.parametrize(
    ("wanted", "remembered"),
    [(TargetWanted(OTHER, "x"), None), (BY_NAME, TargetFound(OTHER, "Loyal")), (TargetWanted("../clients", "x"), None)],
)
def test_a_list_that_is_gone_or_another_clients_needs_a_person(
    wanted: TargetWanted, remembered: TargetFound | None
) -> None:
    with world(Account()) as here:
        with pytest.raises(UserMustAct) as error_:
            here.vendor.prepare(wanted, remembered, {})
        assert error_.value.code == "target_vanished"
        assert here.calls() == [f"GET clients/{CLIENT}/lists"]


def test_a_list_by_name_is_the_exact_one() -> None:
    with world(Account(lists={OTHER: "loyal", LIST: "Loyal"})) as here:
        found = here.vendor.prepare(BY_NAME, None, {})
        assert (found.list_id, found.created, found.warnings) == (LIST, False, ())


def test_of_several_with_one_name_the_first_id_is_used_and_said() -> None:
    with world(Account(lists={LIST: "Loyal", OTHER: "Loyal"})) as here:
        found = here.vendor.prepare(BY_NAME, None, {})
        assert (found.list_id, len(found.warnings)) == (min(LIST, OTHER), 1)


def test_a_missing_list_is_made_with_exactly_the_name() -> None:
    account = Account(lists={})
    with world(account) as here:
        found = here.vendor.prepare(TargetWanted(None, "Loyal ä"), None, {})
        assert (found.name, found.created) == ("Loyal ä", True)
        assert account.lists == {found.list_id: "Loyal ä"}


def test_a_name_that_is_taken_in_another_spelling_needs_a_person() -> None:
    with world(Account(lists={OTHER: "LOYAL"})) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, {})
    assert error_.value.code == "target_name_taken"


def test_somebody_else_was_faster() -> None:
    account = Account(lists={})

    def race(seen: Seen, path: str) -> Reply | None:
        if seen.method == "POST":
            account.lists[LIST] = "Loyal"
        return None

    account.meddle = race
    with world(account) as here:
        found = here.vendor.prepare(BY_NAME, None, {})
        assert (found.list_id, found.created) == (LIST, False)


def test_a_list_whose_making_was_not_answered_is_looked_up_not_made_twice() -> None:
    account = Account(lists={})

    def vanish(seen: Seen, path: str) -> Raw | None:
        if seen.method != "POST":
            return None
        account.lists[LIST] = seen.json()["Title"]
        return hang_up

    account.meddle = vanish
    with world(account) as here:
        found = here.vendor.prepare(BY_NAME, None, {})
        assert (found.list_id, found.created) == (LIST, True)
        assert len(here.server.bodies()) == 1


def test_a_list_that_was_perhaps_made_is_looked_for_later() -> None:
    account = Account(lists={}, meddle=lambda seen, path: hang_up if seen.method == "POST" else None)
    with world(account) as here:
        with pytest.raises(RetryAfter):
            here.vendor.prepare(BY_NAME, None, {})
        assert len(here.server.bodies()) == 1


def test_a_name_that_is_refused_needs_a_person() -> None:
    account = Account(lists={}, other={f"/lists/{CLIENT}": error(251, "List title empty")})
    with world(account) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, {})
    assert error_.value.code == "target_refused"


@pytest.mark.parametrize(("client_id", "code"), [("", "client_missing"), (OTHER, "client_unknown")])
def test_without_its_client_nothing_is_prepared(client_id: str, code: str) -> None:
    with world(Account(), client_id=client_id) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, {})
    assert error_.value.code == code


# What to know about a list


@pytest.mark.parametrize(
    ("settings", "words", "suppression"),
    [
        ({"ConfirmedOptIn": True}, "sends everyone who is added an e-mail", ""),
        ({"UnsubscribeSetting": "OnlyThisList"}, "suppression list aside", "ignored"),
    ],
)
def test_a_list_that_would_surprise_is_a_warning(settings: dict[str, Any], words: str, suppression: str) -> None:
    with world(Account(settings=settings)) as here:
        prepared, (offered,) = here.vendor.prepare(BY_NAME, None, {}), here.vendor.targets()
        assert [words in warning for warning in prepared.warnings] == [True]
        assert offered.warnings == list(prepared.warnings)
        assert prepared.details["suppression"] == suppression


def test_lists_to_choose_from_are_by_name() -> None:
    with world(Account(lists={"1": "b", "2": "A", "3": "b"})) as here:
        assert [(each.list_id, each.name) for each in here.vendor.targets()] == [("2", "A"), ("1", "b"), ("3", "b")]


def test_many_lists_are_offered_without_asking_for_each() -> None:
    lists = {f"{number:032x}": f"n{number}" for number in range(MOST_DETAILS + 1)}
    with world(Account(lists=lists)) as here:
        assert len(here.vendor.targets()) == MOST_DETAILS + 1
        assert len(here.server.seen) == 1


@pytest.mark.parametrize("answer", [FAILED, error(101)])
def test_a_list_whose_details_cannot_be_had_is_offered_all_the_same(answer: Reply) -> None:
    with world(Account(other={f"/lists/{LIST}": answer})) as here:
        assert [each.list_id for each in here.vendor.targets()] == [LIST]


# Custom fields


def custom(name: str, key: str, kind: str = "Text") -> dict[str, Any]:
    return {"FieldName": name, "Key": key, "DataType": kind, "FieldOptions": []}


def test_fields_are_found_by_name_by_case_and_by_key() -> None:
    account = Account(
        fields=[custom("Post code", "[Postcode]"), custom("points", "[points]", "Number"), custom("A B", "[AB]")]
    )
    wanted = {"Post code": FieldType.STRING, "Points": FieldType.INTEGER, "AB": FieldType.STRING}
    with world(account) as here:
        found = here.vendor.prepare(BY_NAME, None, wanted)
        assert fields_of(found) == {
            "Post code": ["Postcode", "Text"],
            "Points": ["points", "Number"],
            "AB": ["AB", "Text"],
        }
        assert here.server.bodies() == []


@pytest.mark.parametrize(
    ("kind", "made"),
    [
        (FieldType.STRING, "Text"),
        (FieldType.INTEGER, "Number"),
        (FieldType.NUMBER, "Number"),
        (FieldType.BOOLEAN, "Text"),
        (FieldType.DATE, "Date"),
    ],
)
def test_a_missing_field_is_made_and_the_key_that_came_back_is_kept(kind: FieldType, made: str) -> None:
    with world(Account()) as here:
        found = here.vendor.prepare(BY_NAME, None, {"Post code": kind})
        assert fields_of(found) == {"Post code": ["Postcode", made]}
        assert [(body["FieldName"], body["DataType"]) for body in here.server.bodies()] == [("Post code", made)]


def test_fields_that_everyone_has_are_not_made() -> None:
    with world(Account()) as here:
        built_in = dict.fromkeys(("Name", "MobileNumber", "ConsentToTrack"), FieldType.STRING)
        assert fields_of(here.vendor.prepare(BY_NAME, None, built_in)) == {}
        assert here.server.bodies() == []


def test_a_field_that_was_made_meanwhile_is_looked_up() -> None:
    account = Account()

    def race(seen: Seen, path: str) -> Reply | None:
        if seen.method == "POST":
            account.fields.append(custom("City", "[City]"))
        return None

    account.meddle = race
    with world(account) as here:
        assert fields_of(here.vendor.prepare(BY_NAME, None, {"City": FieldType.STRING})) == {"City": ["City", "Text"]}


@pytest.mark.parametrize("answer", [error(254, "Invalid field name"), error(255, "Field name already exists")])
def test_a_field_that_cannot_be_had_needs_a_person(answer: Reply) -> None:
    account = Account(meddle=lambda seen, path: answer if seen.method == "POST" else None)
    with world(account) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, {"City": FieldType.STRING})
    assert (error_.value.code, "City" in error_.value.message or "name" in error_.value.message) == (
        "field_refused",
        True,
    )


def test_a_field_that_was_perhaps_made_is_looked_for_later() -> None:
    account = Account(meddle=lambda seen, path: hang_up if seen.method == "POST" else None)
    with world(account) as here, pytest.raises(RetryAfter):
        here.vendor.prepare(BY_NAME, None, {"City": FieldType.STRING})


@pytest.mark.parametrize(
    ("there", "wanted"),
    [("Number", FieldType.DATE), ("Number", FieldType.BOOLEAN), ("Date", FieldType.INTEGER)],
)
def test_a_type_that_can_never_fit_needs_a_person(there: str, wanted: FieldType) -> None:
    with world(Account(fields=[custom("City", "[City]", there)])) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, {"City": wanted})
    assert error_.value.code == "field_type"


@pytest.mark.parametrize("there", ["Text", "MultiSelectOne", "MultiSelectMany", "Country", "USState", "NewOne"])
@pytest.mark.parametrize("wanted", list(FieldType))
def test_what_is_kept_as_text_takes_everything(there: str, wanted: FieldType) -> None:
    with world(Account(fields=[custom("City", "[City]", there)])) as here:
        assert fields_of(here.vendor.prepare(BY_NAME, None, {"City": wanted})) == {"City": ["City", there]}


def test_one_field_under_two_names_needs_a_person() -> None:
    wanted = {"Post code": FieldType.STRING, "PostCode": FieldType.STRING}
    with world(Account(fields=[custom("Post code", "[Postcode]")])) as here, pytest.raises(UserMustAct) as error_:
        here.vendor.prepare(BY_NAME, None, wanted)
    assert error_.value.code == "field_twice"


def test_no_types_are_fixed_for_all_lists() -> None:
    with world(Account()) as here:
        assert here.vendor.field_types() == {}
        assert here.server.seen == []


# Consent


@pytest.mark.parametrize(
    ("settings", "fields", "kept"),
    [
        ({}, {}, "Unchanged"),
        ({"consent_to_track": "Yes"}, {}, "Yes"),
        ({"consent_to_track": "Yes"}, {"ConsentToTrack": FieldType.STRING}, "Unchanged"),
    ],
)
def test_the_exports_consent_holds_where_no_column_tells_it(
    settings: dict[str, Any], fields: dict[str, FieldType], kept: str
) -> None:
    with world(Account(), **settings) as here:
        assert here.vendor.prepare(BY_NAME, None, fields).details["consent_to_track"] == kept


def test_a_consent_that_does_not_exist_is_refused() -> None:
    with pytest.raises(Unprocessable), world(Account(), consent_to_track="Maybe"):
        pass


# What a plan asked for


@pytest.mark.parametrize("remembered", [None, TargetFound(LIST, "Loyal")])
def test_what_a_plan_asked_for_is_not_asked_for_again(remembered: TargetFound | None) -> None:
    wanted = TargetWanted(None, "Loyal")
    with world(Account(fields=[custom("Post code", "[Postcode]")])) as here:
        assert here.vendor.fits(wanted, remembered, ["Post code"]).keys() == {"Post code"}
        here.vendor.prepare(wanted, remembered, {"Post code": FieldType.STRING})
        lists, details, fields = f"GET clients/{CLIENT}/lists", f"GET lists/{LIST}", f"GET lists/{LIST}/customfields"
        assert here.calls() == [lists, fields, details]
        here.vendor.prepare(wanted, remembered, {"Post code": FieldType.STRING})
        assert here.calls()[3:] == [lists, details, fields]


def test_what_was_asked_for_another_list_is_asked_for_again() -> None:
    with world(Account(lists={LIST: "Loyal", OTHER: "Others"})) as here:
        here.vendor.fits(TargetWanted(None, "Loyal"), None, ["Post code"])
        assert here.vendor.prepare(TargetWanted(None, "Others"), None, {}).list_id == OTHER


def test_a_list_that_was_not_there_for_the_plan_is_made_with_its_fields() -> None:
    account = Account(lists={})
    with world(account) as here:
        assert here.vendor.fits(TargetWanted(None, "Loyal"), None, ["Post code"]) == {}
        assert here.vendor.prepare(TargetWanted(None, "Loyal"), None, {"Post code": FieldType.STRING}).created
    assert [each["FieldName"] for each in account.fields] == ["Post code"]


def test_a_list_that_vanished_after_the_plan_is_noticed() -> None:
    account = Account()
    with world(account) as here:
        here.vendor.fits(TargetWanted(None, "Loyal"), None, ["Post code"])
        account.lists.clear()
        with pytest.raises(UserMustAct) as error_:
            here.vendor.prepare(TargetWanted(None, "Loyal"), None, {"Post code": FieldType.STRING})
    assert error_.value.code == "target_vanished"
