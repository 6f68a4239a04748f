"""The functions of one app, listening: HTTP routes, queues and timers, until told to stop."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvicorn

from dev.host.activity import Activity
from dev.host.admin import Admin
from dev.host.queues import QueueListener
from dev.host.routes import make_router
from dev.host.runner import Runner
from dev.host.settings import HostJson, connection_string, is_disabled, read_host_json, resolve
from dev.host.timers import check_schedule, keep_time, timer_data
from dev.host.web import make_web
from dev.host.worker import Function, Worker


class FunctionsHost:
    """Runs the app in the folder `app`, with the app settings of this process's environment.

    `key` opens functions of level function or admin. `polling` overrides host.json's maxPollingInterval (seconds).
    `grace` is how many seconds running functions get when the host stops.
    """

    def __init__(self, app: Path, key: str, *, polling: float | None = None, grace: int = 10) -> None:
        self._app = app
        self._key = key
        self._polling = polling
        self._grace = grace
        self._stopping = asyncio.Event()
        self._activity = Activity()

    def stop(self) -> None:
        """Begin to stop; called on the event loop."""
        self._stopping.set()
        self._activity.changed()

    async def serve(self, listener: socket.socket, ready: Callable[[], None]) -> bool:
        """Serve until `stop`; False when functions were still running after the grace.

        Calls `ready` when all functions are known and listening. Raises AppError and SettingsError before that.
        """
        worker = await Worker.load(self._app)
        options = self._read_options()
        enabled = [function for function in worker.functions if not is_disabled(function.name, os.environ)]
        runner = Runner(worker, self._activity, os.environ, base64=options.queues.base64)
        queues = [self._queue_listener(function, options, runner) for function in _triggered("queue", enabled)]
        timers = [self._timer(function, runner) for function in _triggered("timer", enabled)]
        admin = Admin(worker.functions, queues, runner.run, self._activity)
        web = make_web(make_router(enabled, options.route_prefix), runner.run, admin, self._key)
        server = uvicorn.Server(
            uvicorn.Config(
                web,
                lifespan="off",
                ws="none",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_graceful_shutdown=self._grace,
            )
        )
        tasks = [asyncio.create_task(server.serve(sockets=[listener]))]
        tasks += [asyncio.create_task(queue.listen(self._stopping)) for queue in queues]
        tasks += [asyncio.create_task(keep_time(*timer, self._stopping)) for timer in timers]
        ready()
        try:
            return await self._see_through(tasks, server, worker)
        finally:
            for queue in queues:
                queue.close()

    async def _see_through(self, tasks: list[asyncio.Task[Any]], server: uvicorn.Server, worker: Worker) -> bool:
        told = asyncio.create_task(self._stopping.wait())
        # None of the tasks ends by itself, so one that does has failed.
        await asyncio.wait([told, *tasks], return_when=asyncio.FIRST_COMPLETED)
        self.stop()
        server.should_exit = True
        deadline = asyncio.get_running_loop().time() + self._grace
        ended, late = await asyncio.wait(tasks, timeout=self._grace)
        for task in late:
            task.cancel()
        await asyncio.gather(told, *late, return_exceptions=True)
        all_ended = worker.stop(max(0.1, deadline - asyncio.get_running_loop().time()))
        for task in ended:
            task.result()
        return all_ended

    def _read_options(self) -> HostJson:
        options = read_host_json(self._app)
        if self._polling is None:
            return options
        return replace(options, queues=replace(options.queues, max_polling_interval=self._polling))

    def _queue_listener(self, function: Function, options: HostJson, runner: Runner) -> QueueListener:
        connection = connection_string(function.trigger["connection"], os.environ)
        name = resolve(function.trigger["queueName"], os.environ)
        return QueueListener(function, connection, name, options.queues, runner.run, self._activity)

    def _timer(self, function: Function, runner: Runner) -> tuple[str, Callable[[], Awaitable[Any]]]:
        schedule = resolve(function.trigger["schedule"], os.environ)
        check_schedule(schedule)

        return schedule, lambda: runner.run(function, {function.trigger["name"]: timer_data()}, {})


def _triggered(kind: str, functions: list[Function]) -> list[Function]:
    return [function for function in functions if function.trigger["type"] == f"{kind}Trigger"]
