"""Why something is not used is said whole in the reader's language, whatever sentences it is put together from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest

from shared.errors import RetryAfter, UserMustAct
from shared.snapshots.blob import Blob
from shared.snapshots.delta import log
from shared.snapshots.delta.errors import BadTable, unknown
from shared.snapshots.dialect import in_words, read_as
from shared.snapshots.heads import BadHead, Start, look_at
from shared.snapshots.snapshot import CsvFormat, DeltaFormat
from shared.snapshots.trouble import Trouble, apart
from shared.wording import Message, kept, read, rendered, say
from tests.unit.snapshots.listed import WRITTEN, blob, seen, verdict
from tests.unit.snapshots.test_completion import UNFINISHED
from tests.unit.snapshots.test_listing import BESIDE, NOT_USED, S

ENGLISH = re.compile(r"\b(?:the|is|its|and|not|written|lies|file|files|folder|which|that|days|more)\b")
"""Words of English that neither of the other languages has."""


def whole(message: Message, language: str) -> str:
    said = rendered(message, language, foreign="ENGLISH: {}".format)
    assert "ENGLISH" not in said
    assert not ENGLISH.search(said), said
    return said


def reasons() -> Iterator[Message]:
    lying: list[list[Blob | str]] = [[f"{S}/{name}" for name in names] for names, _ in NOT_USED.values()]
    lying += [blobs for blobs, _ in UNFINISHED.values()]
    for blobs in lying:
        yield from (why for days in (1, 3) if (why := verdict(*blobs, now=WRITTEN + timedelta(days=days))))
    for names, _ in BESIDE.values():
        [segment] = seen("loyal/2026-11-22/part-0.csv", *names)
        yield segment.beside[0]
    for text, csv in (
        (b"a;b,c\n", CsvFormat(delimiter="")),
        ("Größe\n".encode("latin-1"), CsvFormat()),
        (b"\xff\xfea\0", CsvFormat()),
        (b"ada@example.com\n", CsvFormat()),
        (b"a;b;c\n", CsvFormat(header=False)),
    ):
        with pytest.raises(BadHead) as caught:
            look_at(Start(text, True), csv, ("Id", "EMail", "City"))
        yield caught.value.words
    for names in ([], ["1.json"], ["0.json", "2.json"], [f"{number}.json" for number in range(1_001)]):
        padded = [f"t/_delta_log/{name.zfill(25)}" for name in names]
        with pytest.raises(BadTable) as refused:
            log.chosen([blob(name) for name in padded])
        yield from _troubled(refused.value)
    yield from _troubled(unknown(say("the action %(kind)s in its log", kind="x")))
    for error in (ValueError(), UserMustAct("x", caught.value.words), caught.value):
        yield from _troubled(error)
    yield read_as(DeltaFormat(12, ()))
    yield in_words(CsvFormat(";", "'", header=False, escape="\\", nulls=("NULL",), compression="gzip"))


def _troubled(error: Exception) -> Iterator[Message]:
    trouble = apart(partial(_raise, error), "crm/loyal")
    assert isinstance(trouble, Trouble)
    yield trouble.words


def _raise(error: Exception) -> None:
    raise error


REASONS = list(dict.fromkeys(reasons()))


@pytest.mark.parametrize("language", ["sv", "ro"])
@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_is_of_one_language_also_after_storage(reason: Message, language: str) -> None:
    assert whole(read(kept(reason)), language) == whole(reason, language) != str(reason)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("sv", "s/2026-11-22 skrivs fortfarande: det finns en mapp _temporary i den"),
        ("ro", "s/2026-11-22 este încă în curs de scriere: conține un dosar _temporary"),
    ],
)
def test_a_folder_that_is_being_written(language: str, said: str) -> None:
    blobs, _ = UNFINISHED["a folder _temporary"]
    why = verdict(*blobs)
    assert why is not None
    assert whole(why, language) == said


def test_trouble_of_storage_as_a_whole_is_nobodys_own() -> None:
    with pytest.raises(RetryAfter):
        apart(lambda: _raise(RetryAfter(1.0, Message("busy"))), "crm/loyal")
