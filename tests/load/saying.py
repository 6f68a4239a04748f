"""Tables that a person who ran `make soak` or `make load` reads, whatever becomes of the test."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import nullcontext

import pytest


def say(config: pytest.Config, lines: Iterable[str]) -> None:
    """Write to the terminal; with several processes of pytest there is none, and nobody is told."""
    reporter, capture = (config.pluginmanager.getplugin(name) for name in ("terminalreporter", "capturemanager"))
    if not isinstance(reporter, pytest.TerminalReporter):
        return
    with capture.global_and_fixture_disabled() if capture else nullcontext():
        reporter.ensure_newline()
        for line in lines:
            reporter.write_line(line)


def table(rows: Sequence[Sequence[object]]) -> list[str]:
    """Columns as wide as they need to be; the first to the left, the others to the right."""
    texts = [[str(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*texts, strict=True)]
    return ["  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in texts]
