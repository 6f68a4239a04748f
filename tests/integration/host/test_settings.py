"""host.json and app settings."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dev.host import HostError, SettingsError
from dev.host.settings import HostJson, QueueOptions, connection_string, is_disabled, read_host_json, resolve
from tests.integration.host.conftest import SAMPLE_APP, SampleHost


def write_host_json(folder: Path, extensions: dict[str, Any]) -> Path:
    (folder / "host.json").write_text(json.dumps({"version": "2.0", "extensions": extensions}))
    return folder


def test_what_host_json_leaves_out_has_the_platforms_defaults(tmp_path: Path) -> None:
    assert read_host_json(write_host_json(tmp_path, {})) == HostJson(
        "api", QueueOptions(16, 8, 5, visibility_timeout=0, max_polling_interval=60, base64=True)
    )


def test_host_json_is_read(tmp_path: Path) -> None:
    queues = {
        "batchSize": 4,
        "maxDequeueCount": 2,
        "visibilityTimeout": "01:02:03",
        "maxPollingInterval": "00:00:00.5",
        "messageEncoding": "none",
    }
    folder = write_host_json(tmp_path, {"http": {"routePrefix": "/v1/"}, "queues": queues})
    assert read_host_json(folder) == HostJson("v1", QueueOptions(4, 2, 2, 3723, 0.5, base64=False))


@pytest.mark.parametrize("text", ["", "{", '{"extensions": {"queues": {"visibilityTimeout": "soon"}}}'])
def test_a_host_json_that_makes_no_sense_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(SettingsError, match=r"host\.json"):
        read_host_json(tmp_path)


def test_names_between_percent_signs_are_app_settings() -> None:
    assert resolve("%A%-and-%B%", {"A": "one", "B": "two"}) == "one-and-two"
    with pytest.raises(SettingsError, match="app setting A is missing"):
        resolve("%A%", {})


def test_a_connection_is_the_name_of_an_app_setting_with_or_without_its_prefix() -> None:
    assert connection_string("Storage", {"AzureWebJobsStorage": "prefixed"}) == "prefixed"
    assert connection_string("Other", {"Other": "plain"}) == "plain"
    with pytest.raises(SettingsError, match="Other is missing"):
        connection_string("Other", {})


@pytest.mark.parametrize(("value", "disabled"), [("true", True), ("1", True), ("false", False)])
def test_an_app_setting_disables_a_function(value: str, disabled: bool) -> None:
    assert is_disabled("tick", {"AzureWebJobs.tick.Disabled": value}) is disabled
    assert not is_disabled("tock", {"AzureWebJobs.tick.Disabled": value})


def test_the_host_obeys_another_host_json(new_host: Callable[..., SampleHost], tmp_path: Path) -> None:
    app = tmp_path / "app"
    shutil.copytree(SAMPLE_APP, app, ignore=shutil.ignore_patterns("__pycache__"))
    write_host_json(app, {"queues": {"visibilityTimeout": "01:00:00"}})
    with new_host(app=app) as host:
        assert host.request("GET", "/api/items/1").text == "any 1"
        home = host.request("GET", "/")
        assert "up and running" in home.text
        # The notes of the app are below the prefix too, so the order is followed by its message only.
        host.order(do="fail")
        host.wait_until(lambda status: status.failed.get("work") == 1 and status.idle is False)
        host.wait_until(lambda status: not status.running)
        with host.queue() as queue:
            assert queue.get_queue_properties().approximate_message_count == 1
            assert queue.peek_messages() == []  # hidden until its next attempt


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"TICK_SCHEDULE": "whenever"}, "'whenever' is not a schedule"),
        ({"AzureWebJobsStorage": ""}, "AzureWebJobsStorage is missing"),
    ],
)
def test_a_host_that_cannot_start_says_why(
    new_host: Callable[..., SampleHost], settings: dict[str, str], reason: str
) -> None:
    with pytest.raises(HostError, match=reason), new_host(settings=settings):
        pass
