"""Campaign Monitor: reading people page by page (contract section 6)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.campaign_monitor import CLIENT, CampaignMonitor
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, code, row

ANA = "ana@example.com"


@pytest.mark.parametrize("state", ["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"])
def test_each_state_is_read_by_itself(caller: Caller, state: str) -> None:
    list_id = caller.create_list()
    states = ["Active", "Unconfirmed", "Unsubscribed", "Bounced", "Deleted"]
    caller.load(people=[{"email": f"{each}@example.com", "state": each, "lists": [list_id]} for each in states])
    (line,) = caller.read(list_id, state.lower()).json()["Results"]
    assert (line["EmailAddress"], line["State"]) == (f"{state}@example.com", state)


def test_members_come_in_pages(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, *(row(f"p{number:02}@example.com") for number in reversed(range(25))))
    pages = [caller.read(list_id, page=page, pagesize=10).json() for page in (1, 2, 3)]
    assert [page["RecordsOnThisPage"] for page in pages] == [10, 10, 5]
    assert [line["EmailAddress"][:3] for page in pages for line in page["Results"]] == [f"p{n:02}" for n in range(25)]
    del pages[2]["Results"]
    assert pages[2] == {
        "ResultsOrderedBy": "email",
        "OrderDirection": "asc",
        "PageNumber": 3,
        "PageSize": 10,
        "RecordsOnThisPage": 5,
        "TotalNumberOfRecords": 25,
        "NumberOfPages": 3,
    }


def test_pages_shift_when_people_come_in_between(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, *(row(f"p{number:02}@example.com") for number in range(11)))
    assert caller.addresses(list_id, page=2, pagesize=10) == ["p10@example.com"]
    caller.imports(list_id, row("a@example.com"))
    assert caller.addresses(list_id, page=2, pagesize=10) == ["p09@example.com", "p10@example.com"]
    caller.remove(list_id, "a@example.com")
    assert caller.addresses(list_id, page=2, pagesize=10) == ["p10@example.com"]


def test_an_empty_list_has_an_empty_first_page(caller: Caller) -> None:
    answer = caller.read(caller.create_list()).json()
    assert (answer["Results"], answer["NumberOfPages"]) == ([], 0)


@pytest.mark.parametrize(("rule", "status"), [("800", 400), ("empty", 200)])
def test_past_the_last_page(simulator: Simulator[CampaignMonitor], caller: Caller, rule: Any, status: int) -> None:
    simulator.vendor.settings.past_last_page = rule
    list_id = caller.create_list()
    caller.imports(list_id, row(ANA))
    assert caller.read(list_id, page=2).status_code == status


def test_members_are_ordered_as_asked(caller: Caller) -> None:
    list_id = caller.create_list()
    for address, name in [("b@example.com", "Ada"), ("C@example.com", "Cy"), ("a@example.com", "Bo")]:
        caller.imports(list_id, {**row(address), "Name": name})
        caller.advance(1)
    orders = {"email": "abC", "name": "baC", "date": "bCa"}
    for field, order in orders.items():
        shown = [address[0] for address in caller.addresses(list_id, orderfield=field, orderdirection="asc")]
        assert "".join(shown) == order
        shown = [address[0] for address in caller.addresses(list_id, orderfield=field, orderdirection="desc")]
        assert "".join(shown) == order[::-1]


def test_the_order_follows_a_change_of_name(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, {**row(ANA), "Name": "Ada"}, {**row("bo@example.com"), "Name": "Bo"})
    assert caller.addresses(list_id, orderfield="name") == [ANA, "bo@example.com"]
    caller.imports(list_id, {**row(ANA), "Name": "Zoe"})
    assert caller.addresses(list_id, orderfield="name") == ["bo@example.com", ANA]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"page": 0}, 800),
        ({"page": "x"}, 800),
        ({"pagesize": 9}, 801),
        ({"pagesize": 1001}, 801),
        ({"orderfield": "state"}, 802),
        ({"orderdirection": "up"}, 803),
        ({"date": "22/11/2025"}, 5),
        ({"date": "2025-02-30"}, 5),
    ],
)
def test_a_wrong_query_is_refused(caller: Caller, query: dict[str, Any], expected: int) -> None:
    assert code(caller.read(caller.create_list(), **query)) == (400, expected)


def test_a_date_may_have_to_be_given(simulator: Simulator[CampaignMonitor], caller: Caller) -> None:
    list_id = caller.create_list()
    path = f"/lists/{list_id}/active"
    assert code(caller.call("GET", path)) == (400, 5)
    simulator.vendor.settings.date_required = False
    assert caller.call("GET", path).status_code == 200


def test_a_date_leaves_out_whose_state_is_older(caller: Caller) -> None:
    list_id = caller.create_list()
    caller.imports(list_id, row("old@example.com"))
    caller.advance(4 * 3600)  # midnight in the client's time zone
    caller.imports(list_id, row("new@example.com"))
    assert caller.addresses(list_id, date="2025-11-23") == ["new@example.com"]
    assert caller.addresses(list_id, date="2025-11-22") == ["new@example.com", "old@example.com"]
    assert caller.addresses(list_id, date="2025-11-22 20:01") == ["new@example.com"]


def test_the_suppression_list_is_read_in_pages(caller: Caller) -> None:
    caller.load(suppressed=[f"p{number:02}@example.com" for number in range(11)])
    path = f"/clients/{CLIENT}/suppressionlist"
    answer = caller.call("GET", path, pagesize=10, page=2, orderfield="email", orderdirection="asc").json()
    assert answer["Results"] == [
        {
            "SuppressionReason": "Unsubscribed",
            "EmailAddress": "p10@example.com",
            "Date": "2025-11-22 20:00:00",
            "State": "Suppressed",
        }
    ]
    assert (answer["TotalNumberOfRecords"], answer["NumberOfPages"]) == (11, 2)
    assert code(caller.call("GET", path, orderfield="name")) == (400, 802)


def test_the_lists_of_an_address_are_told(caller: Caller) -> None:
    first, second = caller.create_list("first"), caller.create_list("second")
    caller.create_list("third")
    caller.imports(first, row(ANA))
    caller.imports(second, row(ANA))
    caller.remove(second, ANA)
    answer = caller.call("GET", f"/clients/{CLIENT}/listsforemail", email="Ana@example.com").json()
    assert [(each["ListID"], each["ListName"], each["SubscriberState"]) for each in answer] == [
        (first, "first", "Active"),
        (second, "second", "Deleted"),
    ]
