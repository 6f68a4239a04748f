"""What the app needs around it on one machine: storage and a Key Vault, and the app settings that lead to them."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from dev.host.azurite import Azurite
from dev.host.key_vault import KeyVault


class LocalServices:
    """Azurite and the Key Vault stand-in; a context manager. `data` is a folder that keeps what they hold."""

    def __init__(self, data: Path | None = None) -> None:
        self.storage = Azurite(data / "storage" if data else None)
        self.key_vault = KeyVault(data / "key-vault.json" if data else None)

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            stack.enter_context(self.storage)
            stack.enter_context(self.key_vault)
            self._running = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._running.close()

    @property
    def connection_string(self) -> str:
        """The storage account's connection string."""
        return self.storage.connection_string

    def settings(self) -> dict[str, str]:
        """App settings that lead to these services."""
        return {
            "AzureWebJobsStorage": self.connection_string,
            "SegmentStorage": self.connection_string,
            "KEY_VAULT_URL": self.key_vault.url,
            "KEY_VAULT_STAND_IN_CERTIFICATE": str(self.key_vault.certificate),
            "VERIFY_SECONDS": "0.5",  # a simulator's counts are never stale
        }
