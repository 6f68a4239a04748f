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
FOR_PROGRAMS = {"Conflict", "LeaseLost", "Taken", "Owned", "BlobChanged", "QueryFailed"}
"""Errors whose texts only logs have, or that somebody says in other words."""
MADE = {
    "Issue",
    "CheckResult",
    "Receipt",
    "Finding",
    "Trouble",
    "UnreadableDialect",
    "FirstRows",
    "answered",
    "untold",
    "told",
}
"""What else carries a text for people."""
PARTS = {"message", "reason", "reasons", "warnings", "advice", "problem", "problems", "beside", "why", "words"}
"""Arguments that are such a text wherever they are given."""


def names(of: type[ExportError]) -> Iterator[str]:
    yield of.__name__
    for each in of.__subclasses__():
        yield from names(each)


CARRIERS = ({*names(ExportError)} | MADE) - FOR_PROGRAMS - {"NotFound"}
"""What NotFound is given are words that it puts into its message; they are in the catalogues too."""


def unsaid(tree: ast.AST) -> Iterator[ast.expr]:
    """Texts that are put into what people read and that nobody can translate, also by way of a name or a function of
    the module."""
    known = _known(tree)
    for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
        name = _name(call.func)
        given = [*call.args, *(each.value for each in call.keywords)] if name in CARRIERS else []
        given += [each.value for each in call.keywords if each.arg in PARTS]
        yield from (text for each in given if (text := _text(each, known)) is not None)


def _known(tree: ast.AST) -> dict[str, list[ast.expr]]:
    """What names stand for: values that are assigned, and what functions return."""
    known: dict[str, list[ast.expr]] = {}
    of_classes = [each for node in ast.walk(tree) if isinstance(node, ast.ClassDef) for each in node.body]
    for node in ast.walk(tree):
        if node in of_classes and not isinstance(node, ast.FunctionDef):
            continue
        if isinstance(node, ast.Assign):
            for target in node.targets:
                known.setdefault(_name(target), []).append(node.value)
        elif isinstance(node, ast.AnnAssign) and node.value:
            known.setdefault(_name(node.target), []).append(node.value)
        elif isinstance(node, ast.FunctionDef):
            returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return) and each.value]
            known.setdefault(f"{node.name}()", []).extend(returned)
    return known


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _text(given: ast.expr, known: dict[str, list[ast.expr]], seen: frozenset[str] = frozenset()) -> ast.expr | None:
    """A sentence: an f-string, or a constant of several words. A pointer or a code is one word."""
    if isinstance(given, ast.JoinedStr):
        return given if any(_has_words(piece) for piece in given.values) else None
    if _has_words(given):
        return given
    parts: list[ast.expr] = []
    if isinstance(given, ast.List | ast.Tuple):
        parts = given.elts
    elif isinstance(given, ast.IfExp):
        parts = [given.body, given.orelse]
    elif isinstance(given, ast.BoolOp):
        parts = given.values
    elif isinstance(given, ast.BinOp):
        parts = [given.left, given.right]
    elif isinstance(given, ast.Call | ast.Name):
        name = f"{_name(given.func)}()" if isinstance(given, ast.Call) else given.id
        parts = known.get(name, []) if name not in seen else []
        seen |= {name}
    return next((text for part in parts if (text := _text(part, known, seen)) is not None), None)


def _has_words(piece: ast.AST) -> bool:
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
        ('words = f"The list {name} is gone."\nUserMustAct("gone", words)', 1),
        ('def why(name):\n    return f"it is {name}"\nsay("No: %(why)s", why=why(name))', 1),
        ('def why(name):\n    return say("it is %(name)s", name=name)\nsay("No: %(why)s", why=why(name))', 0),
        ('raise BadModel("it is " + kind)', 1),
    ],
)
def test_the_check_finds_what_it_is_for(source: str, found: int) -> None:
    assert len(list(unsaid(ast.parse(source)))) == found


@pytest.mark.parametrize("folder", sorted({path.parent for path in SHARED.rglob("*.py")}), ids=lambda path: path.name)
def test_every_text_for_people_is_a_message(folder: Path) -> None:
    wrong = [
        f"{path.relative_to(SHARED)}:{text.lineno}: {ast.unparse(text)}"
        for path in sorted(folder.glob("*.py"))
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
