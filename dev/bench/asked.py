"""Counts what this process asks of storage through the Azure SDK."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from azure.core.pipeline.transport import RequestsTransport


@contextmanager
def counted() -> Iterator[Counter[str]]:
    """Requests by method, growing while the block runs."""
    counts: Counter[str] = Counter()
    send = RequestsTransport.send

    def counting(transport: Any, request: Any, **given: Any) -> Any:
        counts[request.method] += 1
        return send(transport, request, **given)

    with mock.patch.object(RequestsTransport, "send", counting):
        yield counts
