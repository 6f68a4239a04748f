"""What the host reads before it starts: host.json and app settings (environment variables)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

_SETTING = re.compile(r"%([^%]+)%")


class SettingsError(Exception):
    """An app setting is missing, or host.json says something that this host does not understand."""


@dataclass(frozen=True)
class QueueOptions:
    """`extensions.queues` of host.json; times in seconds. At most batch_size + new_batch_threshold messages at once."""

    batch_size: int = 16
    new_batch_threshold: int = 8
    max_dequeue_count: int = 5
    visibility_timeout: float = 0
    max_polling_interval: float = 60
    base64: bool = True


@dataclass(frozen=True)
class HostJson:
    """The parts of host.json that this host obeys."""

    route_prefix: str = "api"
    queues: QueueOptions = QueueOptions()


def read_host_json(app: Path) -> HostJson:
    """Read `app`/host.json; what it leaves out has the platform's defaults. Raises SettingsError."""
    try:
        extensions = json.loads((app / "host.json").read_text()).get("extensions", {})
        return HostJson(
            route_prefix=extensions.get("http", {}).get("routePrefix", HostJson.route_prefix).strip("/"),
            queues=_queue_options(extensions.get("queues", {})),
        )
    except (OSError, ValueError) as error:
        raise SettingsError(f"host.json: {error}") from error


def _queue_options(given: Mapping[str, object]) -> QueueOptions:
    standard = QueueOptions()
    batch_size = int(str(given.get("batchSize", standard.batch_size)))
    return QueueOptions(
        batch_size=batch_size,
        new_batch_threshold=int(str(given.get("newBatchThreshold", batch_size // 2))),
        max_dequeue_count=int(str(given.get("maxDequeueCount", standard.max_dequeue_count))),
        visibility_timeout=_seconds(given.get("visibilityTimeout", "00:00:00")),
        max_polling_interval=_seconds(given.get("maxPollingInterval", "00:01:00")),
        base64=given.get("messageEncoding", "base64") == "base64",
    )


def _seconds(time_span: object) -> float:
    hours, minutes, seconds = str(time_span).split(":")
    return timedelta(hours=int(hours), minutes=int(minutes), seconds=float(seconds)).total_seconds()


def resolve(text: str, settings: Mapping[str, str]) -> str:
    """Replace every %NAME% in `text` by the app setting of that name. Raises SettingsError."""

    def value(name: re.Match[str]) -> str:
        if name[1] not in settings:
            raise SettingsError(f"the app setting {name[1]} is missing (in {text!r})")
        return settings[name[1]]

    return _SETTING.sub(value, text)


def connection_string(connection: str, settings: Mapping[str, str]) -> str:
    """The storage connection string that a binding's `connection` names. Raises SettingsError."""
    for name in (f"AzureWebJobs{connection}", connection):
        if settings.get(name):
            return settings[name]
    raise SettingsError(f"the app setting {connection} is missing (a queue's connection)")


def is_disabled(function: str, settings: Mapping[str, str]) -> bool:
    """Whether the app setting AzureWebJobs.NAME.Disabled turns the function off."""
    return settings.get(f"AzureWebJobs.{function}.Disabled", "").lower() in ("true", "1")
