"""The file with everyone who was refused is opened in spreadsheets; reasons stand in one order."""

from __future__ import annotations

import duckdb
import pytest

from shared.delivery.commit import report
from shared.delivery.commit.new_ledger import Outcomes, Why
from shared.delivery.sql import harmless

TOLD = ("address", "kind", "outcome", "code", "reason", "retry")


@pytest.mark.parametrize("mark", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", " =", "\n="])
def test_nothing_that_a_vendor_tells_is_a_formula(mark: str) -> None:
    with duckdb.connect() as connection:
        columns = ", ".join(f"? AS {name}" for name in TOLD)
        connection.execute(f"CREATE TABLE rows AS SELECT {columns}", [f"{mark}1+1"] * len(TOLD))
        [row] = connection.execute(report.REJECTED).fetchall()
    assert [cell for cell in row if cell] == [f"'{mark}1+1"] * len(TOLD)


@pytest.mark.parametrize(
    ("cell", "safe"),
    [
        ("x;=1+1", "x;'=1+1"),
        ("x; @a;-1", "x; '@a;'-1"),
        ("=a;+b", "'=a;'+b"),
        ("x;\uff1d1", "x;'\uff1d1"),
        ("a;b=c", "a;b=c"),
        ("a+b@example.com", "a+b@example.com"),
    ],
)
def test_nothing_is_a_formula_where_spreadsheets_take_semicolons_for_the_ends_of_cells(cell: str, safe: str) -> None:
    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {harmless('cell')} FROM (SELECT ? AS cell)", [cell]).fetchone()
    assert found == (safe,)


def test_reasons_of_as_many_people_stand_in_the_same_order_each_time() -> None:
    reasons = {Why("rejected", code, code, None): people for code, people in (("b", 2), ("c", 2), ("a", 2), ("z", 3))}
    turned = dict(reversed(reasons.items()))
    [one, other] = [report._reasons(None, Outcomes(reasons=each)) for each in (reasons, turned)]
    assert one == other
    assert [each["code"] for each in one] == ["z", "a", "b", "c"]
