"""Ids that a vendor gave to people stay out of memory: a file for each batch, which the journal names."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from shared.delivery.state import vendor_ids
from shared.delivery.state.files import DataFile
from shared.vendors.contract import CONFIRMED, BatchResult, Outcome, Receipt, Retry
from tests.unit.delivery import parts
from tests.unit.delivery.parts import Blobs, database

REFUSED = Receipt(Outcome.REJECTED, "address_invalid", "not an address", Retry.WHEN_CHANGED)
SHORTER = Receipt(Outcome.ACCEPTED, left_out=("age",), vendor_id="c")


def given(vendor_id: str) -> Receipt:
    return Receipt(CONFIRMED.outcome, evidence=CONFIRMED.evidence, vendor_id=vendor_id)


def test_what_is_left_of_a_result_is_what_differs_in_more_than_the_id() -> None:
    told = {0: given("a"), 1: REFUSED, 2: given("b"), 4: SHORTER}
    result, ids = vendor_ids.apart(BatchResult(CONFIRMED, told, warnings=["late"]))
    assert ids == {0: "a", 2: "b", 4: "c"}
    without_id = Receipt(Outcome.ACCEPTED, left_out=("age",))
    assert result == BatchResult(CONFIRMED, {1: REFUSED, 4: without_id}, warnings=["late"])


def test_a_staged_result_stays_what_it_is() -> None:
    staged = BatchResult(CONFIRMED, staged="job-1")
    assert vendor_ids.apart(staged) == (staged, {})


def kept(blobs: Blobs, batch: int, ids: dict[int, str], where: Path) -> DataFile:
    file = vendor_ids.store(parts.files(blobs), database(), ids, f"ids/{batch}.parquet", where / "ids.parquet")
    assert (file.name, file.rows, file.size) == (f"ids/{batch}.parquet", len(ids), len(blobs.contents[file.name]))
    assert not list(where.iterdir()), "nothing is left on disk"
    return file


def loaded(blobs: Blobs, files: dict[int, DataFile], where: Path) -> list[tuple[int, int, str]]:
    vendor_ids.load(parts.files(blobs), database(), files, where)
    assert not list(where.iterdir()), "nothing is left on disk"
    return database().execute("FROM vendor_ids ORDER BY ALL").fetchall()


def test_ids_come_back_with_their_batch_and_place(tmp_path: Path) -> None:
    blobs = Blobs()
    files = {0: kept(blobs, 0, {3: "12", 0: "0x1"}, tmp_path), 7: kept(blobs, 7, {3: "ü'\""}, tmp_path)}
    assert loaded(blobs, files, tmp_path) == [(0, 0, "0x1"), (0, 3, "12"), (7, 3, "ü'\"")]
    assert loaded(blobs, {7: files[7]}, tmp_path) == [(7, 3, "ü'\"")], "no others than those that are asked for"


def test_a_lost_file_costs_its_own_ids_alone_and_the_log_says_how_many(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    blobs = Blobs()
    files = {batch: kept(blobs, batch, {0: "a", 1: "b"}, tmp_path) for batch in (0, 1)}
    del blobs.contents["ids/0.parquet"]
    with caplog.at_level(logging.WARNING):
        assert loaded(blobs, files, tmp_path) == [(1, 0, "a"), (1, 1, "b")]
    assert "The ids of 2 people are lost" in caplog.text
