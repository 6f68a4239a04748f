"""The file with everyone who was refused is opened in spreadsheets."""

from __future__ import annotations

import duckdb
import pytest

from shared.delivery.commit import report

TOLD = ("address", "kind", "outcome", "code", "reason", "retry")


@pytest.mark.parametrize("mark", [*"=+-@\t\r\n\uff1d\uff0b\uff0d\uff20", " =", "\n="])
def test_nothing_that_a_vendor_tells_is_a_formula(mark: str) -> None:
    with duckdb.connect() as connection:
        columns = ", ".join(f"? AS {name}" for name in TOLD)
        connection.execute(f"CREATE TABLE rows AS SELECT {columns}", [f"{mark}1+1"] * len(TOLD))
        [row] = connection.execute(report.REJECTED).fetchall()
    assert [cell for cell in row if cell] == [f"'{mark}1+1"] * len(TOLD)
