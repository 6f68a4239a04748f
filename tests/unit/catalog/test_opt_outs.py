"""Where opt-outs may be landed, and what their table is called."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from shared.catalog.connection_validation import connection_issues
from shared.catalog.models import ConnectionInput
from shared.catalog.opt_outs import OptOutsWanted, overlap, segment_of, table_of
from shared.vendors.registry import DEFINITIONS
from tests.unit.catalog.samples import PLAIN


@pytest.mark.parametrize("location", ["lake/opt-outs", "lake/a/b c/d", " lake/opt-outs "])
def test_a_place_is_a_container_and_a_folder(location: str) -> None:
    wanted = OptOutsWanted(location=location)
    assert (wanted.container, wanted.folder) == ("lake", location.strip().removeprefix("lake/"))


@pytest.mark.parametrize(
    "location",
    [
        "",
        "lake",
        "lake/",
        "/lake/x",
        "lake//x",
        "lake/x/",
        "lake/../x",
        "lake/./x",
        "La/x",
        "a/x",
        "lake/x?y",
        "lake/x#y",
    ],
)
def test_anything_else_is_refused(location: str) -> None:
    with pytest.raises(ValidationError):
        OptOutsWanted(location=location)


def test_without_more_words_they_are_read_every_day_and_nobody_is_kept_off() -> None:
    wanted = OptOutsWanted(location="lake/opt-outs")
    assert (wanted.daily, wanted.exclude) == (True, False)


def test_a_place_has_three_hundred_characters_at_most() -> None:
    longest = "lake/" + "x" * 295
    assert OptOutsWanted(location=longest).location == longest
    with pytest.raises(ValidationError):
        OptOutsWanted(location=f"{longest}x")


def test_the_table_is_called_by_the_connection() -> None:
    assert table_of("my-shop") == "OptOuts_my_shop"
    assert segment_of("my-shop", OptOutsWanted(location="lake/x")) == "lake/x:OptOuts_my_shop"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("lake/x", "lake/x", True),
        ("lake/x", "lake/x/y", True),
        ("lake/x/y", "lake/x", True),
        ("lake/x", "lake/xy", False),
        ("lake/x", "pond/x", False),
    ],
)
def test_two_places_overlap_where_one_is_in_the_other(one: str, other: str, expected: bool) -> None:
    assert overlap(one, other) is expected


def test_a_vendor_that_does_not_tell_is_refused() -> None:
    sent = ConnectionInput(display_name="Shop", vendor=PLAIN.name, opt_outs=OptOutsWanted(location="lake/x"))
    told = [each.pointer for each in connection_issues(sent, {PLAIN.name: PLAIN})]
    assert "/opt_outs" in told
    able = sent.model_copy(update={"vendor": "klaviyo"})
    assert "/opt_outs" not in [each.pointer for each in connection_issues(able, DEFINITIONS)]
