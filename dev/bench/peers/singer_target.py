"""A Singer target made with singer-sdk: a BatchSink of 1,000 that is fed the messages of a tap in this process."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import orjson
from common import BATCH_ROWS, COLUMNS, Importer, Task, main, rows  # type: ignore[import-not-found]  # run as a script
from singer_sdk import BatchSink, Target  # type: ignore[import-not-found]  # it is in .venv-bench only

STREAM = "people"


class Sink(BatchSink):  # type: ignore[misc, unused-ignore]  # its base has no types here
    max_size = BATCH_ROWS
    importer: Importer

    def process_batch(self, context: dict[str, Any]) -> None:
        self.importer.send(context["records"])


class CampaignMonitor(Target):  # type: ignore[misc, unused-ignore]  # its base has no types here
    name = "target-campaign-monitor"
    config_jsonschema = {"type": "object", "properties": {}}  # noqa: RUF012 - singer-sdk wants it so
    default_sink_class = Sink


class _Messages(io.TextIOBase):
    """What a tap would write, line by line."""

    def __init__(self, task: Task) -> None:
        self._lines = self._tell(task)

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # lines, as a text file gives them
        return self._lines

    def _tell(self, task: Task) -> Iterator[str]:
        schema = {"type": "object", "properties": {name: {"type": ["string", "null"]} for name in COLUMNS}}
        yield orjson.dumps({"type": "SCHEMA", "stream": STREAM, "schema": schema, "key_properties": ["EMail"]}).decode()
        for row in rows(task):
            yield orjson.dumps({"type": "RECORD", "stream": STREAM, "record": row}).decode()


def send(task: Task) -> None:
    Sink.importer = Importer(task)
    CampaignMonitor(config={}).listen(_Messages(task))


if __name__ == "__main__":
    main(send)
