"""The app in a process of its own, which can be killed; storage and Key Vault stay here and outlive it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.host.client import HostClient
from dev.host.services import LocalServices

_REPOSITORY = Path(__file__).parents[2]
_LISTENING = re.compile(r"listening on (\S+)  key: (\S+)")


# Seconds that a host may need to end, on top of the grace of its functions.
_LEEWAY = 20


class HostError(Exception):
    """The host's process ended before it listened, or did not end when it should."""


class HostProcess(HostClient):
    """Runs the app in the folder `app` as `python -m dev.host`; a context manager. Arguments as for LocalHost.

    The process ends with the block, and also when this process does, however that ends.
    """

    def __init__(
        self,
        app: Path,
        *,
        settings: Mapping[str, str] | None = None,
        services: LocalServices | None = None,
        data: Path | None = None,
        port: int = 0,
        polling: float | None = None,
        grace: int = 10,
    ) -> None:
        super().__init__("", "")
        self.services = services or LocalServices(data)
        self._starts_services = services is None
        self._settings = settings or {}
        self._grace = grace
        options = {"--app": app, "--port": port, "--grace": grace, "--polling": polling}
        self._options = [f"{name}={value}" for name, value in options.items() if value is not None]
        self._options += ["--services-from-environment", "--end-with-input"]

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._starts_services:
                stack.enter_context(self.services)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="functions-host-")))
            self._log_file = folder / "log"
            self._process = self._start()
            stack.callback(self._close)
            stack.callback(self.stop)
            self._read_address()
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def process_id(self) -> int:
        """The process id of the host."""
        return self._process.pid

    def stop(self) -> int:
        """Ask the process to end, wait for it, and return its exit status: 0 if all functions had ended."""
        self.begin_to_stop()
        return self.wait()

    def wait(self) -> int:
        """Wait until the process has ended, and return its exit status. Raises HostError when it does not end."""
        try:
            return self._process.wait(self._grace + _LEEWAY)
        except subprocess.TimeoutExpired:
            self.kill()
            raise HostError(f"the host did not end:\n{self.log()}") from None

    def begin_to_stop(self) -> None:
        """Ask the process to end and do not wait."""
        self._process.terminate()

    def kill(self) -> None:
        """End the process at once, as a crash would."""
        self._process.kill()
        self._process.wait()

    def log(self) -> str:
        """What the process has logged so far; after the end, all of it."""
        return self._log_file.read_text() if self._log_file.exists() else self._last_log

    def _start(self) -> subprocess.Popen[str]:
        with self._log_file.open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "dev.host", *self._options],
                cwd=_REPOSITORY,
                env={**os.environ, **self.services.settings(), **self._settings},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )

    def _read_address(self) -> None:
        assert self._process.stdout is not None
        found = _LISTENING.match(self._process.stdout.readline())
        if not found:
            raise HostError(f"the host ended with {self._process.wait()}:\n{self.log()}")
        self.url, self.key = found.groups()

    def _close(self) -> None:
        self._last_log = self.log()
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()
