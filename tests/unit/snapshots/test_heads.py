from __future__ import annotations

import pytest

from shared.snapshots.heads import BadHead, Head, Record, Start, first_record, look_at
from shared.snapshots.snapshot import CsvFormat

PLAIN = CsvFormat()


def cells(data: bytes, csv: CsvFormat = PLAIN, *, whole: bool = True) -> tuple[str, ...] | None:
    record = first_record(data, whole, csv)
    return record.cells if record else None


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
    assert cells(text.encode()) == expected


@pytest.mark.parametrize("text", ["", "\ufeff"])
def test_an_empty_file_has_none(text: str) -> None:
    assert cells(text.encode()) is None


@pytest.mark.parametrize("text", ['Id,E"Mail\n', '"Id"x,EMail\n', '"Id\n', 'Id,"EMail', '"Id" ,x\n'])
def test_quotation_marks_must_be_where_they_belong(text: str) -> None:
    with pytest.raises(BadHead, match="quoting is malformed"):
        cells(text.encode())


@pytest.mark.parametrize("text", ["Id,EMai", '"Id","EMa'])
def test_a_first_line_that_goes_on_behind_what_was_read_is_too_long(text: str) -> None:
    with pytest.raises(BadHead, match="too long"):
        cells(text.encode(), whole=False)


def test_a_character_cut_in_two_at_the_end_does_not_matter() -> None:
    assert cells("Id\nü".encode()[:-1], whole=False) == ("Id",)


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", ""])
def test_what_ends_the_line_is_told_apart_from_what_is_in_it(end: str) -> None:
    assert first_record(f'"a\n\r\n\r",b{end}'.encode(), True, PLAIN) == Record(("a\n\r\n\r", "b"), end)


def test_nor_does_what_is_in_later_lines() -> None:
    assert cells(b"Id\n\xff\n") == ("Id",)


def test_wrong_encoding_is_said_without_the_text() -> None:
    with pytest.raises(BadHead, match="encoding") as caught:
        cells(b"bob\xff@example.com,\n")
    assert "example" not in str(caught.value)


@pytest.mark.parametrize("delimiter", [";", "\t", "|", "^", "]", "\\"])
def test_any_delimiter(delimiter: str) -> None:
    text = f'Id{delimiter}"a{delimiter}b"\n'
    assert cells(text.encode(), CsvFormat(delimiter=delimiter)) == ("Id", f"a{delimiter}b")


def test_other_encodings_and_no_quoting() -> None:
    assert cells("Größe\n".encode("latin-1"), CsvFormat(encoding="latin-1")) == ("Größe",)
    assert cells(b'5",x\n', CsvFormat(quote="")) == ('5"', "x")


SHOWN = CsvFormat(delimiter="")
DECLARED = CsvFormat(header=False)


@pytest.mark.parametrize(
    ("text", "delimiter", "columns"),
    [
        ("Id,EMail\n1,x\n", ",", ("Id", "EMail")),
        ("Id;EMail\n", ";", ("Id", "EMail")),
        ("Id\tEMail\n", "\t", ("Id", "EMail")),
        ("Id|EMail\n", "|", ("Id", "EMail")),
        ('"Id";"E;Mail"\n', ";", ("Id", "E;Mail")),
        ("EMail\n", ",", ("EMail",)),
        (",EMail\n", ",", ("", "EMail")),
        ("Name, first;EMail;City\n", ";", ("Name, first", "EMail", "City")),
        ("EMail,Points|2025,City\n", ",", ("EMail", "Points|2025", "City")),
        ("EMail,City,EMail\n", ",", ("EMail", "City", "EMail")),
        ("sep=;\nId;EMail\n", ";", ("Id", "EMail")),
        ('"sep=\t"\r\nId\tEMail\n', "\t", ("Id", "EMail")),
        ("\ufeffsep=,\rId,E;Mail\n", ",", ("Id", "E;Mail")),
    ],
)
def test_a_header_shows_its_delimiter(text: str, delimiter: str, columns: tuple[str, ...]) -> None:
    head, csv = look_at(Start(text.encode(), True), SHOWN)
    assert head
    assert (csv.delimiter, head.columns) == (delimiter, columns)


@pytest.mark.parametrize(
    ("text", "csv", "words"),
    [
        ("a,b;c\n", SHOWN, "whether a semicolon or a comma"),
        ("bo@example.com;Bo\n", SHOWN, "no header"),
        ("sep=;\nId;EMail\n", CsvFormat(), "another delimiter than the first file"),
        ("sep=;\nId;EMail\n", CsvFormat(delimiter="", compression="gzip"), "not compressed"),
    ],
)
def test_what_a_header_does_not_show_is_asked_for(text: str, csv: CsvFormat, words: str) -> None:
    with pytest.raises(BadHead, match=words):
        look_at(Start(text.encode(), True), csv)


@pytest.mark.parametrize("first", ["Id,EMail,City", "City,Id,EMail", "EMail,City,Id"])
def test_a_header_that_is_not_declared_may_have_any_order(first: str) -> None:
    head, _ = look_at(Start(f"{first}\n".encode(), True), DECLARED, ("Id", "EMail", "City"))
    assert head == Head(tuple(first.split(",")), True, "\n")


@pytest.mark.parametrize(
    ("first", "words"),
    [
        ("Id,EMail,Town", "header that differs"),
        ("id,email,city", "header that differs"),
        ("Id,EMail", "header that differs"),
        ("1,x", "2 cells, and 3 columns are declared"),
        ("1;x;y", "separated by a semicolon"),
        ("1,x,y,", "4 cells"),
    ],
)
def test_nobody_is_guessed_into_a_column(first: str, words: str) -> None:
    with pytest.raises(BadHead, match=words):
        look_at(Start(f"{first}\n".encode(), True), DECLARED, ("Id", "EMail", "City"))


def test_a_row_is_no_header_though_it_holds_a_name() -> None:
    head, _ = look_at(Start(b"1,x,City\n", True), DECLARED, ("Id", "EMail", "City"))
    assert head == Head(("Id", "EMail", "City"), False, "\n")
