"""Cells without blanks and invisible characters around them, as Python takes them off."""

from __future__ import annotations

import duckdb

from shared.delivery import sql
from shared.delivery.sql import LETTERS
from shared.mailbox import BLANKS, INVISIBLE

NEAR = (-1, 0, 1)
EDGES = [chr(ord(edge) + step) for edges in LETTERS for edge in edges for step in NEAR]
OTHERS = ["\x01", "\x7f", "'", '"', "a\u0301", "👩\u200d👩", "\U0010fffd", "\ufffd", "字", "Ж", "ß"]
ENDS = [*BLANKS, *INVISIBLE, *EDGES, *OTHERS]


def trimmed(cells: list[str]) -> list[str | None]:
    query = f"SELECT {sql.trimmed('cell')} FROM (SELECT unnest($1) AS cell, generate_subscripts($1, 1) AS n) ORDER BY n"
    return [found for (found,) in duckdb.connect().execute(query, [cells]).fetchall()]


def test_every_character_around_a_text_of_any_script_is_kept_or_taken_off_as_python_does_it() -> None:
    cells = ["", *(before + text + after for text in ("x", "ë", "サ", "") for before in ENDS for after in ENDS)]
    assert trimmed(cells) == [cell.strip(BLANKS + INVISIBLE) or None for cell in cells]


def test_what_is_taken_for_a_letter_without_a_closer_look_is_nothing_that_is_taken_off() -> None:
    assert not [each for each in BLANKS + INVISIBLE for first, last in LETTERS if first <= each <= last]
