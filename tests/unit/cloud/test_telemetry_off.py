"""Without telemetry nothing of it is loaded, and nothing fails."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from shared.cloud import telemetry
from shared.cloud.telemetry import METRICS, Metric, Span

REPOSITORY = Path(__file__).parents[3]


def test_nothing_is_loaded_where_nothing_is_configured() -> None:
    code = """
import function_app, sys
from shared.cloud import telemetry
telemetry.configure({})
with telemetry.span(telemetry.Span.SLICE, "00-0-0-01", export="news"):
    telemetry.note(step="plan")
    telemetry.measure(telemetry.Metric.ROWS, 5, vendor="iterable")
    assert telemetry.traceparent() == ""
print([name for name in sys.modules if name.startswith("opentelemetry")])
"""
    ended = subprocess.run([sys.executable, "-c", code], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    assert ended.stdout.strip() == "[]"


def test_a_missing_package_is_logged_and_the_service_runs(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("opentelemetry.exporter", "azure.monitor"):
        monkeypatch.setitem(sys.modules, name, None)
    with caplog.at_level(logging.ERROR):
        for wanted in ("otlp", "azure"):
            telemetry.configure({"TELEMETRY": wanted})
    assert caplog.text.count("requirements-telemetry.txt") == 2
    with telemetry.span(Span.SLICE):
        assert telemetry.traceparent() == ""


def test_another_word_is_refused() -> None:
    with pytest.raises(ValueError, match="TELEMETRY must be empty or one of azure, otlp"):
        telemetry.configure({"TELEMETRY": "yes"})


def test_every_metric_is_in_the_table() -> None:
    assert set(METRICS) == set(Metric)
