"""Campaign Monitor: what becomes of names and values of custom fields (contract sections 3 and 4)."""

from __future__ import annotations

from typing import Any

import pytest

from dev.simulators.campaign_monitor import CampaignMonitor
from dev.simulators.common.simulator import Simulator
from tests.unit.simulators.campaign_monitor.conftest import Caller, failures, row

ANA = "ana@example.com"


@pytest.fixture
def list_id(caller: Caller) -> str:
    """A list with one field of each type."""
    made = caller.create_list("Loyal", "First Name", "City")
    options = {"Size": "MultiSelectOne", "Colour": "MultiSelectMany"}
    for name, data_type in [("Age", "Number"), ("Born", "Date"), ("Land", "Country"), *options.items()]:
        wanted: dict[str, Any] = {"FieldName": name, "DataType": data_type}
        if name in options:
            wanted["Options"] = ["a", "b", "c"]
        caller.call("POST", f"/lists/{made}/customfields", wanted)
    return made


def write(caller: Caller, list_id: str, *clear: str, **fields: str) -> dict[str, str]:
    assert caller.imports(list_id, row(ANA, clear=clear, **fields)).status_code == 201
    return caller.fields(list_id, ANA)


def test_values_are_kept_unless_sent_and_read_back_by_name(caller: Caller, list_id: str) -> None:
    write(caller, list_id, FirstName="Ana", City="Hoboken")
    assert write(caller, list_id, City="Newark") == {"First Name": "Ana", "City": "Newark"}


def test_values_may_be_read_back_by_key(simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str) -> None:
    simulator.vendor.settings.read_keys = "key"
    assert write(caller, list_id, FirstName="Ana") == {"[FirstName]": "Ana"}


@pytest.mark.parametrize("key", ["First Name", "firstname", "[FirstName]", "Nickname", ""])
def test_unknown_keys_vanish_without_a_word(caller: Caller, list_id: str, key: str) -> None:
    assert write(caller, list_id, **{key: "Ana"}) == {}
    assert caller.state()["dropped_keys"] == {key: 1}


def test_keys_in_brackets_and_in_any_case_may_be_taken(
    simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str
) -> None:
    simulator.vendor.settings.bracketed_keys = True
    assert write(caller, list_id, **{"[City]": "Newark"}) == {"City": "Newark"}
    simulator.vendor.settings.keys_any_case = True
    assert write(caller, list_id, **{"[city]": "Hoboken"}) == {"City": "Hoboken"}
    assert write(caller, list_id, CITY="Newark") == {"City": "Newark"}


def test_only_clear_empties_a_field(caller: Caller, list_id: str) -> None:
    write(caller, list_id, City="Newark", FirstName="Ana", Age="7")
    assert write(caller, list_id, City="") == {"First Name": "Ana", "City": "Newark", "Age": "7"}
    assert write(caller, list_id, "City", "Age") == {"First Name": "Ana"}


def test_an_empty_value_may_also_clear(simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str) -> None:
    simulator.vendor.settings.empty_value = "clears"
    write(caller, list_id, City="Newark")
    assert write(caller, list_id, City="") == {}


@pytest.mark.parametrize(("rule", "stored"), [("truncated", "x" * 250), ("ignored", None)])
def test_a_value_of_more_than_250_characters(
    simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str, rule: Any, stored: str | None
) -> None:
    simulator.vendor.settings.long_values = rule
    assert write(caller, list_id, City="x" * 250) == {"City": "x" * 250}
    write(caller, list_id, "City")
    assert write(caller, list_id, City="x" * 251).get("City") == stored


def test_a_long_value_may_also_fail_its_row(
    simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str
) -> None:
    simulator.vendor.settings.long_values = "row_fails"
    answer = caller.imports(list_id, row(ANA, City="x" * 251), row("bo@example.com"))
    assert failures(answer) == {ANA: 400}
    assert caller.addresses(list_id) == ["bo@example.com"]


@pytest.mark.parametrize(
    ("field", "value", "stored"),
    [
        ("Age", "-7.5", "-7.5"),
        ("Age", "seven", None),
        ("Age", "1,000", None),
        ("Born", "1990/05/17", "1990-05-17"),
        ("Born", "1990-05-17", None),
        ("Born", "17/05/1990", None),
        ("Born", "1990/02/30", None),
        ("Born", "1900/01/01", "1900-01-01"),
        ("Born", "1899/12/31", None),
        ("Born", "2076/06/06", "2076-06-06"),
        ("Born", "2076/06/07", None),
        ("Size", "b", "b"),
        ("Size", "B", None),
        ("Land", "Portugal", "Portugal"),
    ],
)
def test_a_value_that_is_not_of_its_type_is_ignored_without_a_word(
    caller: Caller, list_id: str, field: str, value: str, stored: str | None
) -> None:
    assert write(caller, list_id, **{field: value}).get(field) == stored


def test_a_date_is_cleared_by_nought_and_may_be_written_with_dashes(
    simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str
) -> None:
    simulator.vendor.settings.iso_dates = True
    assert write(caller, list_id, Born="1990-05-17") == {"Born": "1990-05-17"}
    assert write(caller, list_id, Born="0000-00-00") == {}


def test_several_options_repeat_the_key_and_replace_the_old_ones(caller: Caller, list_id: str) -> None:
    def chosen(*options: str) -> list[str]:
        values = [{"Key": "Colour", "Value": option} for option in options]
        caller.imports(list_id, {**row(ANA), "CustomFields": values})
        return [each["Value"] for each in caller.get(list_id, ANA)["CustomFields"]]

    assert chosen("a", "b") == ["a", "b"]
    assert chosen("c", "none") == ["c"]
    assert chosen() == ["c"]
    assert write(caller, list_id, "Colour") == {}


@pytest.mark.parametrize(("rule", "name"), [("cleared", ""), ("kept", "Ana Silva")])
def test_a_name_that_is_left_out(
    simulator: Simulator[CampaignMonitor], caller: Caller, list_id: str, rule: Any, name: str
) -> None:
    simulator.vendor.settings.name_omitted = rule
    write(caller, list_id)
    caller.imports(list_id, {"EmailAddress": ANA, "ConsentToTrack": "Unchanged"})
    assert caller.get(list_id, ANA)["Name"] == name


def test_an_import_that_is_repeated_changes_nothing(caller: Caller, list_id: str) -> None:
    for expected in (1, 0):
        answer = caller.imports(list_id, row(ANA, City="Newark"))
        assert answer.json()["TotalNewSubscribers"] == expected
    assert caller.fields(list_id, ANA) == {"City": "Newark"}


@pytest.mark.parametrize("data_type", ["Country", "USState"])
@pytest.mark.parametrize(("value", "kept"), [("a", {"Place": "a"}), ("A", {}), ("elsewhere", {})])
def test_of_countries_and_states_with_options_only_these_are_kept(
    caller: Caller, data_type: str, value: str, kept: dict[str, str]
) -> None:
    fields = [{"name": "Place", "dataType": data_type, "options": ["a", "b"]}]
    caller.load(lists=[{"id": "7" * 32, "name": "Loyal", "fields": fields}])
    assert write(caller, "7" * 32, Place=value) == kept
