"""Campaign Monitor: lists and custom fields (contract sections 2 and 3)."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from dev.simulators.campaign_monitor import CLIENT, OUTLET_CLIENT, CampaignMonitor
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, row


def field(caller: Caller, list_id: str, name: str, data_type: str = "Text", **more: Any) -> Any:
    return caller.call("POST", f"/lists/{list_id}/customfields", {"FieldName": name, "DataType": data_type, **more})


def shown(caller: Caller, list_id: str) -> list[dict[str, Any]]:
    fields: list[dict[str, Any]] = caller.call("GET", f"/lists/{list_id}/customfields").json()
    return fields


def path_of(list_id: str, key: str) -> str:
    return f"/lists/{list_id}/customfields/{quote(key, safe='')}"


def test_a_list_is_created_and_shown(caller: Caller) -> None:
    answer = caller.call("POST", f"/lists/{CLIENT}", {"Title": "Loyal customers", "ConfirmedOptIn": False})
    list_id = answer.json()
    assert (answer.status_code, type(list_id), len(list_id)) == (201, str, 32)
    assert caller.call("GET", f"/lists/{list_id}").json() == {
        "ListID": list_id,
        "Title": "Loyal customers",
        "UnsubscribePage": "",
        "ConfirmedOptIn": False,
        "ConfirmationSuccessPage": "",
        "UnsubscribeSetting": "AllClientLists",
    }
    assert caller.call("GET", f"/clients/{CLIENT}/lists").json() == [{"ListID": list_id, "Name": "Loyal customers"}]
    assert caller.call("GET", f"/clients/{OUTLET_CLIENT}/lists").json() == []


def test_the_first_list_has_the_same_id_in_every_run(caller: Caller) -> None:
    first = caller.create_list()
    caller.inspect("reset", {})
    assert caller.create_list() == first


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"Title": "loyal Customers "}, 250),
        ({"Title": " "}, 251),
        ({}, 251),
        ({"Title": "Others", "UnsubscribeSetting": "Nowhere"}, 261),
    ],
)
def test_a_wrong_list_is_refused(caller: Caller, body: dict[str, Any], expected: int) -> None:
    caller.create_list("Loyal customers")
    other = caller.create_list("Gone")
    assert code(caller.call("POST", f"/lists/{CLIENT}", body)) == (400, expected)
    assert code(caller.call("PUT", f"/lists/{other}", body)) == (400, expected)


def test_two_clients_may_have_a_list_of_one_title(caller: Caller) -> None:
    caller.create_list("Loyal customers")
    assert caller.call("POST", f"/lists/{OUTLET_CLIENT}", {"Title": "Loyal customers"}).status_code == 201


def test_a_list_is_changed_with_an_empty_answer(caller: Caller) -> None:
    list_id = caller.create_list()
    body = {"Title": "Loyal customers", "UnsubscribeSetting": "OnlyThisList", "ConfirmedOptIn": True}
    answer = caller.call("PUT", f"/lists/{list_id}", body)
    assert (answer.status_code, answer.content) == (200, b"")
    details = caller.call("GET", f"/lists/{list_id}").json()
    assert (details["UnsubscribeSetting"], details["ConfirmedOptIn"]) == ("OnlyThisList", True)


def test_a_list_is_deleted_unless_a_draft_uses_it(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.load(lists=[{"id": list_id, "inUse": True}])
    assert code(caller.call("DELETE", f"/lists/{list_id}")) == (400, 252)
    caller.load(lists=[{"id": list_id, "inUse": False}])
    assert caller.call("DELETE", f"/lists/{list_id}").status_code == 200
    assert code(caller.call("GET", f"/lists/{list_id}")) == (401, 101)
    assert caller.create_list() != list_id


def test_stats_count_the_states_but_may_be_a_minute_old(caller: Caller) -> None:
    list_id = caller.create_list()
    people = [{"email": f"{state}@example.com", "state": state} for state in ("Unsubscribed", "Bounced", "Deleted")]
    caller.load(people=[{**each, "lists": [list_id]} for each in people])
    counted = {"TotalUnsubscribes": 1, "TotalDeleted": 1, "TotalBounces": 1}
    assert caller.call("GET", f"/lists/{list_id}/stats").json() == {"TotalActiveSubscribers": 0, **counted}
    caller.imports(list_id, row("ana@example.com"))
    caller.advance(59)
    assert caller.call("GET", f"/lists/{list_id}/stats").json()["TotalActiveSubscribers"] == 0
    caller.advance(1)
    assert caller.call("GET", f"/lists/{list_id}/stats").json() == {"TotalActiveSubscribers": 1, **counted}


def test_stats_may_also_be_fresh(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    simulator.vendor.settings.stats_age = 0
    list_id = caller.create_list()
    for expected in (0, 1):
        assert caller.call("GET", f"/lists/{list_id}/stats").json()["TotalActiveSubscribers"] == expected
        caller.imports(list_id, row("ana@example.com"))


@pytest.mark.parametrize(
    ("rule", "key"),
    [("letters_and_digits", "[FirstName2]"), ("without_spaces", "[First-Name2]"), ("lower_case", "[firstname2]")],
)
def test_the_vendor_makes_the_key_of_a_field(
    simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any, key: str
) -> None:
    simulator.vendor.settings.field_key = rule
    list_id = caller.create_list()
    answer = field(caller, list_id, "First-Name 2", VisibleInPreferenceCenter=False)
    assert (answer.status_code, answer.json()) == (201, key)
    assert shown(caller, list_id) == [
        {
            "FieldName": "First-Name 2",
            "Key": key,
            "DataType": "Text",
            "FieldOptions": [],
            "VisibleInPreferenceCenter": False,
        }
    ]


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"FieldName": " "}, 254),
        ({"FieldName": "?"}, 254),
        ({}, 254),
        ({"FieldName": "first name"}, 255),
        ({"FieldName": "First  Name"}, 255),
        ({"FieldName": "New", "DataType": "Boolean"}, 259),
        ({"FieldName": "New", "Options": ["a"]}, 256),
        ({"FieldName": "New", "DataType": "MultiSelectOne"}, 257),
    ],
)
def test_a_wrong_field_is_refused(caller: Caller, wanted: dict[str, Any], expected: int) -> None:
    list_id = caller.create_list()
    field(caller, list_id, "First Name")
    answer = caller.call("POST", f"/lists/{list_id}/customfields", {"DataType": "Text", **wanted})
    assert code(answer) == (400, expected)
    assert len(shown(caller, list_id)) == 1


def test_limits_on_fields_can_be_set(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    list_id = caller.create_list()
    simulator.vendor.settings.longest_field_name = 5
    assert code(field(caller, list_id, "Gender")) == (400, 254)
    simulator.vendor.settings.longest_field_name = None
    simulator.vendor.settings.most_fields = 1
    assert field(caller, list_id, "Gender").status_code == 201
    assert code(field(caller, list_id, "Postcode")) == (400, 254)


def test_renaming_a_field_changes_its_key_and_keeps_its_values(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "Postcode")
    caller.imports(list_id, row("ana@example.com", Postcode="07030"))
    answer = caller.call("PUT", path_of(list_id, "[Postcode]"), {"FieldName": "Zip code"})
    assert (answer.status_code, answer.json()) == (200, "[Zipcode]")
    assert caller.fields(list_id, "ana@example.com") == {"Zip code": "07030"}
    caller.imports(list_id, row("ana@example.com", Postcode="07030", Zipcode="07087"))
    assert caller.fields(list_id, "ana@example.com") == {"Zip code": "07087"}


@pytest.mark.parametrize("key", ["Postcode", "[postcode]", "[none]"])
def test_a_field_is_named_by_its_key_in_brackets(caller: Caller, key: str) -> None:
    list_id = caller.create_list("Loyal", "Postcode")
    assert code(caller.call("DELETE", path_of(list_id, key))) == (400, 253)


def test_a_deleted_field_takes_its_values_along(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "Postcode")
    caller.imports(list_id, row("ana@example.com", Postcode="07030"))
    assert caller.call("DELETE", path_of(list_id, "[Postcode]")).status_code == 200
    field(caller, list_id, "Postcode")
    assert caller.fields(list_id, "ana@example.com") == {}


def test_options_are_added_or_replaced(caller: Caller) -> None:
    list_id = caller.create_list("Loyal", "City")
    field(caller, list_id, "Size", "MultiSelectOne", Options=["S", "M"])
    path = f"{path_of(list_id, '[Size]')}/options"
    for keep, options, expected in [(True, ["M", "L"], ["S", "M", "L"]), (False, ["XL"], ["XL"])]:
        assert caller.call("PUT", path, {"Options": options, "KeepExistingOptions": keep}).status_code == 200
        assert shown(caller, list_id)[1]["FieldOptions"] == expected
    assert code(caller.call("PUT", path, {"Options": []})) == (400, 257)
    assert code(caller.call("PUT", f"{path_of(list_id, '[City]')}/options", {"Options": ["a"]})) == (400, 256)


def test_options_that_are_no_texts_are_refused(caller: Caller) -> None:
    assert code(field(caller, caller.create_list(), "Size", "MultiSelectOne", Options=[1])) == (400, 400)
