"""One trace leads from what started a run to its last slice, metrics add up, and neither holds anything personal."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.cloud import telemetry
from shared.cloud.settings import StorageAddress
from shared.cloud.telemetry import METRICS, Metric, Span
from shared.delivery import jobs, slices
from shared.delivery.account.lease import AccountLease
from shared.delivery.messages import SliceMessage
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, people
from tests.kits import CAMPAIGN_MONITOR
from tests.memory import in_memory


@dataclass
class Seen:
    """What was exported."""

    spans: InMemorySpanExporter
    reader: InMemoryMetricReader

    def named(self, name: Span) -> list[ReadableSpan]:
        return [span for span in self.spans.get_finished_spans() if span.name == name]

    def metrics(self) -> dict[str, float]:
        """Sum of each metric, over its attributes; of a histogram the number of values."""
        data = self.reader.get_metrics_data()
        found = [each for r in (data.resource_metrics if data else []) for s in r.scope_metrics for each in s.metrics]
        return {each.name: sum(_number(point) for point in each.data.data_points) for each in found}


def _number(point: Any) -> float:
    return float(point.value if hasattr(point, "value") else point.count)


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """Nothing here is about storage."""
    with in_memory() as address:
        yield address


@pytest.fixture
def seen() -> Iterator[Seen]:
    spans, reader = InMemorySpanExporter(), InMemoryMetricReader()
    tracers, meters = TracerProvider(), MeterProvider([reader])
    tracers.add_span_processor(SimpleSpanProcessor(spans))
    telemetry.activate(tracers, meters)
    try:
        yield Seen(spans, reader)
    finally:
        telemetry.deactivate()
        tracers.shutdown()
        meters.shutdown()


@pytest.fixture
def engine(storage: StorageAddress, unique: str) -> Iterator[Engine]:
    with engines.engine(storage, unique, slice_seconds=0.001) as made:
        made.connect(settings={"subscribe_rate": 1000, "batch_rows": 5})
        yield made


def test_all_slices_of_a_run_are_in_the_trace_of_what_started_it(engine: Engine, seen: Seen) -> None:
    engine.land(people(60))
    engine.define()
    engine.run()
    [started] = seen.named(Span.START)
    parts = seen.named(Span.SLICE)
    assert len(parts) > 1
    assert started.context is not None
    for span in [*parts, *seen.named(Span.STEP), *seen.named(Span.REQUEST)]:
        if span.start_time and started.start_time and span.start_time > started.start_time:
            assert span.context is not None
            assert span.context.trace_id == started.context.trace_id
    steps = [str((span.attributes or {})["step"]) for span in seen.named(Span.STEP)]
    assert set(steps) == {"plan", "prepare", "deliver", "commit"}


def test_two_runs_are_two_traces(engine: Engine, seen: Seen) -> None:
    engine.land(people(3))
    engine.define()
    engine.run()
    engine.run()
    assert len({span.context.trace_id for span in seen.named(Span.SLICE) if span.context}) == 2


def test_metrics_say_what_the_report_says(engine: Engine, seen: Seen) -> None:
    engine.land(people(60))
    engine.define()
    before = seen.metrics()
    report = engine.report(engine.run())
    after = seen.metrics()
    assert after[Metric.ROWS] - before.get(Metric.ROWS, 0) == 60
    assert after[Metric.REQUESTS] - before.get(Metric.REQUESTS, 0) == report["requests"]
    assert after[Metric.QUEUE_AGE] == len(seen.named(Span.SLICE))
    assert after.keys() <= {str(metric) for metric in METRICS}


def test_an_account_in_use_is_counted(engine: Engine, seen: Seen) -> None:
    engine.land(people(3))
    engine.define()
    run = engine.start()
    account = engine.delivery(run).account
    with AccountLease(engine.cloud.blobs, account, quiet_seconds=0, look=lambda: None):
        jobs.carry_out(slices.KIND, engine.cloud, SliceMessage(run.export, run.run, 0, 1))
    assert seen.metrics()[Metric.LEASE_WAITS] == 1


def test_a_failed_step_is_told_by_its_type_alone(engine: Engine, seen: Seen) -> None:
    with pytest.raises(ValueError), telemetry.span(Span.STEP, step="plan"):
        raise ValueError("jane@example.org")
    [span] = seen.named(Span.STEP)
    assert span.status.description == "ValueError"
    assert not span.events


def test_attributes_lose_query_strings_and_addresses_whoever_passes_them(seen: Seen) -> None:
    with telemetry.span(Span.STEP, step="https://host/path?email=jane%40example.org", export="jane@example.org"):
        telemetry.note(**{"http.route": "/people/jane%40example.org"})
    [span] = seen.named(Span.STEP)
    assert dict(span.attributes or {}) == {
        "step": "https://host/path",
        "export": "[address]",
        "http.route": "[address]",
    }


def test_requests_with_addresses_in_them_leave_none_in_the_trace(
    storage: StorageAddress, unique: str, seen: Seen
) -> None:
    """Campaign Monitor wants the address of somebody who is taken off in the query string."""
    with engines.engine(storage, unique, CAMPAIGN_MONITOR) as engine:
        engine.connect()
        engine.define()
        for count in (12, 11):
            engine.land(people(count))
            engine.run()
    assert len(seen.named(Span.REQUEST)) > 3
    text = "".join(span.to_json() for span in seen.spans.get_finished_spans())
    assert "@" not in text
    assert "%40" not in text
    assert "email=" not in text
    assert json.loads(seen.named(Span.REQUEST)[0].to_json())["attributes"].keys() <= {
        "http.request.method",
        "server.address",
        "http.response.status_code",
        "error.type",
    }
