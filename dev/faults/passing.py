"""Let time pass for the leases of accounts, as an hour would, without waiting for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import orjson
from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.storage.blob import BlobLeaseClient, ContainerClient

HOUR = 3600.0
_MOMENTS = frozenset({"renewed_at", "called_at", "times", "until", "slowed", "quiet"})
"""What tells a time, anywhere in the body of a lease."""


def pass_time(container: ContainerClient, seconds: float = HOUR) -> None:
    """End every lease that was not renewed, and set the times that their bodies tell back by so many seconds."""
    for name in list(container.list_blob_names(name_starts_with="leases/")):
        if name.endswith(".json"):
            let_go(container, name, seconds)


def let_go(container: ContainerClient, name: str, seconds: float = HOUR) -> None:
    """The same for one account's lease, if there is one."""
    blob = container.get_blob_client(name)
    with suppress(HttpResponseError):  # nobody holds it
        BlobLeaseClient(blob).break_lease(lease_break_period=0)
    with suppress(ResourceNotFoundError):
        body = orjson.loads(blob.download_blob().readall())
        blob.upload_blob(orjson.dumps(_earlier(body, seconds)), overwrite=True)


def _earlier(told: Any, seconds: float, *, moment: bool = False) -> Any:
    if isinstance(told, dict):
        return {name: _earlier(value, seconds, moment=name in _MOMENTS) for name, value in told.items()}
    if isinstance(told, list):
        return [_earlier(value, seconds, moment=moment) for value in told]
    return told - seconds if moment and isinstance(told, int | float) else told
