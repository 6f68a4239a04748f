"""Counts every HTTP request of this process by what Azure bills it as."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from unittest import mock
from urllib.parse import urlsplit

from urllib3 import HTTPConnectionPool

VENDOR = "vendor request"
_KINDS = {"GET": "read", "HEAD": "read", "PUT": "write", "POST": "write", "MERGE": "write", "PATCH": "write"}


def operation(method: str, url: str, services: Mapping[int, str]) -> str:
    """`blob write`, `table read`, `queue write`, …; deletions and the like are `other`, which cost nothing or little.

    `services` names the service behind each port; any other port is a vendor's.
    """
    parts = urlsplit(url)
    service = services.get(parts.port or 0)
    if service is None:
        return VENDOR
    if service == "blob" and "comp=list" in parts.query:
        return "blob list"
    if "comp=lease" in parts.query or method not in _KINDS:
        return f"{service} other"
    return f"{service} {_KINDS[method]}"


@contextmanager
def counted(services: Mapping[int, str]) -> Iterator[Counter[str]]:
    """Operations by kind, growing while the block runs. Queue messages are received by the host, so reading them is
    not counted here."""
    found, send = Counter[str](), HTTPConnectionPool.urlopen

    def counting(self: HTTPConnectionPool, method: str, url: str, *arguments: Any, **options: Any) -> Any:
        name = operation(method, f"{self.scheme}://{self.host}:{self.port}{url}", services)
        if name not in ("queue read", "queue other"):
            found[name] += 1
        return send(self, method, url, *arguments, **options)

    # Under the clients of Azure, which call it by names, and under the vendors' transport alike.
    with mock.patch.object(HTTPConnectionPool, "urlopen", counting):
        yield found
