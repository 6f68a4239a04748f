from __future__ import annotations

import pytest

from shared.snapshots.heads import BadHead, first_record
from shared.snapshots.snapshot import CsvFormat

PLAIN = CsvFormat()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Id,EMail\n1,x\n", ("Id", "EMail")),
        ("Id,EMail\r\n1,x\r\n", ("Id", "EMail")),
        ("Id,EMail", ("Id", "EMail")),
        ("Id\n", ("Id",)),
        ("Id,\n", ("Id", "")),
        (",", ("", "")),
        ('"Id","E""Mail"""\n', ("Id", 'E"Mail"')),
        ('"Id, or so","line\nbreak",x\n', ("Id, or so", "line\nbreak", "x")),
        ('"",x\n', ("", "x")),
        ("Größe,名前\n", ("Größe", "名前")),
        ("\ufeffId,EMail\n", ("Id", "EMail")),
        (" Id , EMail\n", (" Id ", " EMail")),
        ("\n1,2\n", ("",)),
    ],
)
def test_the_cells_of_the_first_line(text: str, expected: tuple[str, ...]) -> None:
    assert first_record(text.encode(), True, PLAIN) == expected


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_an_empty_file_has_none(text: str) -> None:
    assert first_record(text.encode(), True, PLAIN) is None


@pytest.mark.parametrize("text", ['Id,E"Mail\n', '"Id"x,EMail\n', '"Id\n', 'Id,"EMail', '"Id" ,x\n'])
def test_quotation_marks_must_be_where_they_belong(text: str) -> None:
    with pytest.raises(BadHead, match="quoting is malformed"):
        first_record(text.encode(), True, PLAIN)


@pytest.mark.parametrize("text", ["Id,EMai", '"Id","EMa'])
def test_a_first_line_that_goes_on_behind_what_was_read_is_too_long(text: str) -> None:
    with pytest.raises(BadHead, match="too long"):
        first_record(text.encode(), False, PLAIN)


def test_a_character_cut_in_two_at_the_end_does_not_matter() -> None:
    assert first_record("Id\nü".encode()[:-1], False, PLAIN) == ("Id",)


def test_nor_does_what_is_in_later_lines() -> None:
    assert first_record(b"Id\n\xff\n", True, PLAIN) == ("Id",)


def test_wrong_encoding_is_said_without_the_text() -> None:
    with pytest.raises(BadHead, match="encoding") as caught:
        first_record(b"bob\xff@example.com,\n", True, PLAIN)
    assert "example" not in str(caught.value)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "]", "\\"])
def test_any_delimiter(delimiter: str) -> None:
    text = f'Id{delimiter}"a{delimiter}b"\n'
    assert first_record(text.encode(), True, CsvFormat(delimiter=delimiter)) == ("Id", f"a{delimiter}b")


def test_other_encodings_and_no_quoting() -> None:
    assert first_record("Größe\n".encode("latin-1"), True, CsvFormat(encoding="latin-1")) == ("Größe",)
    assert first_record(b'5",x\n', True, CsvFormat(quote="")) == ('5"', "x")
