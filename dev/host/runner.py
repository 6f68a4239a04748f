"""Runs functions for whatever triggers them: counts, logs failures, carries out output bindings."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from azure.core.exceptions import AzureError

from dev.host.activity import Activity
from dev.host.protos import TypedData
from dev.host.queue_messages import encode, open_queue, send
from dev.host.settings import SettingsError, connection_string, resolve
from dev.host.worker import Function, Outcome, Worker

_log = logging.getLogger(__name__)

Run = Callable[[Function, Mapping[str, TypedData], Mapping[str, Any]], Awaitable[Outcome]]


class Runner:
    """Calls functions of a worker and keeps `activity` up to date. `base64` is how queue messages are encoded."""

    def __init__(self, worker: Worker, activity: Activity, settings: Mapping[str, str], *, base64: bool) -> None:
        self._worker = worker
        self._activity = activity
        self._settings = settings
        self._base64 = base64

    async def run(self, function: Function, inputs: Mapping[str, TypedData], metadata: Mapping[str, Any]) -> Outcome:
        """Call `function` with its trigger's data, by parameter; a failure is an outcome, not an exception."""
        with self._activity.invocation(function.name):
            outcome = await self._worker.invoke(function, inputs, metadata)
            if outcome.outputs:
                outcome = await asyncio.to_thread(self._send_outputs, function, outcome)
            self._activity.ended(function.name, ok=outcome.ok)
        if not outcome.ok:
            _log.error("%s failed: %s\n%s", function.name, outcome.error, outcome.stack)
        return outcome

    def _send_outputs(self, function: Function, outcome: Outcome) -> Outcome:
        try:
            for parameter, data in outcome.outputs.items():
                binding = function.binding(parameter)
                connection = connection_string(binding["connection"], self._settings)
                with open_queue(connection, resolve(binding["queueName"], self._settings)) as queue:
                    for message in encode(data, self._base64):
                        send(queue, message)
        except (AzureError, SettingsError) as error:
            return Outcome(ok=False, error=f"{type(error).__name__}: an output binding failed")
        return outcome
