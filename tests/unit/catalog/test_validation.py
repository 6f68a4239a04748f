"""An export is judged by its connection, its vendor, the segments that exist and the owners of its targets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.catalog.export_validation import Judgement, Surroundings, judge
from shared.catalog.issues import Issue
from shared.catalog.models import MAX_TARGETS, Connection
from shared.vendors.contract import Definition, Field
from shared.vendors.registry import DEFINITIONS as VENDORS
from tests.unit.catalog.samples import COLUMNS, LETTERBOX, PLAIN, START, connection, export

STAMPS = {"created_at": START, "created_by": "ann", "updated_at": START, "updated_by": "ann"}


def stored(**changes: Any) -> Connection:
    values = {**connection().model_dump(), **STAMPS, "name": "marketing", "account": "acc-1", "check_code": "ok"}
    return Connection.model_validate({**values, **changes})


def verdict(around: dict[str, Any] | None = None, **changes: Any) -> Judgement:
    values: dict[str, Any] = {"connection": stored(), "definition": LETTERBOX, "segments": COLUMNS, "owners": {}}
    values["ids"] = {**{each: each for each in COLUMNS}, "VIP": "blob/ci:VIP"}
    return judge(export(**changes), Surroundings(**{**values, **(around or {})}))


def issues(around: dict[str, Any] | None = None, **changes: Any) -> list[Issue]:
    return list(verdict(around, **changes).issues)


def matching(*fields: str, column: str = "EMail") -> list[dict[str, str]]:
    return [{"field": "FIRSTNAME", "column": "FirstName"}, *({"field": name, "column": column} for name in fields)]


def test_a_complete_export_has_no_issues_and_no_warnings() -> None:
    assert verdict() == Judgement((), ())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"disabled": True}, "The connection is disabled: enable it, or choose another."),
        ({"consent": None}, "The connection has no recorded consent: have an administrator agree first."),
        ({"account": None}, "The connection's account is not known: check the connection first."),
    ],
)
def test_a_connection_that_cannot_be_used_is_refused(change: dict[str, Any], message: str) -> None:
    assert issues({"connection": stored(**change)}) == [Issue("/connection", message)]


def test_an_unknown_connection_is_refused() -> None:
    found = issues({"connection": None, "definition": None})
    assert found == [Issue("/connection", 'There is no connection "marketing": create it first.')]


def test_a_failed_check_is_a_warning() -> None:
    found = verdict({"connection": stored(check_code="bad_credentials", check_message="The key is wrong.")})
    assert found.issues == ()
    assert found.warnings == (Issue("/connection", "Its last check failed: The key is wrong."),)


@pytest.mark.parametrize(
    ("field", "message"),
    [
        ("email", "The address column fills this field: remove it from the data matching."),
        ("EMAIL", "The address column fills this field: remove it from the data matching."),
        ("Unsubscribed", 'Letterbox keeps "Unsubscribed" for itself: choose another field.'),
        (" Plan", "A field's name has no spaces at its ends and no control characters."),
        ("Pl\nan", "A field's name has no spaces at its ends and no control characters."),
    ],
)
def test_fields_that_cannot_be_filled_are_refused(field: str, message: str) -> None:
    assert issues(matching=matching(field)) == [Issue("/matching/1/field", message)]


def test_custom_fields_are_accepted_where_the_vendor_has_them() -> None:
    assert issues(matching=matching("Plan", "Größe")) == []
    plain = {"definition": PLAIN}
    assert issues(plain, matching=[{"field": "Plan", "column": "EMail"}]) == [
        Issue("/matching/0/field", 'Plain has no such field; it knows "name".')
    ]


def test_a_field_spelled_otherwise_is_a_warning() -> None:
    found = verdict(matching=matching("born", column="Birthday"))
    [warning] = found.warnings
    assert warning.pointer == "/matching/1/field"
    assert 'spelled "BORN"' in warning.message


@pytest.mark.parametrize(("one", "other"), [("Plan", "plan"), ("plan", "Plan"), ("Plan", "Plan")])
def test_a_field_is_matched_once_whatever_its_case(one: str, other: str) -> None:
    assert issues(matching=matching(one, other)) == [
        Issue("/matching/2/field", f'"{other}" is matched twice: remove one.')
    ]


def test_required_fields_are_matched_and_the_address_counts_as_the_email_field() -> None:
    assert issues(matching=[]) == [
        Issue("/matching", 'Letterbox requires the field "FIRSTNAME": match a column to it.')
    ]


def test_a_known_fields_type_is_the_vendors() -> None:
    field = {"field": "BORN", "column": "Birthday"}
    both = [*matching(), field]
    assert issues(matching=both) == []
    assert issues(matching=[*matching(), {**field, "type": "date"}]) == []
    [issue] = issues(matching=[*matching(), {**field, "type": "string"}])
    assert issue == Issue("/matching/1/type", '"BORN" is a date at Letterbox: leave the type out.')


def test_a_segment_without_a_snapshot_is_only_a_warning() -> None:
    found = verdict(targets=[{"segments": ["blob/ci:VIP", "blob/ci:New"]}])
    assert found.issues == ()
    [warning] = found.warnings
    assert warning.pointer == "/targets/0/segments/1"
    assert 'There is no snapshot of "blob/ci:New" yet' in warning.message


def test_a_column_that_a_segment_lacks_is_refused_and_said_once() -> None:
    targets = [
        {"segments": ["blob/ci:VIP", "blob/ci:Nameless"]},
        {"segments": ["blob/ci:Nameless"], "list_name": "Other"},
    ]
    assert issues(targets=targets) == [
        Issue("/matching/0/column", '"blob/ci:Nameless" has no column "FirstName"; it has "CustomerId", "EMail".')
    ]


def test_a_column_spelled_otherwise_is_refused_with_the_right_spelling() -> None:
    assert issues(address_column="Email") == [
        Issue("/address_column", '"blob/ci:VIP" has no column "Email": write it "EMail".')
    ]


def test_a_segment_appears_once_in_a_target_but_may_go_to_two() -> None:
    assert issues(targets=[{"segments": ["blob/ci:VIP", "blob/ci:Lapsed", "blob/ci:VIP"]}]) == [
        Issue("/targets/0/segments/2", "The target has this segment twice: remove one.")
    ]
    assert issues(targets=[{"segments": ["blob/ci:VIP"]}, {"segments": ["blob/ci:VIP"], "list_name": "Second"}]) == []


def test_two_targets_are_two_lists() -> None:
    targets = [{"segments": ["blob/ci:VIP"]}, {"segments": ["blob/ci:Lapsed"], "list_name": "VIP"}]
    assert issues(targets=targets) == [Issue("/targets/1", "Target 0 is the same: put the segments on one target.")]


def test_a_target_is_given_by_id_or_by_name() -> None:
    [issue] = issues(targets=[{"segments": ["blob/ci:VIP"], "list_id": "7", "list_name": "VIP", "existing": "adopt"}])
    assert issue.pointer == "/targets/0/list_name"


def test_a_list_needs_a_name() -> None:
    [issue] = issues(targets=[{"segments": ["data/ci:"]}])
    assert issue == Issue("/targets/0/segments/0", "No list can be named after this segment: give a list_name.")


def test_an_owned_target_is_refused_with_the_offer_of_a_list_of_its_own() -> None:
    [issue] = issues({"owners": {"name:VIP": "weekly"}})
    assert issue.pointer == "/targets/0"
    assert 'The list "VIP" belongs to the export "weekly"' in issue.message
    assert 'set list_name, for example to "VIP (VIPs)"' in issue.message


def test_all_segments_together_are_limited() -> None:
    targets = [{"segments": [f"{t}-{s}" for s in range(60)], "list_name": f"L{t}"} for t in range(2)]
    [issue] = issues(targets=targets)
    assert issue == Issue("/targets", "Together the targets have 120 segments: use at most 100.")


@pytest.mark.parametrize("more", [0, 1])
def test_an_export_has_at_most_as_many_targets_as_a_run_can_start(more: int) -> None:
    targets = [{"segments": ["segments/Loyal"], "list_name": f"List {n}"} for n in range(MAX_TARGETS + more)]
    refused = Issue("/targets", f"An export has at most {MAX_TARGETS} targets: make two exports of it.")
    assert (refused in issues(targets=targets)) is bool(more)


def test_a_schedule_is_judged_with_the_rest() -> None:
    schedule = {"kind": "cron", "expression": "0 0 31 2 *", "time_zone": "Mars/Olympus"}
    assert [each.pointer for each in issues(schedule=schedule)] == ["/schedule/time_zone", "/schedule/expression"]


def test_everything_that_is_wrong_is_said_at_once() -> None:
    found = issues(
        {"connection": stored(disabled=True)},
        address_column="Mail",
        matching=[],
        schedule={"kind": "manual", "time_zone": "UTC"},
    )
    assert {each.pointer for each in found} == {"/connection", "/address_column", "/matching", "/schedule/time_zone"}


def test_what_is_not_known_yet_is_not_judged() -> None:
    soon = START + timedelta(days=1)
    assert issues({"connection": stored(checked_at=soon), "segments": {}}, address_column="Anything") == []


STRICT = replace(
    LETTERBOX,
    fields=(*LETTERBOX.fields, Field("country", "Country", clears=False)),
    custom_name=r"[A-Z]{1,5}",
    custom_name_rule="up to five capital letters",
    longest_list_name=10,
    list_id_of=str.casefold,
)


@pytest.mark.parametrize("when_empty", ["clear", "keep"])
def test_what_the_vendor_cannot_clear_is_refused_when_it_is_saved(when_empty: str) -> None:
    fields = [*matching(), {"field": "country", "column": "EMail", "when_empty": when_empty}]
    message = 'Letterbox cannot clear "country": choose keep for empty cells.'
    expected = [Issue("/matching/1/when_empty", message)] if when_empty == "clear" else []
    assert issues({"definition": STRICT}, matching=fields) == expected


NOT_CLEARED = [(vendor, field) for vendor in VENDORS.values() for field in vendor.fields if not field.clears]


@pytest.mark.parametrize(("vendor", "field"), NOT_CLEARED, ids=[f"{v.name} {f.name}" for v, f in NOT_CLEARED])
@pytest.mark.parametrize("when_empty", ["clear", "keep"])
def test_a_field_that_a_real_vendor_cannot_clear_is_never_saved_so(
    vendor: Definition, field: Field, when_empty: str
) -> None:
    found = issues(
        {"definition": vendor}, matching=[{"field": field.name, "column": "EMail", "when_empty": when_empty}]
    )
    assert ("/matching/0/when_empty" in [each.pointer for each in found]) is (when_empty == "clear")


@pytest.mark.parametrize("vendor", VENDORS.values(), ids=VENDORS)
def test_a_field_of_our_own_naming_is_saved_to_be_cleared_only_where_that_can_be(vendor: Definition) -> None:
    match = {"field": "SHOE_SIZE", "column": "EMail", "when_empty": "clear"}
    wrong = [each.pointer for each in issues({"definition": vendor}, matching=[match])]
    assert ("/matching/0/when_empty" in wrong) is (vendor.name == "klaviyo")


@pytest.mark.parametrize("vendor", [each for each in VENDORS.values() if each.longest_list_name])
def test_a_list_name_that_is_too_long_is_refused_when_it_is_saved(vendor: Definition) -> None:
    most = vendor.longest_list_name
    for length, wrong in ((most, False), (most + 1, True)):
        found = issues({"definition": vendor}, targets=[{"segments": ["blob/ci:VIP"], "list_name": "x" * length}])
        assert ("/targets/0/list_name" in {each.pointer for each in found}) is wrong
    by_segment = issues({"definition": STRICT}, targets=[{"segments": ["blob/ci:Lapsed-for-long"]}])
    assert [each.pointer for each in by_segment] == ["/targets/0/list_name"]


@pytest.mark.parametrize(
    ("vendor", "name", "fits"),
    [
        ("dotdigital", "LOYALTY_TIER", True),
        ("dotdigital", "X" * 20, True),
        ("dotdigital", "X" * 21, False),
        ("dotdigital", "LOYALTY TIER", False),
        ("omnisend", "x" * 100, True),
        ("omnisend", "loyalty-tier", False),
        ("omnisend", "größe", False),
        ("campaign-monitor", "Größe der Schuhe", True),
        ("iterable", "shoe size", True),
    ],
)
def test_a_name_that_no_field_can_have_is_refused_when_it_is_saved(vendor: str, name: str, fits: bool) -> None:
    found = issues({"definition": VENDORS[vendor]}, matching=[{"field": name, "column": "EMail"}])
    assert ([each.pointer for each in found] == []) is fits


def test_two_names_that_are_one_list_at_the_vendor_are_refused() -> None:
    targets = [{"segments": ["blob/ci:VIP"], "list_name": name} for name in ("Loyal", "LOYAL")]
    assert issues({"definition": STRICT}, targets=targets) == [
        Issue("/targets/1", "Target 0 is the same: put the segments on one target.")
    ]
    assert issues(targets=targets) == []


def test_fields_that_other_exports_fill_too_are_told() -> None:
    found = verdict({"writers": {"firstname": ["weekly", "monthly"]}})
    assert found.warnings == (
        Issue(
            "/matching/0/field",
            'Other exports fill "FIRSTNAME" too ("weekly", "monthly"): whoever is in several of their segments has the '
            "value that was sent last.",
        ),
    )
