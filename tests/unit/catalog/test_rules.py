"""Rules are refused where they cannot work, with the place and what to do."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from shared.catalog.issues import Invalid, Issue, issues_of
from shared.catalog.models import Export, ExportInput
from tests.unit.catalog.samples import START, World, export
from tests.unit.catalog.test_validation import issues, verdict

VIP, LAPSED, NAMELESS = "blob/ci:VIP", "blob/ci:Lapsed", "blob/ci:Nameless"


def test_rules_that_can_work_are_saved() -> None:
    rules = {
        "exclude": [{"segment": LAPSED}, {"segment": NAMELESS, "address_column": "CustomerId"}],
        "require": [{"column": "FirstName"}, {"column": "Birthday", "one_of": ["1970-01-01"]}],
        "limit": {"first": 10, "by": "Birthday", "read_as": "date"},
    }
    assert issues(rules=rules) == []
    assert not verdict(rules=rules).warnings


REFUSED: list[tuple[dict[str, Any], str, str]] = [
    ({"exclude": [{"segment": "Nowhere"}]}, "/rules/exclude/0/segment", 'There is no segment "Nowhere"'),
    ({"exclude": [{"segment": VIP}]}, "/rules/exclude/0/segment", "nobody of it would be left"),
    ({"exclude": [{"segment": "VIP"}]}, "/rules/exclude/0/segment", "nobody of it would be left"),
    ({"exclude": [{"segment": LAPSED}] * 2}, "/rules/exclude/1/segment", "is excluded twice"),
    (
        {"exclude": [{"segment": LAPSED, "address_column": "Mail"}]},
        "/rules/exclude/0/address_column",
        f'"{LAPSED}" has no column "Mail"',
    ),
    ({"require": [{"column": "firstname"}]}, "/rules/require/0/column", 'write it "FirstName"'),
    ({"require": [{"column": "EMail"}, {"column": "EMail", "one_of": ["x"]}]}, "/rules/require/1/column", "twice"),
    ({"require": [{"column": "EMail", "one_of": ["Yes", "yes "]}]}, "/rules/require/0/one_of", '"yes" is there twice'),
    ({"limit": {"first": 1, "by": "Score"}}, "/rules/limit/by", f'"{VIP}" has no column "Score"'),
]


@pytest.mark.parametrize(("rules", "place", "words"), REFUSED)
def test_what_cannot_work_is_refused(rules: dict[str, Any], place: str, words: str) -> None:
    [issue] = issues(rules=rules)
    assert issue.pointer == place
    assert words in issue.message


def test_the_exports_own_segment_is_known_under_any_name() -> None:
    [issue] = issues(targets=[{"segments": ["VIP"]}], rules={"exclude": [{"segment": VIP}]})
    assert issue.pointer == "/rules/exclude/0/segment"
    assert "nobody of it would be left" in issue.message


def test_every_segment_of_the_export_needs_the_columns() -> None:
    targets = [{"segments": [VIP, NAMELESS]}, {"segments": [LAPSED], "list_name": "Others"}]
    found = issues(targets=targets, matching=[], rules={"require": [{"column": "FirstName"}]})
    assert (
        Issue("/rules/require/0/column", f'"{NAMELESS}" has no column "FirstName"; it has "CustomerId", "EMail".')
        in found
    )


def test_an_excluded_segment_needs_the_exports_address_column_or_its_own() -> None:
    rules = {"exclude": [{"segment": LAPSED}]}
    assert f'"{LAPSED}" has no column "Birthday"' in next(
        each.message for each in issues(address_column="Birthday", rules=rules) if "exclude" in each.pointer
    )


TENTH, TWENTIETH = ({"holdout": {"name": "autumn", "share": share}} for share in (0.1, 0.05))
STAYS = "people of the holdout would stay on its list"


def test_a_holdout_has_one_share_wherever_it_is_named() -> None:
    world = World()
    world.connect()
    world.connect("second", "acc-2")
    world.save("one", rules=TENTH, targets=[{"segments": [VIP], "list_name": "One"}])
    world.save("two", rules=TENTH, targets=[{"segments": [VIP], "list_name": "Two"}], connection="second")
    changes: list[dict[str, Any]] = [{"connection": "second"}, {}]
    for change in changes:
        with pytest.raises(Invalid) as refused:
            world.save("three", rules=TWENTIETH, targets=[{"segments": [VIP], "list_name": "Three"}], **change)
        [issue] = refused.value.issues
        assert issue.pointer == "/rules/holdout/share"
        assert "names the holdout autumn with 10%" in issue.message
    world.save(
        "one", rules={"holdout": {"name": "autumn-2", "share": 0.05}}, targets=[{"segments": [VIP], "list_name": "One"}]
    )


def test_the_only_export_that_names_a_holdout_may_change_its_share() -> None:
    world = World()
    world.connect()
    world.save(rules=TENTH)
    assert world.save(rules=TWENTIETH).item.rules.holdout.share == 0.05  # type: ignore[union-attr]


def test_a_holdout_that_comes_too_late_for_people_whom_nobody_takes_off_is_refused() -> None:
    world = World()
    world.connect()
    world.save(mode="add", rules=TENTH)
    world.save(mode="add")
    [claim] = world.catalog.targets.claims("acc-1")
    world.catalog.targets.remember("acc-1", claim.key, "vips", {"ledger": "ledgers/acc-1/x/"}, START)
    with pytest.raises(Invalid) as refused:
        world.save(mode="add", rules=TENTH)
    assert [(each.pointer, STAYS in each.message) for each in refused.value.issues] == [("/rules/holdout", True)]
    world.save(rules=TENTH)
    assert world.save(mode="add", rules=TENTH).item.mode == "add", "they left while leavers were taken off"


MALFORMED: list[tuple[dict[str, Any], str, str]] = [
    ({"limit": {"first": 5}}, "/rules/limit/by", "This is required."),
    ({"limit": {"by": "EMail"}}, "/rules/limit/first", "This is required."),
    ({"limit": {"first": 0, "by": "EMail"}}, "/rules/limit/first", "Write a number of at least 1."),
    ({"limit": {"first": 1, "by": "A", "order": "up"}}, "/rules/limit/order", "Choose one of 'greatest' or 'least'."),
    ({"require": [{"column": ""}]}, "/rules/require/0/column", "Write at least 1 characters."),
    ({"require": [{"column": "EMail", "one_of": [""]}]}, "/rules/require/0/one_of/0", "Write at least 1 characters."),
    ({"exclude": [{}]}, "/rules/exclude/0/segment", "This is required."),
    ({"holdout": {"name": "Autumn!", "share": 0.1}}, "/rules/holdout/name", "Write small letters, digits and hyphens."),
    ({"holdout": {"name": "autumn", "share": 1}}, "/rules/holdout/share", "Write a number of at most 0.9."),
    ({"holdout": {"name": "autumn"}}, "/rules/holdout/share", "This is required."),
    ({"only": []}, "/rules/only", "There is no such property: check its spelling or remove it."),
]  # fmt: skip


@pytest.mark.parametrize(("rules", "place", "words"), MALFORMED)
def test_what_is_malformed_is_refused_at_its_place(rules: dict[str, Any], place: str, words: str) -> None:
    with pytest.raises(ValidationError) as raised:
        export(rules=rules)
    assert issues_of(raised.value.errors()) == [Issue(place, words)]


def test_where_nobody_is_taken_off_a_rule_that_comes_later_does_not_either() -> None:
    [warning] = verdict(mode="add", rules={"require": [{"column": "EMail"}]}).warnings
    assert warning == Issue(
        "/mode", "Nobody is taken off in this mode: whoever is kept back by a rule later stays on the list."
    )
    assert not verdict(mode="add").warnings


def test_an_export_from_before_there_were_rules_has_none() -> None:
    stored = export().model_dump(exclude={"rules"})
    stamps = {"created_at": START, "created_by": "ann", "updated_at": START, "updated_by": "ann"}
    read = Export.model_validate({**stored, **stamps, "name": "vips", "account": "acc-1"})
    assert not read.rules
    assert read.followed == (VIP,)


def test_rules_are_kept_and_copied_and_their_segments_followed() -> None:
    world = World()
    world.connect()
    rules = {"exclude": [{"segment": LAPSED}]}
    saved = world.save(rules=rules).item
    assert world.catalog.export("vips").item.rules == saved.rules
    assert saved.rules.exclude[0].segment == LAPSED
    assert saved.followed == (VIP, LAPSED)
    assert ExportInput.model_validate_json(saved.model_dump_json()).rules == saved.rules
