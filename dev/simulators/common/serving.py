"""Serves a simulator on loopback: in a thread for a test, or as a process of its own."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from anyio.abc import TaskStatus
from anyio.from_thread import start_blocking_portal
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from dev.simulators.common.inspection import with_inspection
from dev.simulators.common.simulator import AnyVendor, Simulator, VendorT
from dev.simulators.common.wire import EXTENSION

_KEEP_ALIVE = 75  # seconds an idle connection stays open


class _Protocol(HttpToolsProtocol):
    """HTTP as uvicorn speaks it, with the connection within reach, so that a fault can hang up."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {EXTENSION: {"transport": self.transport}}


@contextmanager
def serve(simulator: Simulator[VendorT], host: str = "127.0.0.1", port: int = 0) -> Iterator[Simulator[VendorT]]:
    """Serve from a thread until the block ends; port 0 takes a free one. `simulator.url` says where."""
    listener = _listen(simulator, host, port)
    stop = asyncio.Event()

    async def run(*, task_status: TaskStatus[None]) -> None:
        await _serve(simulator, listener, task_status.started, stop)

    with start_blocking_portal() as portal:
        task, _ = portal.start_task(run)
        try:
            yield simulator
        finally:
            portal.call(stop.set)
            task.result()


def serve_until_signal(simulator: Simulator[VendorT], host: str, port: int, ready: Callable[[], None]) -> None:
    """Serve from this thread; call `ready` once calls are answered, return after SIGTERM or SIGINT."""
    listener = _listen(simulator, host, port)

    async def run() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        await _serve(simulator, listener, ready, stop)

    asyncio.run(run())


def _listen(simulator: Simulator[AnyVendor], host: str, port: int) -> socket.socket:
    listener = socket.create_server((host, port), backlog=1024)
    # asyncio does this only for sockets that it made itself; without it each answer waits 40 ms for an ACK.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    simulator.url = f"http://{host}:{listener.getsockname()[1]}"
    return listener


async def _serve(
    simulator: Simulator[AnyVendor], listener: socket.socket, ready: Callable[[], None], stop: asyncio.Event
) -> None:
    # uvicorn's own Server polls and takes part of a second to end, too slow for one server per test.
    config = uvicorn.Config(
        with_inspection(simulator),
        lifespan="off",
        ws="none",
        proxy_headers=False,
        access_log=False,
        log_config=None,
        timeout_keep_alive=_KEEP_ALIVE,
    )
    config.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(lambda: _Protocol(config, state, {}), sock=listener)
    ready()
    await stop.wait()
    server.close()
    await _hang_up(state)


async def _hang_up(state: ServerState) -> None:
    for connection in list(state.connections):
        if isinstance(connection, _Protocol):
            connection.transport.abort()
    await asyncio.gather(*state.tasks)  # a call ends when its connection does
    await asyncio.sleep(0)  # the transports close in the loop's next turn
