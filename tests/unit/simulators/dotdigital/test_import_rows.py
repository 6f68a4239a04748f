"""Dotdigital: what an import does to each contact, and who is refused (contract sections 3, 4, 5 and 11)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.simulators.dotdigital.conftest import Caller, addresses, codes, row

ANA, BO = "ana@example.com", "bo@example.com"
CONSENT = {
    "text": "Yes please",
    "dateTimeConsented": "2026-01-05T10:00:00Z",
    "url": "https://acme.example/signup",
    "ipAddress": "192.0.2.7",
    "userAgent": "Mozilla/5.0",
}


def data(caller: Caller, address: str) -> dict[str, Any]:
    found: dict[str, Any] = caller.contact(address)["dataFields"]
    return found


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@",
        "@example.com",
        "ana@example",
        "ana@@example.com",
        " ana@example.com",
        "ana@example.com ",
        "a na@example.com",
        "ana.@example.com",
        "ana..b@example.com",
        "ana@-example.com",
        "ana@example..com",
        "jürgen@example.com",
        f"{'a' * 250}@example.com",
        None,
        7,
    ],
)
def test_a_malformed_address_is_refused(caller: Caller, address: Any) -> None:
    result = caller.run({"matchIdentifier": "email", "identifiers": {"email": address}})
    assert codes(result) == {address: ["invalidEmail"]}
    assert (result["summary"]["invalidEntries"], result["summary"]["newContacts"]) == (1, 0)


@pytest.mark.parametrize("address", ["o'brien@example.com", "a+b@example.co.uk", "a_b-c.d@sub.example.org"])
def test_an_unusual_address_is_taken(caller: Caller, address: str) -> None:
    assert addresses(caller.run(row(address)), "created") == [address]


def test_contacts_are_found_in_any_case_of_letters(caller: Caller) -> None:
    caller.people({"email": "Ana@Example.com"})
    result = caller.run(row("ana@example.COM", FIRSTNAME="Ana"))
    assert addresses(result, "updated") == ["Ana@Example.com"]
    assert data(caller, "ANA@example.com") == {"FIRSTNAME": "Ana"}
    caller.settings(told_address="sent")
    assert addresses(caller.run(row("ana@example.COM")), "updated") == ["ana@example.COM"]


@pytest.mark.parametrize(
    ("rule", "created", "refused", "name"),
    [("all_fail", [], 3, None), ("first_wins", [ANA], 2, "first"), ("last_wins", ["ANA@example.com"], 2, "last")],
)
def test_one_of_two_rows_of_a_person_wins_or_none(
    caller: Caller, rule: str, created: list[str], refused: int, name: str | None
) -> None:
    caller.settings(duplicate_rows=rule)
    result = caller.run(row(ANA, FIRSTNAME="first"), row(ANA), row(BO), row("ANA@example.com", FIRSTNAME="last"))
    assert [each for each in addresses(result, "created") if each != BO] == created
    assert [each["failures"][0]["failureCode"] for each in result["failures"]] == ["duplicateIdentifier"] * refused
    assert result["summary"]["duplicateIdentifiers"] == refused
    if name:
        assert data(caller, ANA) == {"FIRSTNAME": name}


@pytest.mark.parametrize(("spelling", "expected"), [("spec", "duplicateIdentifier"), ("docs", "Duplicate")])
def test_failure_codes_have_two_spellings(caller: Caller, spelling: str, expected: str) -> None:
    caller.settings(failure_codes=spelling)
    result = caller.run(row(ANA), row(ANA), row("bad"))
    assert codes(result)[ANA] == [expected]
    assert codes(result)["bad"] == [{"spec": "invalidEmail", "docs": "InvalidEmail"}[spelling]]


def test_barred_people_are_refused(caller: Caller) -> None:
    caller.people(barred=["Ana@example.com", "@example.org"])
    result = caller.run(row("ANA@example.com"), row("any@Example.org"), row(BO))
    assert codes(result) == {"ANA@example.com": ["globallySuppressed"], "any@Example.org": ["suppressedByDomain"]}
    assert (result["summary"]["globallySuppressed"], addresses(result, "created")) == (2, [BO])


def test_anybody_can_be_refused_with_any_code(caller: Caller) -> None:
    caller.settings(row_failures={ANA: "Blocker", BO: "SomethingNew"})
    assert codes(caller.run(row(ANA), row(BO))) == {ANA: ["Blocker"], BO: ["SomethingNew"]}
    assert caller.state()["people"] == 0


def test_rows_of_one_import_fail_one_by_one(caller: Caller) -> None:
    list_id = caller.create_list()
    result = caller.run(row(ANA, list_id), row("bad", list_id), row(BO, list_id, NO_SUCH="x"))
    assert (addresses(result, "created"), codes(result)) == (
        [ANA],
        {"bad": ["invalidEmail"], BO: ["apiSchemaViolation"]},
    )
    assert caller.members(list_id) == [ANA]


def test_an_unknown_field_fails_the_row_or_goes_unsaid_or_fails_the_request(caller: Caller) -> None:
    given = row(ANA, CITY="Hoboken", FIRSTNAME="Ana")
    assert codes(caller.run(given)) == {ANA: ["apiSchemaViolation"]}
    caller.settings(unknown_field="ignored")
    assert caller.run(given).keys() == {"importId", "status", "summary", "created"}
    assert data(caller, ANA) == {"FIRSTNAME": "Ana"}
    caller.settings(unknown_field="request")
    answer = caller.put_import(row(BO, FIRSTNAME="Bo"), given)
    assert (answer.status_code, answer.json()["details"][0]["item"]) == (400, "contacts[1].dataFields")


def test_names_of_fields_are_upper_case_unless_told_otherwise(caller: Caller) -> None:
    assert codes(caller.run(row(ANA, firstName="Ana"))) == {ANA: ["apiSchemaViolation"]}
    caller.settings(field_names_any_case=True)
    caller.run(row(ANA, firstName="Ana"))
    assert data(caller, ANA) == {"FIRSTNAME": "Ana"}


FIELDS = [{"name": kind.upper(), "type": kind} for kind in ("String", "Numeric", "Date", "Boolean")]


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("STRING", ["", "x" * 1000]),
        ("NUMERIC", [0, -7, 1.5, 10**17, 0.000000001]),
        ("DATE", ["2026-01-05", "2026-01-05T10:00:00Z", "2026-01-05T10:00:00.123Z", "2026-01-05T10:00:00+00:00"]),
        ("BOOLEAN", [True, False]),
    ],
)
def test_values_that_fit_are_stored_as_sent(caller: Caller, name: str, values: list[Any]) -> None:
    caller.people(fields=FIELDS)
    result = caller.run(*(row(f"p{number}@example.com", **{name: value}) for number, value in enumerate(values)))
    assert "failures" not in result
    assert [data(caller, f"p{number}@example.com")[name] for number in range(len(values))] == values


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("STRING", ["x" * 1001, 7, True, ["x"], {}]),
        ("NUMERIC", ["7", True, 10**18, 0.0000000001, [7]]),
        ("DATE", ["05/01/2026", "2026-13-01", "2026-01-05T10:00:00", "2026-01-05T10:00:00+02:00", "", 20260105]),
        ("BOOLEAN", ["true", 1, 0]),
    ],
)
def test_values_that_do_not_fit_fail_their_row(caller: Caller, name: str, values: list[Any]) -> None:
    caller.people(fields=FIELDS)
    result = caller.run(*(row(f"p{number}@example.com", **{name: value}) for number, value in enumerate(values)))
    assert len(codes(result)) == len(values)
    assert caller.state()["people"] == 0


def test_a_value_that_does_not_fit_may_be_left_out_alone(caller: Caller) -> None:
    caller.settings(bad_value="value")
    caller.people(fields=FIELDS)
    result = caller.run(row(ANA, NUMERIC="many", FIRSTNAME="Ana"))
    assert (addresses(result, "created"), codes(result)) == ([ANA], {ANA: ["apiSchemaViolation"]})
    assert data(caller, ANA) == {"FIRSTNAME": "Ana"}


def test_text_may_do_for_numbers_and_truth(caller: Caller) -> None:
    caller.settings(text_as_value=True)
    caller.people(fields=FIELDS)
    assert "failures" not in caller.run(row(ANA, NUMERIC="7.5", BOOLEAN="true"))
    assert codes(caller.run(row(ANA, NUMERIC="many"))) == {ANA: ["apiSchemaViolation"]}


OLD = {"FIRSTNAME": "old", "LASTNAME": "old", "GENDER": "", "POSTCODE": "old", "FULLNAME": "old"}
NEW = {"FIRSTNAME": "new", "LASTNAME": "", "GENDER": "new", "POSTCODE": None}


@pytest.mark.parametrize(
    ("option", "expected"),
    [
        (None, {"FIRSTNAME": "new", "LASTNAME": "", "GENDER": "new", "FULLNAME": "old"}),
        ("overwrite", {"FIRSTNAME": "new", "LASTNAME": "", "GENDER": "new", "FULLNAME": "old"}),
        (
            "overwriteIfNotEmpty",
            {"FIRSTNAME": "new", "LASTNAME": "old", "GENDER": "new", "POSTCODE": "old", "FULLNAME": "old"},
        ),
        (
            "overwriteIfEmpty",
            {"FIRSTNAME": "old", "LASTNAME": "old", "GENDER": "new", "POSTCODE": "old", "FULLNAME": "old"},
        ),
    ],
)
def test_merge_options_decide_what_stays(caller: Caller, option: str | None, expected: dict[str, Any]) -> None:
    caller.people({"email": ANA, "dataFields": OLD})
    caller.run(row(ANA, **NEW), **({"mergeOption": option} if option else {}))
    assert data(caller, ANA) == expected


def test_null_may_clear_although_only_what_is_not_empty_overwrites(caller: Caller) -> None:
    caller.settings(null_clears_if_not_empty=True)
    caller.people({"email": ANA, "dataFields": {"FIRSTNAME": "old", "LASTNAME": "old"}})
    caller.run(row(ANA, FIRSTNAME=None, LASTNAME=""), mergeOption="overwriteIfNotEmpty")
    assert data(caller, ANA) == {"LASTNAME": "old"}


@pytest.mark.parametrize("status", ["unsubscribed", "suppressed", "hardBounced", "softBounced", "ispComplained"])
def test_leaving_the_status_out_keeps_it(caller: Caller, status: str) -> None:
    list_id = caller.create_list()
    caller.people({"email": ANA, "status": status})
    result = caller.run(row(ANA, list_id, FIRSTNAME="Ana"), row(BO))
    assert addresses(result, "updated") == [ANA]
    contact = caller.contact(ANA)
    assert contact["channelProperties"]["email"]["status"] == status
    assert contact["status"] == ("unsubscribed" if status == "unsubscribed" else "suppressed")
    assert (contact["dataFields"], [each["status"] for each in contact["lists"]]) == (
        {"FIRSTNAME": "Ana"},
        ["subscribed"],
    )
    assert caller.contact(BO)["status"] == "subscribed"
    assert (caller.state()["resubscribes"], caller.state()["globally_unsubscribed"]) == (0, [ANA])


def test_suppressed_people_may_be_refused(caller: Caller) -> None:
    caller.settings(suppressed_contacts="refused")
    caller.people({"email": ANA, "status": "suppressed"})
    assert codes(caller.run(row(ANA, FIRSTNAME="Ana"))) == {ANA: ["invalidContactStatus"]}


def with_channel(address: str, **channel: Any) -> dict[str, Any]:
    return {**row(address), "channelProperties": {"email": channel}}


@pytest.mark.parametrize("status", ["unsubscribed", "hardBounced"])
def test_asking_for_subscribed_resubscribes_and_is_counted(caller: Caller, status: str) -> None:
    caller.people({"email": ANA, "status": status})
    caller.run(with_channel(ANA, status="Subscribed"), with_channel(BO, status="subscribed"))
    assert caller.contact(ANA)["status"] == "subscribed"
    assert caller.state()["resubscribes"] == 1
    caller.run(with_channel(ANA, status="subscribed"))
    assert caller.state()["resubscribes"] == 1


def test_a_bounce_may_outlast_asking_for_subscribed(caller: Caller) -> None:
    caller.settings(subscribed_revives="unsubscribed")
    caller.people({"email": ANA, "status": "hardBounced"}, {"email": BO, "status": "unsubscribed"})
    caller.run(with_channel(ANA, status="subscribed"), with_channel(BO, status="subscribed"))
    assert caller.state()["globally_unsubscribed"] == [ANA]
    assert caller.state()["resubscribes"] == 1


def test_a_resubscription_can_be_challenged(caller: Caller) -> None:
    caller.people({"email": ANA, "status": "unsubscribed"})
    caller.run(with_channel(ANA, status="subscribed", resubscribeOptions={"resubscribeWithNoChallenge": False}))
    assert caller.contact(ANA)["status"] == "pendingOptIn"
    assert (caller.state()["confirmation_mails"], caller.state()["resubscribes"]) == (1, 0)


def test_a_contact_that_is_deleted_and_made_again_counts_as_resubscribed(caller: Caller) -> None:
    caller.people({"email": ANA, "status": "unsubscribed"})
    caller.call("DELETE", f"/contacts/v3/email/{ANA}")
    caller.run(row(ANA))
    assert caller.contact(ANA)["status"] == "subscribed"
    assert (caller.state()["resubscribes"], caller.state()["contacts_deleted"]) == (1, 1)


def test_an_import_can_unsubscribe_and_is_counted(caller: Caller) -> None:
    caller.people({"email": ANA})
    caller.run(with_channel(ANA, status="unsubscribed"), with_channel(BO, status="suppressed"))
    assert caller.state()["globally_unsubscribed"] == [ANA, BO]
    assert caller.state()["unsubscribes"] == 2


def test_verified_double_opt_in_sends_mail(caller: Caller) -> None:
    caller.run(
        with_channel(ANA, optInType="verifiedDouble"), with_channel(BO, optInType="Single", emailType="PlainText")
    )
    assert caller.contact(ANA)["status"] == "pendingOptIn"
    assert caller.contact(BO)["channelProperties"]["email"] == {
        "emailType": "PlainText",
        "optInType": "Single",
        "status": "subscribed",
    }
    assert caller.state()["confirmation_mails"] == 1


def test_an_account_may_enforce_double_opt_in_on_newcomers(caller: Caller) -> None:
    caller.settings(enforce_double_opt_in=True)
    caller.people({"email": ANA})
    list_id = caller.create_list()
    caller.run(row(ANA, list_id), row(BO, list_id))
    assert (caller.contact(ANA)["status"], caller.contact(BO)["status"]) == ("subscribed", "pendingOptIn")
    assert caller.contact(BO)["lists"][0]["status"] == "pending"


def on_list(caller: Caller, address: str) -> str:
    status: str = caller.contact(address)["lists"][0]["status"]
    return status


@pytest.mark.parametrize(("adding", "status", "count"), [(True, "subscribed", 1), (False, "suppressed", 0)])
def test_adding_somebody_who_left_the_list(caller: Caller, adding: bool, status: str, count: int) -> None:
    caller.settings(adding_resubscribes=adding)
    list_id = caller.create_list()
    caller.people({"email": ANA, "unsubscribedFrom": [list_id]})
    for _ in range(2):
        caller.run(row(ANA, list_id))
    assert on_list(caller, ANA) == status
    assert (caller.state()["list_resubscribes"], caller.state()["resubscribes"]) == (count, count)


@pytest.mark.parametrize(("forgets", "status", "count"), [(True, "subscribed", 1), (False, "suppressed", 0)])
def test_taking_somebody_off_and_adding_them_again(caller: Caller, forgets: bool, status: str, count: int) -> None:
    caller.settings(removal_forgets_unsubscribe=forgets)
    list_id = caller.create_list()
    caller.people({"email": ANA, "contactId": 17, "unsubscribedFrom": [list_id]})
    caller.call("DELETE", f"/v2/address-books/{list_id}/contacts/17")
    assert caller.contact(ANA)["lists"] == []
    caller.run(row(ANA, list_id))
    assert (on_list(caller, ANA), caller.state()["list_resubscribes"]) == (status, count)


def test_a_contact_is_created_although_its_list_is_gone(caller: Caller) -> None:
    list_id = caller.create_list()
    result = caller.run(row(ANA, list_id, 99), row(BO))
    assert addresses(result, "created") == [ANA, BO]
    assert result["failures"] == [
        {
            "contactId": 35212311,
            "matchIdentifier": "email",
            "identifiers": {"email": ANA},
            "failures": [{"failureCode": "invalidAddressBookIds", "description": "Invalid list id 99"}],
        }
    ]
    assert caller.members(list_id) == [ANA]


def test_a_list_that_is_gone_may_fail_the_contact(caller: Caller) -> None:
    caller.settings(unknown_list="failed")
    result = caller.run(row(ANA, 99))
    assert (addresses(result, "created"), codes(result)) == ([], {ANA: ["invalidAddressBookIds"]})


def test_a_list_that_is_deleted_under_way_is_gone_at_the_end(caller: Caller) -> None:
    list_id = caller.create_list()
    import_id = caller.start(row(ANA, list_id))
    caller.call("DELETE", f"/v2/address-books/{list_id}")
    caller.advance(60)
    assert codes(caller.poll(import_id)) == {ANA: ["invalidAddressBookIds"]}


def test_consent_records_are_added_every_time_or_told_as_a_failure(caller: Caller) -> None:
    for _ in range(2):
        assert "failures" not in caller.run({**row(ANA), "consentRecords": [CONSENT]})
    assert len(caller.contact(ANA)["consentRecords"]) == 2
    bad = {name: value for name, value in CONSENT.items() if name != "url"}
    result = caller.run({**row(BO), "consentRecords": [bad]})
    assert (addresses(result, "created"), codes(result)) == ([BO], {BO: ["consentRecordsNotApplied"]})


@pytest.mark.parametrize(
    ("match", "identifiers", "code"),
    [
        ("email", {}, "noValidIdentifiers"),
        ("email", {"mobileNumber": "447123123123"}, "invalidMatchIdentifier"),
        ("customerId", {"customerId": "C1"}, "invalidMatchIdentifier"),
        ("email", {"email": BO, "customerId": "C1"}, "apiSchemaViolation"),
        ("mobileNumber", {"mobileNumber": "0"}, "invalidPhoneNumber"),
        ("contactId", {"contactId": 5}, "invalidContactId"),
        ("contactId", {"contactId": "17"}, "invalidContactId"),
        ("email", {"email": ANA, "mobileNumber": "447123123124"}, "duplicateIdentifier"),
        ("contactId", {"contactId": 18, "email": ANA}, "duplicateIdentifier"),
    ],
)
def test_identifiers_have_to_name_one_contact(
    caller: Caller, match: str, identifiers: dict[str, Any], code: str
) -> None:
    caller.people({"email": ANA, "contactId": 17}, {"contactId": 18, "mobileNumber": "447123123124"})
    result = caller.run({"matchIdentifier": match, "identifiers": identifiers})
    assert [each["failures"][0]["failureCode"] for each in result["failures"]] == [code]
    assert caller.state()["people"] == 2


def test_a_contact_can_be_matched_by_id_and_given_another_address(caller: Caller) -> None:
    caller.people({"email": ANA, "contactId": 17, "status": "unsubscribed"})
    caller.run({"matchIdentifier": "contactId", "identifiers": {"contactId": 17, "email": BO}})
    assert caller.contact(BO)["contactId"] == 17
    assert caller.get(f"/contacts/v3/email/{ANA}").status_code == 404
    assert caller.state()["globally_unsubscribed"] == [BO]
    caller.run(with_channel(BO, status="subscribed"))
    assert caller.state()["resubscribes"] == 1


def test_somebody_with_a_mobile_number_only_has_no_mail(caller: Caller) -> None:
    caller.run({"matchIdentifier": "mobileNumber", "identifiers": {"mobileNumber": "447123123123"}})
    contact = caller.get("/contacts/v3/mobileNumber/447123123123").json()
    assert (contact["identifiers"], contact["status"]) == ({"mobileNumber": "447123123123"}, "noSubscription")
    assert "channelProperties" not in contact
