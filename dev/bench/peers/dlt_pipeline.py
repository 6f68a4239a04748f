"""dlt: a resource that reads the segment, and a custom destination that gets batches of 1,000."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from itertools import islice
from typing import Any

import dlt  # type: ignore[import-not-found]  # it is in .venv-bench only
from common import BATCH_ROWS, COLUMNS, Importer, Task, main, rows  # type: ignore[import-not-found]  # run as a script


def send(task: Task) -> None:
    importer = Importer(task)

    @dlt.resource(name="people", columns={name: {"data_type": "text"} for name in COLUMNS})  # type: ignore[untyped-decorator, unused-ignore]  # dlt is not there where types are checked
    def people() -> Iterator[list[dict[str, str]]]:
        rest = rows(task)
        while page := list(islice(rest, BATCH_ROWS)):
            yield page

    @dlt.destination(batch_size=BATCH_ROWS, naming_convention="direct", skip_dlt_columns_and_tables=True)  # type: ignore[untyped-decorator, unused-ignore]  # as above
    def campaign_monitor(items: Any, table: Any) -> None:
        importer.send(items)

    with tempfile.TemporaryDirectory() as folder:
        pipeline = dlt.pipeline("bench", destination=campaign_monitor, pipelines_dir=folder)
        pipeline.run(people(), table_name="people").raise_on_failed_jobs()


if __name__ == "__main__":
    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    main(send)
