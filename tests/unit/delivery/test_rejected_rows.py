"""Rows of `rejected.csv` go with whoever is forgotten, whatever is in the other cells."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest

from shared.delivery.erase.whom import Whom
from shared.delivery.state import rejected_rows

REST = ["Loyal", "part-0.csv", "7", "", "refused", "address_invalid", "Not valid.", "when changed"]
WHOM = "o'neil@example.com"


def written(*addresses: str) -> str:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([rejected_rows.HEADER, *([each, *REST] for each in addresses)])
    return text.getvalue()


def left(folder: Path, whom: str, *addresses: str) -> list[str]:
    """Addresses that are left, after it was said whether any went."""
    before, after = folder / "before.csv", folder / "after.csv"
    before.write_text("\ufeff" + written(*addresses), encoding="utf-8", newline="")
    found = rejected_rows.without(Whom.of(whom).is_it, before, after)
    kept = [
        row["address"] for row in rejected_rows.parse(io.StringIO(after.read_bytes().decode("utf-8-sig"), newline=""))
    ]
    assert found == (len(kept) < len(addresses))
    assert after.read_bytes().startswith(b"\xef\xbb\xbf"), "spreadsheets know by it that it is UTF-8"
    return kept


@pytest.mark.parametrize("cell", [WHOM, "O'Neil@Example.com", f"\t{WHOM} \u00a0", f"'\t{WHOM}", f"'{WHOM}"])
def test_every_way_of_writing_an_address_goes(tmp_path: Path, cell: str) -> None:
    assert left(tmp_path, WHOM, "a@example.com", cell, "b@example.com") == ["a@example.com", "b@example.com"]


def test_an_address_that_looks_like_a_formula_goes(tmp_path: Path) -> None:
    assert left(tmp_path, "=1+1@example.com", "'=1+1@example.com", "1+1@example.com") == ["1+1@example.com"]


def test_an_address_with_a_formula_behind_a_semicolon_goes(tmp_path: Path) -> None:
    assert left(tmp_path, "x; =1@example.com", "x; '=1@example.com", "x@example.com") == ["x@example.com"]


@pytest.mark.parametrize("odd", ["x" * 3_000_000, 'a"b,c', "a\r\nb\rc\n", "\0", ""], ids=len)
def test_other_rows_stay_as_they_are(tmp_path: Path, odd: str) -> None:
    assert left(tmp_path, WHOM, odd, WHOM) == [odd]


def test_a_row_that_is_cut_off_is_no_row() -> None:
    text = written("a@example.com", "b\nb@example.com").partition("\nb@")[0]
    assert [row["address"] for row in rejected_rows.parse(io.StringIO(text, newline=""))] == ["a@example.com"]
