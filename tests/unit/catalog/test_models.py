"""What connections and exports may hold, and in which words a wrong one is refused."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from shared.access.person import SharedWith as Shared
from shared.catalog.issues import Issue, issues_of
from shared.catalog.models import MAX_FIELDS, MAX_SEGMENTS, Connection, ConnectionInput, Export, ExportInput, Mode
from tests.unit.catalog.samples import START, connection, export


def refused(model: type[BaseModel], sent: Any) -> list[Issue]:
    with pytest.raises(ValidationError) as refusal:
        model.model_validate(sent)
    return issues_of(refusal.value.errors())


def written(model: BaseModel) -> dict[str, Any]:
    return model.model_dump(mode="json")


def test_the_defaults_are_the_safe_ones() -> None:
    made = export()
    assert made.mode is Mode.MIRROR
    assert made.schedule.kind == "manual"
    assert not made.paused
    assert written(made.guards) == {
        "max_removed_share": 0.2,
        "max_removed_people": 0,
        "max_removed_times": 10,
        "max_moved_share": 0.5,
        "max_invalid_share": 0.5,
        "max_unreadable_share": 0.02,
        "max_age_days": 30,
        "min_profiles": None,
        "max_deviation_share": 1.0,
        "max_profiles": None,
    }
    assert made.matching[0].when_empty == "keep"
    assert connection().shared_with is Shared.ADMINISTRATORS
    assert connection().rate_budget == 0.75


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"colour": "red"}, "/colour", "There is no such property: check its spelling or remove it."),
        ({"display_name": " "}, "/display_name", "Write at least 1 characters."),
        ({"display_name": "a\tb"}, "/display_name", "Remove the control characters (tabs, line breaks)."),
        ({"display_name": 7}, "/display_name", "Write a text, in quotes."),
        ({"rate_budget": 0.01}, "/rate_budget", "Write a number of at least 0.05."),
        ({"rate_budget": 1.5}, "/rate_budget", "Write a number of at most 1."),
        ({"rate_budget": float("nan")}, "/rate_budget", "Write a finite number."),
        (
            {"shared_with": "all"},
            "/shared_with",
            "Choose one of 'administrators' or 'administrators and contributors'.",
        ),
        ({"disabled": "perhaps"}, "/disabled", "Write true or false."),
        ({"consent": {"agreed_by": "Ann"}}, "/consent/text", "This is required."),
        ({"settings": []}, "/settings", "Write a JSON object."),
        ({"settings": {"a/b": {"x": 1}}}, "/settings/a~1b", "Write a text, a number, or true or false."),
    ],
)
def test_a_connection_says_what_to_put_right(change: dict[str, Any], pointer: str, message: str) -> None:
    assert refused(ConnectionInput, {**written(connection()), **change}) == [Issue(pointer, message)]


@pytest.mark.parametrize(
    ("change", "pointer", "message"),
    [
        ({"targets": []}, "/targets", "Give at least 1."),
        ({"targets": [{"segments": []}]}, "/targets/0/segments", "Give at least 1."),
        ({"targets": [{"segments": ["a"], "list": "x"}]}, "/targets/0/list", "There is no such property"),
        ({"targets": [{"segments": ["a"], "list_id": 5}]}, "/targets/0/list_id", "Write a text, in quotes."),
        ({"mode": "sync"}, "/mode", "Choose one of 'mirror' or 'add'."),
        ({"schedule": {"kind": "daily"}}, "/schedule/kind", "Choose one of 'manual', 'cron' or 'on_refresh'."),
        ({"guards": {"max_removed_share": 2}}, "/guards/max_removed_share", "Write a number of at most 1."),
        ({"guards": {"max_age_days": 1.5}}, "/guards/max_age_days", "Write a whole number."),
        ({"matching": [{"field": "a", "column": "b", "when_empty": "x"}]}, "/matching/0/when_empty", "Choose one of"),
        ({"address_column": ""}, "/address_column", "Write at least 1 characters."),
        ({"phone_country": "UK"}, "/phone_country", "Telephone numbers of this country are not known."),
    ],
)
def test_an_export_says_what_to_put_right(change: dict[str, Any], pointer: str, message: str) -> None:
    [issue] = refused(ExportInput, {**written(export()), **change})
    assert issue.pointer == pointer
    assert issue.message.startswith(message)


def test_what_was_sent_is_never_quoted() -> None:
    for issue in refused(ConnectionInput, {"display_name": ["hush"], "vendor": {"k": "hush"}, "secrets": "hush"}):
        assert "hush" not in issue.message


def test_a_broken_text_is_refused_rather_than_stored() -> None:
    [issue] = refused(ExportInput, {**written(export()), "display_name": "a\ud800"})
    assert issue == Issue("/display_name", "Write a text of valid Unicode characters.")


def test_numbers_of_fields_and_segments_are_limited() -> None:
    many = [{"field": f"f{n}", "column": "c"} for n in range(MAX_FIELDS + 1)]
    assert refused(ExportInput, {**written(export()), "matching": many}) == [Issue("/matching", "Give at most 200.")]
    segments = [{"segments": [f"s{n}" for n in range(MAX_SEGMENTS + 1)]}]
    [issue] = refused(ExportInput, {**written(export()), "targets": segments})
    assert issue == Issue("/targets/0/segments", "Give at most 100.")


def test_an_answer_may_be_edited_and_sent_back() -> None:
    stamps = {"created_at": START, "created_by": "ann", "updated_at": START, "updated_by": "ann"}
    stored = Connection.model_validate({**written(connection()), **stamps, "name": "m", "account": "a"})
    assert ConnectionInput.model_validate(written(stored)) == connection()
    kept = Export.model_validate({**written(export()), **stamps, "name": "e", "account": "a"})
    answer = {**written(kept), "next_times": [], "last_run": None, "warnings": []}
    assert ExportInput.model_validate(answer) == export()


def test_settings_keep_their_types() -> None:
    settings = {"a": True, "b": 1, "c": 1.5, "d": "1"}
    kept = connection(settings=settings).settings
    assert [type(value) for value in kept.values()] == [bool, int, float, str]


def test_an_export_knows_its_segments_each_once() -> None:
    stamps = {"created_at": START, "created_by": "ann", "updated_at": START, "updated_by": "ann"}
    targets = [{"segments": ["b", "a"]}, {"segments": ["a", "c"]}]
    kept = Export.model_validate({**written(export(targets=targets)), **stamps, "name": "e", "account": "a"})
    assert kept.segments == ("b", "a", "c")
