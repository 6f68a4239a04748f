"""No error is raised, and nothing for people is made, with a text that `say` did not make."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import shared.app  # noqa: F401 - loads every error of the service
from shared import errors, wording
from shared.errors import ExportError

SHARED = Path(wording.__file__).parent
FOR_PROGRAMS = {
    "Conflict",
    "LeaseLost",
    "Taken",
    "Owned",
    "BlobChanged",
    "QueryFailed",
    "BadModel",
    "BadHead",
    "Outside",
}
"""Errors whose texts only logs have, or that somebody says in other words."""
MADE = {"Issue", "CheckResult", "Receipt", "Finding"}
"""What else carries a text for people."""
PARTS = {"message", "reason", "warnings", "advice", "problem"}
"""Arguments that are such a text wherever they are given."""


def names(of: type[ExportError]) -> Iterator[str]:
    yield of.__name__
    for each in of.__subclasses__():
        yield from names(each)


ENGLISH = {"probe.py"}
"""Files of probes: what a probe found out is evidence, in the vendor's words and in English, and is marked as that."""


CARRIERS = ({*names(ExportError)} | MADE) - FOR_PROGRAMS - {"NotFound"}
"""What NotFound is given are words that it puts into its message; they are in the catalogues too."""


def unsaid(tree: ast.AST) -> Iterator[ast.expr]:
    """Texts that are put into what people read and that nobody can translate."""
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        given = [*call.args, *(each.value for each in call.keywords)] if name in CARRIERS else []
        given += [each.value for each in call.keywords if each.arg in PARTS]
        yield from (text for each in given if (text := _text(each)) is not None)


def _text(given: ast.expr) -> ast.expr | None:
    """A sentence: an f-string, or a constant of several words. A pointer or a code is one word."""
    parts = given.elts if isinstance(given, ast.List | ast.Tuple) else [given]
    for part in parts:
        for each in (part.body, part.orelse) if isinstance(part, ast.IfExp) else (part,):
            if isinstance(each, ast.JoinedStr) and any(_has_words(piece) for piece in each.values):
                return each
            if isinstance(each, ast.Constant) and _has_words(each):
                return each
    return None


def _has_words(piece: ast.expr) -> bool:
    return isinstance(piece, ast.Constant) and isinstance(piece.value, str) and " " in piece.value.strip()


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ('UserMustAct("gone", f"The list {name} is gone.")', 1),
        ('UserMustAct("gone", "The list is gone.")', 1),
        ('runs.save(message="The run ended.")', 1),
        ('Result(warnings=["It was cut."])', 1),
        ('RetryAfter(30, "It is busy." if busy else say("It is not there."))', 1),
        ('UserMustAct("gone", say("The list is gone."))', 0),
        ('Issue(f"/targets/{index}", say("Remove it."))', 0),
        ('LeaseLost("another worker has it")', 0),
    ],
)
def test_the_check_finds_what_it_is_for(source: str, found: int) -> None:
    assert len(list(unsaid(ast.parse(source)))) == found


@pytest.mark.parametrize("folder", sorted({path.parent for path in SHARED.rglob("*.py")}), ids=lambda path: path.name)
def test_every_text_for_people_is_a_message(folder: Path) -> None:
    wrong = [
        f"{path.relative_to(SHARED)}:{text.lineno}: {ast.unparse(text)}"
        for path in sorted(folder.glob("*.py"))
        if path.name not in ENGLISH
        for text in unsaid(ast.parse(path.read_text()))
    ]
    assert wrong == []


def test_a_message_is_made_of_a_literal() -> None:
    """So that it is found for the catalogues."""
    made = (
        (path, node)
        for path in SHARED.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("say", "say_many")
    )
    wrong = [f"{path.name}:{node.lineno}" for path, node in made if not isinstance(node.args[0], ast.Constant)]
    assert wrong == []


def test_the_words_of_an_error_are_its_message() -> None:
    message = wording.say("The run was cancelled.")
    assert errors.UserMustAct("code", message).words is message
    assert errors.RetryAfter(1, message).words is message
    assert errors.ExportError().words == ""
