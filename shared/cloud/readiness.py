"""Is everything within reach that a run needs? Asked at most every ten seconds, and answered within five."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Lock, Thread

from shared.cloud.cloud import Cloud
from shared.errors import ExportError, UserMustAct
from shared.wording import say

KEPT_SECONDS = 10.0
LONGEST_SECONDS = 5.0
_PROBE = "readiness-probe"
"""Name of a secret and a row that need not exist: being told so takes the same rights as reading one that does."""


def _key_vault(cloud: Cloud) -> None:
    try:
        cloud.secrets.get(_PROBE, fresh=True)
    except UserMustAct as error:
        if error.code != "secret_missing":
            raise


PROBES: Mapping[str, Callable[[Cloud], object]] = {
    "blobs": lambda cloud: cloud.blobs.exists(_PROBE),
    "queue": lambda cloud: cloud.slices.prepare(),
    "tables": lambda cloud: cloud.runs.get("-", _PROBE),
    "key_vault": _key_vault,
}


@dataclass(slots=True)
class _Look:
    """One probe under way; `problem` is None until it has ended, empty where all is well."""

    thread: Thread
    problem: str | None = None


@dataclass(slots=True)
class Readiness:
    """Probes what the service runs on, with its own identity. Thread safe."""

    cloud: Cloud
    clock: Callable[[], float] = time.monotonic
    _lock: Lock = field(default_factory=Lock)
    _under_way: dict[str, _Look] = field(default_factory=dict)
    _known: Mapping[str, str] = field(default_factory=dict)
    _looked_at: float = -KEPT_SECONDS

    def problems(self) -> Mapping[str, str]:
        """Part -> what is wrong with it, empty where nothing is."""
        with self._lock:
            if self.clock() - self._looked_at >= KEPT_SECONDS:
                self._known = self._look()
                self._looked_at = self.clock()
            return self._known

    def _look(self) -> Mapping[str, str]:
        deadline = time.monotonic() + LONGEST_SECONDS
        # What has no answer yet is not asked again, so that threads never pile up.
        looks = {name: self._under_way[name] if name in self._under_way else self._start(name) for name in PROBES}
        for look in looks.values():
            look.thread.join(max(0.0, deadline - time.monotonic()))
        self._under_way = {name: look for name, look in looks.items() if look.problem is None}
        return {name: _words(look.problem) for name, look in looks.items()}

    def _start(self, name: str) -> _Look:
        def ask() -> None:
            look.problem = _asked(PROBES[name], self.cloud)

        look = _Look(Thread(target=ask, name=f"ready-{name}", daemon=True))
        look.thread.start()
        return look


def _asked(probe: Callable[[Cloud], object], cloud: Cloud) -> str:
    try:
        probe(cloud)
    except ExportError as error:
        return error.words
    except Exception as error:  # noqa: BLE001 - whatever it is, it is the answer; its text may hold addresses of storage
        status = getattr(error, "status_code", None)
        return f"{type(error).__name__}{f' (status {status})' if status else ''}"
    return ""


def _words(problem: str | None) -> str:
    return say("It does not answer.") if problem is None else problem
