"""The functions of an app, served by a thread of this process."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from dev.host.functions_host import FunctionsHost


class Serving:
    """Serves the app in the folder `app` with the app settings in the environment; a context manager.

    `url` says where, from the start on. `ended_well` says after the end whether all functions ended within the grace;
    those that did not are left behind on their threads. Arguments as for FunctionsHost; `port` 0 is a free one.
    Raises AppError, SettingsError and OSError (the port is taken) at the start.
    """

    def __init__(self, app: Path, key: str, *, port: int = 0, polling: float | None = None, grace: int = 10) -> None:
        self.url = ""
        self.key = key
        self.ended_well = True
        self._host = FunctionsHost(app, key, polling=polling, grace=grace)
        self._port = port
        self._ready: Future[asyncio.AbstractEventLoop] = Future()

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            listener = stack.enter_context(_listen(self._port))
            thread = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="functions-host"))
            self._ended = thread.submit(asyncio.run, self._serve(listener))
            outcomes: list[Future[Any]] = [self._ready, self._ended]
            wait(outcomes, return_when=FIRST_COMPLETED)
            if not self._ready.done():
                self._ended.result()
            self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._running:
            if not self._ended.done():
                self._ready.result().call_soon_threadsafe(self._host.stop)
            self.ended_well = self._ended.result()

    def when_ended(self, call: Callable[[], object]) -> None:
        """Have `call` called, on any thread, when the functions are no longer served, for whatever reason."""
        self._ended.add_done_callback(lambda _: call())

    async def _serve(self, listener: socket.socket) -> bool:
        loop = asyncio.get_running_loop()
        return await self._host.serve(listener, lambda: self._ready.set_result(loop))


def _listen(port: int) -> socket.socket:
    # With its protocol named, as asyncio turns off Nagle's delay (40 ms an answer) for such sockets only.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(128)
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"port {port}: {error.strerror}") from error
    return listener
