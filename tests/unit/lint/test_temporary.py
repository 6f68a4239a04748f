"""Temporary files of tests are in memory where there is room for them, and nowhere else than was asked for."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.temporary import ROOM, keep_in_memory


@pytest.fixture(autouse=True)
def nothing_asked(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    before = tempfile.gettempdir()
    with monkeypatch.context() as patch:
        patch.setattr(tempfile, "tempdir", before)
        patch.setenv("TMPDIR", before)  # so that it is put back, whatever a test sets
        patch.delenv("TMPDIR")
        yield
    assert tempfile.gettempdir() == before


def test_they_go_to_memory_and_with_them_those_of_what_is_started(tmp_path: Path) -> None:
    keep_in_memory(tmp_path, room=1)
    assert (tempfile.gettempdir(), os.environ["TMPDIR"]) == (str(tmp_path), str(tmp_path))


def test_whoever_says_where_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = tmp_path / "asked"
    monkeypatch.setenv("TMPDIR", str(asked))
    keep_in_memory(tmp_path, room=1)
    assert os.environ["TMPDIR"] == str(asked)


@pytest.mark.parametrize(("folder", "room"), [("", 1 << 60), ("missing", 1)], ids=["no room", "no such place"])
def test_without_room_they_stay(tmp_path: Path, folder: str, room: int) -> None:
    before = tempfile.gettempdir()
    keep_in_memory(tmp_path / folder, room=room)
    assert tempfile.gettempdir() == before and "TMPDIR" not in os.environ


def test_room_is_asked_for_by_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda where: type("Usage", (), {"free": ROOM - 1}))
    keep_in_memory(tmp_path)
    assert "TMPDIR" not in os.environ
