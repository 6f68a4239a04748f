"""Traces and metrics over OpenTelemetry, where the app setting TELEMETRY asks for them; else nothing is loaded.

All names are in the two tables here. Nothing is instrumented automatically, since libraries put whole addresses into
their spans: what leaves is what this module is given, without query strings and scrubbed.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from enum import StrEnum
from typing import TYPE_CHECKING, Any, NamedTuple

from shared.cloud.scrubbing import scrub

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import Span as LiveSpan
    from opentelemetry.trace import TracerProvider

log = logging.getLogger(__name__)

Attribute = str | int | float | bool
NAME = "segment_exports"


class Span(StrEnum):
    """Spans of one run's trace, from the outside in."""

    START = "run.start"
    SLICE = "slice"
    STEP = "step"
    REQUEST = "vendor.request"


class Metric(StrEnum):
    """Metrics; METRICS says what each counts."""

    ROWS = "segment_exports.rows"
    REQUESTS = "segment_exports.vendor.requests"
    RETRIES = "segment_exports.vendor.retries"
    THROTTLED = "segment_exports.vendor.throttled"
    LEASE_WAITS = "segment_exports.lease.waits"
    QUEUE_AGE = "segment_exports.queue.age"


class Measure(NamedTuple):
    """What a metric is: a counter that only grows, or a histogram of single values."""

    histogram: bool
    unit: str
    meaning: str


METRICS: Mapping[Metric, Measure] = {
    Metric.ROWS: Measure(False, "{row}", "Operations that vendors answered."),
    Metric.REQUESTS: Measure(False, "{request}", "Requests sent to vendors, repetitions included."),
    Metric.RETRIES: Measure(False, "{request}", "Requests that were sent again."),
    Metric.THROTTLED: Measure(False, "s", "Time spent waiting for vendors' limits and between attempts."),
    Metric.LEASE_WAITS: Measure(False, "{wait}", "Slices that found their account in use."),
    Metric.QUEUE_AGE: Measure(True, "s", "From when a slice was due until it began."),
}


class _Live:
    """Providers in use."""

    def __init__(self, tracers: TracerProvider, meters: MeterProvider) -> None:
        self.tracer = tracers.get_tracer(NAME)
        meter = meters.get_meter(NAME)
        self.record: dict[Metric, Callable[..., None]] = {}
        for metric, measure in METRICS.items():
            make = meter.create_histogram if measure.histogram else meter.create_counter
            instrument: Any = make(str(metric), unit=measure.unit, description=measure.meaning)
            self.record[metric] = instrument.record if measure.histogram else instrument.add


_live: _Live | None = None


def activate(tracers: TracerProvider, meters: MeterProvider) -> None:
    """From now on spans and metrics go to these providers."""
    global _live  # noqa: PLW0603 - one process has one telemetry, as OpenTelemetry itself has it
    _live = _Live(tracers, meters)


def deactivate() -> None:
    """Back to nothing."""
    global _live  # noqa: PLW0603
    _live = None


def span(name: Span, parent: str = "", **attributes: Attribute) -> AbstractContextManager[None]:
    """A span around a block. `parent` is a `traceparent` from elsewhere; without it, the span that is open here."""
    return nullcontext() if _live is None else _span(_live, name, parent, attributes)


@contextmanager
def _span(live: _Live, name: Span, parent: str, attributes: Mapping[str, Attribute]) -> Iterator[None]:
    from opentelemetry.trace import Status, StatusCode

    context, cleaned = _context(parent) if parent else None, _clean(attributes)
    with live.tracer.start_as_current_span(
        str(name), context, attributes=cleaned, record_exception=False, set_status_on_exception=False
    ) as opened:
        try:
            yield
        except BaseException as error:  # an exception's text may hold anything, its type does not
            opened.set_status(Status(StatusCode.ERROR, type(error).__name__))
            raise


def note(**attributes: Attribute) -> None:
    """Add attributes to the span that is open here."""
    if _live is not None:
        _current().set_attributes(_clean(attributes))


def traceparent() -> str:
    """The open span, as other processes name it; empty without telemetry."""
    if _live is None:
        return ""
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    carrier: dict[str, str] = {}
    TraceContextTextMapPropagator().inject(carrier)
    return carrier.get("traceparent", "")


def measure(metric: Metric, value: float, **attributes: Attribute) -> None:
    """Count or record a value; nothing for 0."""
    if _live is not None and value:
        _live.record[metric](value, _clean(attributes))


def _current() -> LiveSpan:
    from opentelemetry.trace import get_current_span

    return get_current_span()


def _context(parent: str) -> Any:
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    return TraceContextTextMapPropagator().extract({"traceparent": parent})


def _clean(attributes: Mapping[str, Attribute]) -> dict[str, Attribute]:
    """Without query strings, addresses and secrets, whoever passes them."""
    return {
        name: scrub(value.partition("?")[0]) if isinstance(value, str) else value for name, value in attributes.items()
    }


def configure(environment: Mapping[str, str]) -> None:
    """Begin as the app setting TELEMETRY says: nothing (empty), `azure` or `otlp`.

    The service runs without telemetry's packages; their absence is logged as an error. Raises ValueError for any
    other value.
    """
    wanted = environment.get("TELEMETRY", "")
    if not wanted or _live is not None:
        return
    from shared.cloud import telemetry_exporters

    try:
        activate(*telemetry_exporters.providers(wanted, environment))
    except ImportError as error:
        log.error("TELEMETRY is %s, but a package of requirements-telemetry.txt is missing: %s.", wanted, error.name)
