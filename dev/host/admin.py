"""The host's own API, below /admin/: fire a timer, and see or wait for what the functions do."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from dev.host.activity import Activity
from dev.host.http_messages import Request, Response
from dev.host.queues import QueueListener
from dev.host.runner import Run
from dev.host.timers import timer_data
from dev.host.web import json_response
from dev.host.worker import Function

_LONGEST_WAIT = 10.0


class Admin:
    """Answers requests to /admin/..., whose key was checked.

    POST /admin/functions/NAME runs a timer's function now. The path is Azure's; unlike Azure's host, this one
    answers when the function has ended: 202, or 500 with the error.
    GET /admin/host/activity?seen=VERSION&wait=SECONDS gives the counts, as soon as their version is another one.
    """

    def __init__(
        self, functions: Iterable[Function], listeners: list[QueueListener], run: Run, activity: Activity
    ) -> None:
        self._functions = {function.name: function for function in functions}
        self._listeners = listeners
        self._run = run
        self._activity = activity

    async def __call__(self, request: Request) -> Response:
        """Answer one request."""
        match request.method, request.path.split("/")[2:]:
            case "POST", ["functions", name] if name in self._functions:
                return await self._fire(self._functions[name])
            case "GET", ["host", "activity"]:
                return await self._report(request)
        return Response(404)

    async def _fire(self, function: Function) -> Response:
        if function.trigger["type"] != "timerTrigger":
            return json_response(400, {"error": f"{function.name} is not a timer's function"})
        outcome = await self._run(function, {function.trigger["name"]: timer_data()}, {})
        return Response(202) if outcome.ok else json_response(500, {"error": outcome.error})

    async def _report(self, request: Request) -> Response:
        seen, patience = int(request.query.get("seen", -1)), float(request.query.get("wait", 0))
        await self._activity.wait_for_news(seen, min(patience, _LONGEST_WAIT))
        report = self._activity.report()
        counts = await asyncio.gather(*(asyncio.to_thread(listener.waiting) for listener in self._listeners))
        queues = {listener.queue.queue_name: count for listener, count in zip(self._listeners, counts, strict=True)}
        # A function that ran while the queues were counted may have moved work from one to another.
        idle = report["idle"] and not any(counts) and report["version"] == self._activity.version
        return json_response(200, {**report, "idle": idle, "queues": queues})
