"""Executions that end at one of their writes to storage."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from tests.memory.blobs import MemoryBlob


class Died(Exception):
    """A worker's end."""


def dying(monkeypatch: pytest.MonkeyPatch, at: int, *, after: bool) -> Callable[[], bool]:
    """The next execution dies before or after its call number `at` that writes to storage; tells whether it did."""
    calls, struck = count(1), list[str]()

    def watched(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*about: Any, **named: Any) -> Any:
            if struck:
                return real(*about, **named)
            is_the_one = next(calls) == at
            if is_the_one and not after:
                struck.append("before")
                raise Died
            answer = real(*about, **named)
            if is_the_one:
                struck.append("after")
                raise Died
            return answer

        return call

    for name in ("upload_blob", "commit_block_list", "delete_blob"):
        monkeypatch.setattr(MemoryBlob, name, watched(getattr(MemoryBlob, name)))
    return lambda: bool(struck)
