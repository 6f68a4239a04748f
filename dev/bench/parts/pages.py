"""How soon pages begin to come where there are 300 exports with 5,000 runs each, and what they ask of storage."""

from __future__ import annotations

import asyncio
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from dev.bench import asked
from dev.bench.options import Measured, Options
from dev.bench.processes import REPOSITORY
from dev.bench.tables import connection_string
from shared.access.visitors import LocalAccess
from shared.app import create_app
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings, StorageAddress
from shared.control.service import Service

PAGES = {
    "overview": "/",
    "exports": "/exports",
    "export": "/exports/export-007",
    "all runs": "/runs",
    "failed runs": "/runs?state=failed",
    "runs of words": "/runs?q=nordic",
    "runs of a vendor": "/runs?vendor=iterable",
    "runs of an export": "/exports/export-007/runs",
}
TIMES = 15


def measure(options: Options) -> Measured:
    with _storage() as address:
        return measured(Cloud(Settings(address, address)))


def measured(cloud: Cloud) -> Measured:
    app = create_app(Service(cloud), LocalAccess())
    found = {name: _page(app, path) for name, path in PAGES.items()}
    return Measured(
        {f"pages.{name.replace(' ', '_')}_ms": milliseconds for name, (milliseconds, _) in found.items()},
        {name: words for name, (_, words) in found.items()},
    )


@contextmanager
def _storage() -> Iterator[StorageAddress]:
    """Tables in a process of their own."""
    command = [sys.executable, "-m", "dev.bench.many_runs"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=REPOSITORY) as process:
        assert process.stdout
        try:
            yield StorageAddress(connection_string=connection_string(int(process.stdout.readline())))
        finally:
            process.kill()


def _page(app: Any, path: str) -> tuple[float, str]:
    """The median of milliseconds until the first byte, and all of it in words."""
    asyncio.run(_first_byte(app, path))
    seconds, worked = [], []
    for _ in range(TIMES):
        at = time.process_time()
        with asked.counted() as counts:
            seconds.append(asyncio.run(_first_byte(app, path)))
        worked.append(time.process_time() - at)
    middle = statistics.median(seconds) * 1000
    words = (
        f"{middle:.0f} ms ({min(seconds) * 1000:.0f} to {max(seconds) * 1000:.0f}), "
        f"{statistics.median(worked) * 1000:.0f} ms of processor time, {counts.total()} requests to storage"
    )
    return middle, words


async def _first_byte(app: Any, path: str) -> float:
    """Seconds from the request to the first byte of its answer."""
    path, _, query = path.partition("?")
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(b"accept", b"text/html"), (b"host", b"localhost")],
        "server": ("localhost", 80),
        "client": ("127.0.0.1", 1),
    }
    first: list[float] = []
    status: list[int] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            status.append(message["status"])
        elif message.get("body") and not first:
            first.append(time.perf_counter())

    started = time.perf_counter()
    await app(scope, receive, send)
    if status != [200]:
        raise SystemExit(f"{path} answered {status}")
    return first[0] - started
