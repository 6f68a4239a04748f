"""Where telemetry goes: Azure Monitor by identity, or any OpenTelemetry collector. Needs requirements-telemetry.txt."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from opentelemetry.metrics import MeterProvider
    from opentelemetry.trace import TracerProvider

EXPORT_SECONDS = 60
"""How often metrics are sent."""

Exporters = tuple[Any, Any]
"""Of spans, and of metrics."""


def providers(wanted: str, environment: Mapping[str, str]) -> tuple[TracerProvider, MeterProvider]:
    """Providers that send to `azure` or `otlp`. Raises ImportError without the packages, ValueError for other words."""
    if wanted not in _EXPORTERS:
        raise ValueError(f"The app setting TELEMETRY must be empty or one of {', '.join(_EXPORTERS)}.")
    from opentelemetry.sdk.metrics import MeterProvider as Meters
    from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider as Tracers
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    spans, metrics = _EXPORTERS[wanted](environment)
    resource = Resource.create({"service.name": "segment-exports"})
    tracers = Tracers(resource=resource)
    tracers.add_span_processor(BatchSpanProcessor(spans))
    reader = PeriodicExportingMetricReader(metrics, export_interval_millis=EXPORT_SECONDS * 1000)
    return tracers, Meters([reader], resource=resource)


def _azure(environment: Mapping[str, str]) -> Exporters:
    """To the Application Insights of APPLICATIONINSIGHTS_CONNECTION_STRING, signed in with the app's identity."""
    from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter

    from shared.cloud.storage import identity

    options = {
        "connection_string": environment["APPLICATIONINSIGHTS_CONNECTION_STRING"],
        "credential": identity(environment.get("AZURE_CLIENT_ID")),
        "disable_offline_storage": True,  # temporary disk belongs to the slices
    }
    return AzureMonitorTraceExporter(**options), AzureMonitorMetricExporter(**options)


def _otlp(environment: Mapping[str, str]) -> Exporters:
    """To a collector, as OpenTelemetry's own OTEL_EXPORTER_OTLP_* variables say."""
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter(), OTLPMetricExporter()


_EXPORTERS: Mapping[str, Callable[[Mapping[str, str]], Exporters]] = {"azure": _azure, "otlp": _otlp}
