"""Everything of Azure that the service touches, behind one object: the seam that tests fail on purpose."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from shared.cloud.blobs import Blobs
from shared.cloud.queue import Queue
from shared.cloud.secrets import Secrets
from shared.cloud.settings import SLICE_QUEUE, Settings
from shared.cloud.tables import Table

if TYPE_CHECKING:
    from azure.storage.blob import BlobServiceClient


class Cloud:
    """Clients are made on first use and then shared by all threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        state = settings.state_storage
        self.blobs = Blobs(state)
        self.slices = Queue(state, SLICE_QUEUE)
        self.connections = Table(state, "connections")
        self.exports = Table(state, "exports")
        self.targets = Table(state, "targets")
        self.runs = Table(state, "runs")
        self.snapshots = Table(state, "snapshots")
        self.forgotten = Table(state, "forgotten")
        self.waiting = Table(state, "waiting")
        self.underway = Table(state, "underway")
        self.audit = Table(state, "audit")
        self.authorizations = Table(state, "authorizations")
        self.secrets = Secrets(settings)

    @cached_property
    def segments(self) -> BlobServiceClient:
        """The account that segments land in; only ever read."""
        from shared.cloud.storage import blob_client

        return blob_client(self.settings.segment_storage)
