"""Files of a segment are read side by side; their order still counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.cloud.settings import StorageAddress
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person

FILES, ROWS = 9, 5


@pytest.fixture
def engine(storage: StorageAddress, unique: str) -> Iterator[Engine]:
    with engines.engine(storage, unique) as made:
        made.connect()
        made.define()
        yield made


def address(file: int, row: int) -> str:
    return f"person{file}.{row}@example.com"


def test_of_several_rows_with_an_address_the_first_counts(engine: Engine) -> None:
    twice = [Person("twice@example.com", f"File {file}") for file in range(2, FILES)]
    alone = [[Person(address(file, row), "Alone") for row in range(ROWS - 1)] for file in range(FILES)]
    rows = [[*alone[file], twice[file - 2] if file >= 2 else Person(address(file, ROWS))] for file in range(FILES)]
    engine.land([person for file in rows for person in file], files=FILES)
    run = engine.run()
    assert engine.members()["twice@example.com"]["first"] == "File 2"
    assert engine.delivery(run).counts["duplicates"] == FILES - 3


def test_a_refused_row_is_told_with_its_file_and_place(engine: Engine) -> None:
    bad = {file: file % ROWS for file in range(FILES)}
    people = [
        Person("no address" if bad[file] == row else address(file, row)) for file in range(FILES) for row in range(ROWS)
    ]
    engine.land(people, files=FILES)
    run = engine.run()
    told = {(row["file"].rpartition("/")[2], int(row["row"])) for row in engine.rejected(run)}
    assert told == {(f"part-{file}.csv", row + 1) for file, row in bad.items()}
