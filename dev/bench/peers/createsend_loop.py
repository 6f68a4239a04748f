"""The vendor's official library in a plain loop."""

from __future__ import annotations

import http.client
from itertools import islice

import createsend  # type: ignore[import-not-found]  # it is in .venv-bench only
import createsend.createsend  # type: ignore[import-not-found]  # it is in .venv-bench only
from common import BATCH_ROWS, Task, main, rows, subscriber  # type: ignore[import-not-found]  # run as a script


def send(task: Task) -> None:
    # The library speaks HTTPS only; plain HTTP, as all contenders here, is to its advantage.
    createsend.createsend.VerifiedHTTPSConnection = http.client.HTTPConnection
    createsend.CreateSend.base_uri = f"{task.vendor}/api/v3.3"
    library = createsend.Subscriber({"api_key": task.api_key})
    rest = rows(task)
    while batch := [subscriber(row, task.columns) for row in islice(rest, BATCH_ROWS)]:
        library.import_subscribers(task.list_id, batch, False)


if __name__ == "__main__":
    main(send)
