"""Azure clients from settings: by connection string on one machine, by managed identity in Azure.

Azure libraries are imported where they are used, so that loading the app stays quick.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from shared.cloud.settings import StorageAddress

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential
    from azure.data.tables import TableServiceClient
    from azure.storage.blob import BlobServiceClient
    from azure.storage.queue import QueueClient

TIMEOUTS: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 60}
"""Seconds, for every call to storage."""


def blob_client(address: StorageAddress) -> BlobServiceClient:
    from azure.storage.blob import BlobServiceClient

    options = {**TIMEOUTS, "max_block_size": 4 << 20, "max_single_put_size": 4 << 20}
    if address.connection_string:
        return BlobServiceClient.from_connection_string(address.connection_string, **options)
    return BlobServiceClient(address.blob, credential=identity(address.client_id), **options)


def queue_client(address: StorageAddress, queue: str) -> QueueClient:
    from azure.storage.queue import QueueClient, TextBase64EncodePolicy

    options = {**TIMEOUTS, "message_encode_policy": TextBase64EncodePolicy()}
    if address.connection_string:
        return QueueClient.from_connection_string(address.connection_string, queue, **options)
    return QueueClient(address.queue, queue, credential=identity(address.client_id), **options)


def table_client(address: StorageAddress) -> TableServiceClient:
    from azure.data.tables import TableServiceClient

    if address.connection_string:
        return TableServiceClient.from_connection_string(address.connection_string, **TIMEOUTS)
    return TableServiceClient(address.table, credential=identity(address.client_id), **TIMEOUTS)


def identity(client_id: str | None) -> TokenCredential:
    """The app's managed identity in Azure; elsewhere whoever is signed in with the az CLI."""
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(managed_identity_client_id=client_id)
