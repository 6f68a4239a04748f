"""What every command works with: the app, and where results and words go.

Results go to standard output, as tables for people or as JSON for programs, and nothing else does; questions, notes and
errors go to standard error.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Annotated, Any

import typer
from rich.console import Console, RenderableType
from rich.table import Table

from cli import asking
from cli.addresses import checked
from cli.api import Api
from cli.failures import Failure, usage
from cli.signing_in import sign_in

Json = Annotated[bool, typer.Option("--json", help="Print the result as JSON, and nothing else on standard output.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


_UNLIMITED = 10_000


def _console(*, stderr: bool = False) -> Console:
    """Prints what it is given, word for word; cuts nothing off where no terminal has a width."""
    console = Console(stderr=stderr, markup=False, highlight=False, emoji=False)
    if not console.is_terminal:
        console.width = _UNLIMITED
    return console


@dataclass
class Desk:
    """`url` and `client_id` as they were given; nothing is checked or asked before it is needed."""

    url: str
    client_id: str
    as_json: bool = False
    console: Console = field(default_factory=_console)
    notes: Console = field(default_factory=lambda: _console(stderr=True))

    @cached_property
    def api(self) -> Api:
        """Raises Failure where the address cannot be right."""
        auth = sign_in(os.environ, self.client_id)
        return Api(checked(self.url), auth, os.environ.get("SEGMENT_EXPORTS_KEY", "").strip())

    def show(self, result: Any, *shown: RenderableType) -> None:
        """The command's result: `result` as JSON, or what people are shown of it."""
        if self.as_json:
            typer.echo(json.dumps(result, ensure_ascii=False, indent=2))
            return
        for each in shown:
            self.console.print(each, soft_wrap=isinstance(each, str))

    def note(self, text: str) -> None:
        """A word beside the result."""
        self.notes.print(text, soft_wrap=True)

    def confirm(self, question: str, *, yes: bool) -> bool:
        """Ask a person, unless `yes`. Raises Failure where nobody can answer."""
        if yes:
            return True
        if self.as_json:
            raise usage("nobody_answered", "With --json nobody is asked: add --yes.")
        return asking.confirmed(question)

    def fail(self, failure: Failure) -> None:
        """Say what went wrong; programs get it as JSON too."""
        if self.as_json:
            self.show(failure.as_json())
        self.note(f"Error: {failure.message}")
        for error in failure.errors:
            self.note(f"  {error['pointer'] or '(all of it)'}: {error['message']}")


def desk_of(context: typer.Context, as_json: bool) -> Desk:
    """The desk of the command that runs."""
    desk: Desk = context.obj
    desk.as_json = as_json
    return desk


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> Table:
    """A plain table; None is an empty cell."""
    made = Table(*columns, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*("" if cell is None else str(cell) for cell in row))
    return made
