"""As much of the cloud as credentials need: a Key Vault in memory, the table of sign-ins, and settings."""

from __future__ import annotations

from dataclasses import dataclass, field

from shared.cloud.settings import OAuthApp, Settings, StorageAddress
from shared.errors import UserMustAct
from tests.unit.catalog.tables import MemoryTable


@dataclass
class FakeVault:
    """`held` is what the vault has; `closed` makes it refuse every write."""

    held: dict[str, str] = field(default_factory=lambda: {"courier-app": "app+secret/="})
    closed: bool = False
    authorizations: MemoryTable = field(default_factory=MemoryTable)
    settings: Settings = field(
        default_factory=lambda: Settings(
            StorageAddress(),
            StorageAddress(),
            oauth_apps={"courier": OAuthApp("app-7", "courier-app")},
            own_secrets=frozenset({"courier-app"}),
            public_url="https://exports.example.com",
        )
    )

    @property
    def secrets(self) -> FakeVault:
        return self

    def get(self, name: str) -> str:
        return self.held[name]

    def put(self, name: str, value: str) -> None:
        if self.closed:
            raise UserMustAct("secret_not_writable", f"The app may not write the secret '{name}'.")
        self.held[name] = value
