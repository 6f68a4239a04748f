"""What all triggers of one process share; made on first use, so that loading the app stays quick."""

from __future__ import annotations

import gc
import os
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.access.visitors import Access
    from shared.cloud.cloud import Cloud
    from shared.control.service import Service

NEW_OBJECTS = 50_000
"""Between two searches for reference cycles. Rows are many and refer to nothing: looking through them as often as
Python does by itself took a seventh of a large run's processor time."""


@cache
def cloud() -> Cloud:
    """Azure, as the app settings describe it."""
    from shared.cloud.cloud import Cloud
    from shared.cloud.library_logs import hush
    from shared.cloud.scrubbing import guard_library_logs
    from shared.cloud.settings import from_environment
    from shared.cloud.telemetry import configure

    hush()
    guard_library_logs()
    configure(os.environ)
    gc.set_threshold(NEW_OBJECTS, 20, 20)
    return Cloud(from_environment(os.environ))


@cache
def access() -> Access:
    """Who may come in."""
    from shared.access.choosing import choose

    return choose(os.environ, cloud().secrets)


@cache
def service() -> Service:
    """The service over it."""
    from shared.control.service import Service

    return Service(cloud())
