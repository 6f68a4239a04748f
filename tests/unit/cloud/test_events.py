"""Names that alerts, receivers and dashboards rely on are the same everywhere."""

from __future__ import annotations

import json
import logging
import re
from pathlib import Path

import pytest

from shared.cloud import events
from shared.cloud.events import KINDS, Event
from shared.cloud.telemetry import METRICS, Span

REPOSITORY = Path(__file__).parents[3]
DOCUMENT = (REPOSITORY / "docs" / "operations.md").read_text()
ALERTS = re.findall(r"event: '(\w+)'", (REPOSITORY / "infra" / "modules" / "alerts.bicep").read_text())


def test_every_event_is_in_the_table_and_documented() -> None:
    assert set(KINDS) == set(Event)
    for event, kind in KINDS.items():
        [row] = re.findall(rf"^\| `{event}` \| (\w+) \| (\w*) ?\|", DOCUMENT, re.MULTILINE)
        assert row == (logging.getLevelName(kind.level).lower().replace("info", "information"), "yes" * kind.notified)


def test_every_alert_is_about_an_event_and_has_a_runbook() -> None:
    assert ALERTS
    for name in ALERTS:
        assert name in set(Event)
        assert f"\n### {name}\n" in DOCUMENT


def test_whatever_is_louder_than_information_has_an_alert() -> None:
    assert {str(event) for event, kind in KINDS.items() if kind.level > logging.INFO} == set(ALERTS)


def test_every_metric_and_span_is_documented() -> None:
    for name in (*METRICS, *Span):
        assert f"`{name}`" in DOCUMENT


def test_an_event_is_json_in_its_text_and_fields_of_its_record(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, events.log.name):
        events.record(Event.RUN_FAILED, {"id": "1", "export": "news", "add_accepted": 3})
    [record] = caplog.records
    told = {"event": "run_failed", "id": "1", "export": "news", "add_accepted": 3}
    assert json.loads(record.getMessage()) == told
    assert told.items() <= record.__dict__.items()
    assert record.levelno == logging.ERROR


def test_the_host_does_not_sample_events_away() -> None:
    host = json.loads((REPOSITORY / "host.json").read_text())
    assert "Trace" in host["logging"]["applicationInsights"]["samplingSettings"]["excludedTypes"].split(";")
