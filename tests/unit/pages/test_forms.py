"""What browsers send becomes what is saved, and what is saved becomes a form again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from shared.catalog.issues import Issue
from shared.catalog.models import Export, ExportInput, Guards
from shared.pages.connection_draft import draft_from as connection_draft
from shared.pages.connection_draft import input_of as connection_input
from shared.pages.connection_draft import missing, without_values
from shared.pages.derived_draft import DerivedDraft, PairDraft
from shared.pages.export_draft import Draft, changed, draft_from, draft_of, input_of, with_suggestions
from shared.pages.forms import nested
from tests.unit.catalog.samples import LETTERBOX, World, connection


def test_names_with_dots_are_nested_and_numbers_make_lists() -> None:
    pairs = [("a.2.x", "third"), ("a.0.x", "first"), ("a.0.y[]", "1"), ("a.0.y[]", "2"), ("b", "text"), ("c.d", "e")]
    assert nested(pairs) == {
        "a": [{"x": "first", "y": ["1", "2"]}, {"x": "third"}],
        "b": "text",
        "c": {"d": "e"},
    }


@pytest.mark.parametrize("pairs", [[("a", "x"), ("a.b", "y")], [("a.b", "y"), ("a", "x")], [("", "")], [("..", "x")]])
def test_nonsense_does_no_harm(pairs: list[tuple[str, str]]) -> None:
    draft_from(nested(pairs))
    connection_draft(nested(pairs))


EXPORT: dict[str, Any] = {
    "display_name": "VIPs",
    "connection": "marketing",
    "targets": [
        {"segments": ["blob/ci:VIP"]},
        {"segments": ["blob/ci:Lapsed"], "list_name": "Gone quiet"},
        {"segments": ["blob/ci:Nameless"], "list_id": "7", "existing": "protect"},
    ],
    "address_column": "EMail",
    "matching": [
        {"field": "FIRSTNAME", "column": "FirstName", "when_empty": "clear"},
        {"field": "tier", "column": "Tier", "type": "integer"},
    ],
    "phone_country": "GB",
    "mode": "add",
    "rules": {
        "exclude": [{"segment": "blob/ci:Staff"}, {"segment": "Bounced", "address_column": "Mail"}],
        "require": [{"column": "Consent", "one_of": ["yes, please", "1"]}, {"column": "Country"}],
        "limit": {"first": 1000, "by": "Points", "read_as": "date", "order": "least"},
        "holdout": {"name": "autumn-2026", "share": 0.125},
    },
    "guards": {"max_removed_share": 0.125, "max_age_days": None, "max_profiles": 5000},
    "schedule": {"kind": "cron", "expression": "0 6 * * 1", "time_zone": "Europe/Stockholm"},
    "first_run": "deliver",
    "paused": True,
    "function_key_starts": ["withdraw", "full_resync"],
}


RULES = {
    "rules.exclude.0.segment": "Staff",
    "rules.exclude.1.segment": "",
    "rules.exclude.1.address_column": "",
    "rules.require.0.column": "Consent",
    "rules.require.0.one_of": " yes\r\n\r\n1 ",
    "rules.require.1.column": "",
    "rules.limit.first": "1 000",
    "rules.limit.by": "Points",
    "rules.limit.read_as": "number",
    "rules.limit.order": "greatest",
    "rules.holdout.name": " autumn ",
    "rules.holdout.share": "7,5 %",
}


def test_rules_are_what_the_form_says_without_its_empty_rows() -> None:
    values, _ = input_of(draft_from(nested(list(RULES.items()))), LETTERBOX)
    assert values["rules"] == {
        "exclude": [{"segment": "Staff", "address_column": None}],
        "require": [{"column": "Consent", "one_of": ["yes", "1"]}],
        "limit": {"first": "1000", "by": "Points", "read_as": "number", "order": "greatest"},
        "holdout": {"name": "autumn", "share": 0.075},
    }
    values, _ = input_of(draft_from({}), LETTERBOX)
    assert values["rules"] == {"exclude": [], "require": [], "limit": None, "holdout": None}
    values, _ = input_of(draft_from(nested([("rules.holdout.share", "a tenth")])), LETTERBOX)
    assert values["rules"]["holdout"] == {"name": "", "share": "a tenth"}, "it is refused with what was typed"


def test_rows_of_rules_come_and_go() -> None:
    draft = draft_from(nested(list(RULES.items())))
    more = changed(changed(draft, "add-exclude"), "add-require")
    assert (len(more.rules.exclude), len(more.rules.require)) == (2, 2)
    assert changed(changed(more, "remove-exclude:1"), "remove-require:1") == draft
    assert not changed(draft, "remove-exclude:0").rules.exclude
    assert changed(draft, "remove-require:7") == draft


def test_an_export_survives_its_form() -> None:
    export = ExportInput.model_validate(EXPORT)
    values, issues = input_of(draft_of(export, LETTERBOX), LETTERBOX)
    assert not issues
    assert ExportInput.model_validate(values) == export


MADE: dict[str, Any] = {
    **EXPORT,
    "matching": [
        *EXPORT["matching"],
        {
            "field": "BORN",
            "when_empty": "clear",
            "derived": {
                "columns": ["Birthday"],
                "steps": [{"function": "date", "reads": "month_day_year", "two_digit_years_from": 1930}],
            },
        },
        {
            "field": "name",
            "derived": {
                "take": "join",
                "columns": ["First", "Last", "First"],
                "separator": " = ",
                "steps": [
                    {"function": "lower", "turkish": True},
                    {"function": "map", "values": {"a = b": "= c", "2": "b"}, "otherwise": "use", "other": "d"},
                    {"function": "date", "reads": "year_month_day", "writes": "DD.MM."},
                    {"function": "phone", "country": "SE"},
                    {"function": "decimal_comma"},
                ],
            },
        },
        {"field": "source", "derived": {"take": "constant", "text": "CI"}},
        {"field": "any", "derived": {"take": "first", "columns": ["A", "B"], "steps": [{"function": "title"}]}},
    ],
}


def test_made_values_survive_their_form() -> None:
    made = ExportInput.model_validate(MADE)
    values, issues = input_of(draft_of(made, LETTERBOX), LETTERBOX)
    assert not issues
    assert ExportInput.model_validate(values) == made


def at(draft: Draft, row: int = 1) -> DerivedDraft:
    """What the value of a row is made of."""
    made = draft.matching[row].derived
    assert made is not None
    return made


def test_a_value_is_made_of_columns_by_buttons() -> None:
    draft = draft_of(ExportInput.model_validate(EXPORT), LETTERBOX)
    made = changed(draft, "make:1")
    assert (at(made).take, at(made).places, made.matching[1].column) == ("column", ("Tier",), "")
    assert changed(made, "unmake:1") == draft
    joined = replace(
        made, matching=(made.matching[0], replace(made.matching[1], derived=replace(at(made), take="join")))
    )
    assert at(joined).places == ("Tier", "")
    assert at(changed(joined, "add-part:1")).places == ("Tier", "", "")
    chosen = replace(joined, matching=(joined.matching[0], replace(joined.matching[1], then="map")))
    stepped = changed(changed(chosen, "add-step:1"), "add-pair:1.0")
    assert [(step.function, len(step.pairs)) for step in at(stepped).steps] == [("map", 2)]
    assert len(at(changed(stepped, "remove-pair:1.0.1")).steps[0].pairs) == 1
    assert at(changed(stepped, "remove-step:1.0")).steps == ()
    assert at(changed(made, "add-step:1")).steps[0].function == "title"


@pytest.mark.parametrize(
    "button", ["make:9", "make:", "make:x", "add-step:0", "add-pair:1.7", "remove-pair:1.0", "remove-step:1.0.0"]
)
def test_a_button_that_names_nothing_changes_nothing(button: str) -> None:
    draft = changed(draft_of(ExportInput.model_validate(EXPORT), LETTERBOX), "make:1")
    assert changed(draft, button) == draft


def sent_of(**fields: str) -> dict[str, Any]:
    """What is saved of a form with one made value."""
    pairs = [("matching.0.field", "BORN"), *((f"matching.0.derived.{name}", value) for name, value in fields.items())]
    values, _ = input_of(draft_from(nested(pairs)), LETTERBOX)
    derived = values["matching"][0]["derived"]
    assert isinstance(derived, dict)
    return derived


def test_blanks_that_separate_are_kept_and_others_are_not() -> None:
    join = {"take": "join", "columns[]": "A"}
    assert sent_of(**join, separator_choice="comma", separator="x")["separator"] == ", "
    assert sent_of(**join, separator_choice="other", separator=" | ")["separator"] == " | "
    assert sent_of(**join, separator_choice="nothing")["separator"] == ""
    assert sent_of(take="constant", text="  CI ", separator=" | ") | {"columns": None} == {
        "take": "constant",
        "columns": None,
        "separator": " ",
        "text": "CI",
        "steps": [],
    }


def test_arguments_of_other_functions_and_empty_rows_are_not_saved() -> None:
    step = {
        "steps.0.function": "map",
        "steps.0.pairs.0.before": "a",
        "steps.0.pairs.0.after": "b",
        "steps.0.pairs.1.before": "",
        "steps.0.other": "x",
        "steps.0.country": "se",
    }
    assert sent_of(take="column", **step)["steps"] == [
        {"function": "map", "values": {"a": "b"}, "otherwise": "leave_out"}
    ]
    assert sent_of(**step | {"steps.0.function": "phone"})["steps"] == [{"function": "phone", "country": "SE"}]
    assert sent_of(**step | {"steps.0.function": "upper", "steps.0.turkish": "on"})["steps"] == [
        {"function": "upper", "turkish": True}
    ]


def test_a_value_in_two_rows_of_a_map_is_not_lost_in_silence() -> None:
    draft = draft_of(ExportInput.model_validate(MADE), LETTERBOX)
    step = at(draft, 3).steps[1]
    twice = replace(step, pairs=(*step.pairs, PairDraft("2", "other")))
    steps = (at(draft, 3).steps[0], twice)
    rows = (*draft.matching[:3], replace(draft.matching[3], derived=replace(at(draft, 3), steps=steps)))
    _, issues = input_of(replace(draft, matching=rows), LETTERBOX)
    assert issues == [Issue("/matching/3/derived/steps/1/values", '"2" is there twice: remove one.')]


def test_the_list_of_separators_names_the_one_that_is_used() -> None:
    chosen = [DerivedDraft(separator=mark).separator_choice for mark in (" ", ", ", "-", "", "; ")]
    assert chosen == ["blank", "comma", "hyphen", "nothing", "other"]


def test_a_country_of_telephone_numbers_may_be_written_small() -> None:
    assert input_of(draft_from({"phone_country": " gb "}), LETTERBOX)[0]["phone_country"] == "GB"


def test_guards_are_shown_as_percentages_and_an_empty_field_is_off() -> None:
    draft = draft_of(ExportInput.model_validate(EXPORT), LETTERBOX)
    assert draft.guards["max_removed_share"] == "12.5"
    assert draft.guards["max_age_days"] == ""
    values, _ = input_of(draft_from({"guards": {"max_removed_share": "7,5"}}), LETTERBOX)
    assert values["guards"]["max_removed_share"] == 0.075
    assert values["guards"]["max_removed_people"] is None
    assert Draft().guards["max_removed_share"] == f"{(Guards().max_removed_share or 0) * 100:g}"


def test_a_form_that_has_no_connection_yet_loses_no_guard_and_no_choice() -> None:
    sent = draft_from(nested([("display_name", "VIPs"), ("connection", ""), ("targets.0.segments[]", "VIP")]))
    assert sent.guards == Draft().guards
    assert sent.targets[0].kind == "own"
    assert (sent.mode, sent.schedule) == (Draft().mode, Draft().schedule)


def test_buttons_change_rows_and_nothing_else() -> None:
    draft = draft_of(ExportInput.model_validate(EXPORT), LETTERBOX)
    assert len(changed(draft, "add-field").matching) == 3
    assert [row.other for row in changed(draft, "remove-field:0").matching] == ["tier"]
    assert [target.list_name for target in changed(draft, "remove-target:0").targets] == ["Gone quiet", ""]
    assert changed(draft, "remove-field:99") == draft
    assert changed(draft, "anything-else") == draft
    assert changed(Draft(), "remove-target:0") == Draft()


def test_suggestions_leave_alone_what_was_chosen() -> None:
    draft = draft_of(ExportInput.model_validate(EXPORT), LETTERBOX)
    suggested = with_suggestions(draft, "Other", [*ExportInput.model_validate(EXPORT).matching[:1]])
    assert suggested == draft


def test_an_export_as_it_is_stored_can_be_edited(world: World) -> None:
    world.connect()
    stored: Export = world.save().item
    values, _ = input_of(draft_of(stored, LETTERBOX), LETTERBOX)
    again = ExportInput.model_validate(values)
    assert all(getattr(stored, name) == getattr(again, name) for name in ExportInput.model_fields)


def sent(**changes: str) -> dict[str, Any]:
    pairs = {"vendor": "letterbox", "display_name": "Marketing", "settings.region": "eu", **changes}
    return nested(list(pairs.items()))


def test_a_typed_credential_is_for_key_vault_and_never_shown_again() -> None:
    draft = connection_draft(sent(**{"credentials.key.how": "typed", "credentials.key.value": "s3cret"}))
    assert draft.typed == {"key": "s3cret"}
    assert "s3cret" not in repr(draft)
    assert without_values(draft).typed == {}
    assert connection_input(draft, LETTERBOX, None, None)["secrets"] == {}


def test_a_named_secret_is_kept_by_its_name() -> None:
    draft = connection_draft(sent(**{"credentials.key.how": "named", "credentials.key.secret": "in-the-vault"}))
    assert draft.typed == {}
    assert connection_input(draft, LETTERBOX, None, None)["secrets"] == {"key": "in-the-vault"}


def test_credentials_that_are_not_touched_stay(world: World) -> None:
    before = world.connect().item
    draft = connection_draft(sent(**{"credentials.key.how": "kept", "agreed": "on"}))
    values = connection_input(draft, LETTERBOX, before, {"agreed_by": "Ann", "text": "I agree."})
    assert values["secrets"] == before.secrets
    assert values["consent"] is not None


def test_a_required_credential_is_missed() -> None:
    draft = connection_draft(sent(**{"credentials.key.how": "typed", "credentials.key.value": ""}))
    assert [issue.pointer for issue in missing(draft, connection(secrets={}), LETTERBOX)] == ["/secrets/key"]


def test_without_agreement_no_consent_is_sent() -> None:
    values = connection_input(connection_draft(sent()), LETTERBOX, None, {"agreed_by": "Ann", "text": "I agree."})
    assert values["consent"] is None


def test_boxes_that_are_not_ticked_close_the_function_key_again() -> None:
    draft = draft_of(ExportInput.model_validate(EXPORT), LETTERBOX)
    assert draft.key_starts == ("full_resync", "withdraw")
    ticked = draft_from(nested([("function_key_starts[]", "retry")]))
    assert input_of(ticked, LETTERBOX)[0]["function_key_starts"] == ("retry",)
    assert input_of(draft_from(nested([])), LETTERBOX)[0]["function_key_starts"] == ()
