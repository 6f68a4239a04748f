"""The whole app in this process: its functions, with storage and a Key Vault beside them."""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.host.client import HostClient
from dev.host.private_file import write_private
from dev.host.services import LocalServices
from dev.host.serving import Serving

_log = logging.getLogger(__name__)


class LocalHost(HostClient):
    """Runs the app in the folder `app`; a context manager. A process can load one app: for more, see HostProcess.

    `settings` are further app settings; all are in the environment until the block ends.
    `services` are used and left running; without them the host starts its own, which keep their state in `data`.
    `port`, `polling`, `grace` and what is raised: see Serving.
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
        super().__init__("", host_key(data))
        self.services = services or LocalServices(data)
        self._starts_services = services is None
        self._settings = settings or {}
        self._serving = Serving(app, self.key, port=port, polling=polling, grace=grace)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            if self._starts_services:
                stack.enter_context(self.services)
            stack.enter_context(environment({**self.services.settings(), **self._settings}))
            self.url = stack.enter_context(self._serving).url
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()
        if not self._serving.ended_well:
            _log.warning("functions were still running when the host stopped, and were left behind")

    @property
    def ended_well(self) -> bool:
        """Whether all functions had ended when the host stopped."""
        return self._serving.ended_well


def host_key(data: Path | None) -> str:
    """The key of a new host, or the one that `data` remembers."""
    file = data / "host-key" if data else None
    if file and file.exists():
        return file.read_text()
    key = secrets.token_urlsafe(24)
    if file:
        write_private(file, key)
    return key


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Have `settings` in the environment for a while."""
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
