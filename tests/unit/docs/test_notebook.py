"""The notebook that divides a segment is run as it stands, under pyspark; the plan is that of the segment undivided."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from shared.delivery.plan import step
from shared.delivery.state import layout
from tests.unit.delivery.parts import database
from tests.unit.delivery.planning import PEOPLE, planning
from tests.unit.delivery.test_parted import PARTS, ROWS, told, undivided

NOTEBOOK = Path(__file__).parents[3] / "docs" / "notebooks" / "divide-a-segment.ipynb"


def cells() -> list[str]:
    found = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    return ["".join(each["source"]) for each in found if each["cell_type"] == "code"]


def run(cell: str, names: dict[str, Any]) -> dict[str, Any]:
    exec(cell, names)  # noqa: S102 - our own notebook
    return names


def test_its_first_cell_holds_the_names_and_no_other_does() -> None:
    first, *others = cells()
    names = run(first, {})
    assert {"source", "target", "address", "columns", "parts"} <= names.keys()
    assert all("abfss:" not in each for each in others)


@pytest.mark.timeout(900)
def test_what_it_writes_is_planned_as_the_segment_was(tmp_path: Path) -> None:
    sql = pytest.importorskip("pyspark.sql", reason="pyspark is installed by hand: pip install pyspark, and a JDK")
    source, target = tmp_path / "source.parquet", tmp_path / "target"
    database().execute("CREATE OR REPLACE TEMP TABLE landed (EMail VARCHAR, City VARCHAR)")
    database().executemany("INSERT INTO landed VALUES (?, ?)", ROWS)
    database().execute(f"COPY landed TO '{source}' (FORMAT parquet)")
    session = sql.SparkSession.builder.master("local[1]").config("spark.ui.enabled", "false")
    spark = (
        session.config("spark.driver.bindAddress", "127.0.0.1").config("spark.driver.host", "127.0.0.1").getOrCreate()
    )
    first, *others = cells()
    names = run(first, {"spark": spark})
    names |= {"source": str(source), "target": str(target), "columns": ["EMail", "City"], "parts": PARTS}
    for each in others:
        run(each, names)
    spark.stop()
    (tmp_path / "world").mkdir()
    with planning(tmp_path / "world", rows_per_file=20) as world:
        for path in (each for each in sorted(target.rglob("*")) if each.is_file() and not each.name.startswith(".")):
            world.put(f"People/20261129T110000Z/{path.relative_to(target).as_posix()}", path.read_bytes())
        world.known(PEOPLE[3], "left@example.com", of=4)
        work = world.work()
        step.plan(work)
        assert work.planned
        assert work.planned[0].parts == PARTS
        assert not [name for name in world.cloud.blobs.names(layout.attempts(work.folder)) if "/staged/" in name]
        found, expected = told(world, work), undivided(tmp_path)
    assert found["balance"] == expected["balance"]
    assert found["rows"]["remove"] == expected["rows"]["remove"]
    assert {row[0] for row in found["rows"]["add"]} == {row[0] for row in expected["rows"]["add"]}
