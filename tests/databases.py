"""DuckDBs that are used again: to start one costs more processor time than most of what tests do with it.

Whoever asks for one gets a new connection to an instance that nobody else uses meanwhile. All that the service makes
there is temporary and goes with its connection, so nobody meets what another one left; settings are put back, and an
instance in which a table stayed is closed. `FAULTS=every` starts each anew, as the service does.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb
import pytest

from shared.cloud.settings import Settings
from shared.delivery.state import scratch
from shared.snapshots import reading

ANEW = reading._connection
"""What starts the databases of readers, whatever is kept."""

Starts = Callable[[], AbstractContextManager[duckdb.DuckDBPyConnection]]

CHANGED = ("async_threads", "disabled_optimizers", "partitioned_write_flush_threshold", "preserve_insertion_order")
"""Settings that the service changes on the way: `test_kept_databases` holds that these are all."""

Instance = tuple[duckdb.DuckDBPyConnection, tuple[object, ...]]
"""A database, and what `CHANGED` was when it started."""


class Kept:
    """Instances by their limits, each for one user at a time. Thread safe."""

    def __init__(self, started: ExitStack) -> None:
        self._started = started
        self._idle: defaultdict[object, list[Instance]] = defaultdict(list)

    @contextmanager
    def one(self, limits: object, start: Starts) -> Iterator[duckdb.DuckDBPyConnection]:
        instance, before = self._take(limits) or self._start(start)
        try:
            with instance.cursor() as connection:
                connection.execute("SET TimeZone = 'UTC'")
                yield connection
        finally:
            for name, value, now in zip(CHANGED, before, _settings(instance), strict=True):
                if value != now:
                    instance.execute(f"SET GLOBAL {name} = '{value}'")
            if instance.execute("SELECT 1 FROM duckdb_tables()").fetchall():
                instance.close()
            else:
                self._idle[limits].append((instance, before))

    def _start(self, start: Starts) -> Instance:
        instance = self._started.enter_context(start())
        return instance, _settings(instance)

    def _take(self, limits: object) -> Instance | None:
        try:
            return self._idle[limits].pop()
        except IndexError:
            return None


def _settings(instance: duckdb.DuckDBPyConnection) -> tuple[object, ...]:
    """To read all of them takes longer than most queries."""
    asked = ", ".join(f"current_setting('{name}')" for name in CHANGED)
    [found] = instance.execute(f"SELECT {asked}").fetchall()
    return found


@contextmanager
def kept() -> Iterator[None]:
    """The service's databases are used again in the block."""
    database, configuration, connection = scratch.database, scratch.configuration, reading._connection
    with pytest.MonkeyPatch.context() as patch, ExitStack() as started:
        where = Path(started.enter_context(TemporaryDirectory(prefix="databases-", ignore_cleanup_errors=True)))
        pool = Kept(started)

        def for_work(settings: Settings, _: Path) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
            limits = ("work", settings.memory_mb, settings.temporary_mb)
            return pool.one(limits, partial(database, settings, where))

        def for_reading(memory_mb: int, temporary_mb: int) -> AbstractContextManager[duckdb.DuckDBPyConnection]:
            limits = ("reading", memory_mb, temporary_mb)
            return pool.one(limits, partial(connection, memory_mb, temporary_mb))

        # Two threads that share a few rows cost more than one that has them.
        patch.setattr(scratch, "configuration", lambda *of: {**configuration(*of), "threads": "1"})
        patch.setattr(scratch, "database", for_work)
        patch.setattr(reading, "_connection", for_reading)
        yield
