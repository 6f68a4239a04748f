"""The app behind sign-in, with a real provider on the loopback address and a vault in memory."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from dev.identity import IdentityProvider
from shared.access.settings import SignInSettings
from shared.access.signing_in import SigningIn
from shared.app import create_app
from shared.errors import RetryAfter, UserMustAct
from tests.unit.access.browser import Browser
from tests.unit.api.asgi import Client
from tests.unit.api.service import FakeService

ORIGIN = "https://exports.example"


@dataclass
class MemoryVault:
    """Implements shared.access.sealing.Vault; `gets` counts what was asked."""

    secrets: dict[str, str] = field(default_factory=dict)
    gets: list[str] = field(default_factory=list)
    down: bool = False

    def get(self, name: str, *, fresh: bool = False) -> str:
        self.gets.append(name)
        if self.down:
            raise RetryAfter(30, "Key Vault does not answer.")
        if name not in self.secrets:
            raise UserMustAct("secret_missing", f"Key Vault has no secret named '{name}'.")
        return self.secrets[name]

    def put(self, name: str, value: str) -> None:
        self.secrets[name] = value


@pytest.fixture(scope="module")
def identity() -> Iterator[IdentityProvider]:
    with IdentityProvider() as running:
        running.settings(ORIGIN)
        yield running


@pytest.fixture
def vault(identity: IdentityProvider) -> MemoryVault:
    return MemoryVault({"sign-in-secret": identity.registration.client_secret, "session-key": "s" * 40})


@pytest.fixture
def settings(identity: IdentityProvider) -> SignInSettings:
    return SignInSettings(identity.issuer, identity.registration.client_id, ORIGIN, certificate=identity.certificate)


@pytest.fixture
def access(settings: SignInSettings, vault: MemoryVault) -> SigningIn:
    return SigningIn(settings, vault)


@pytest.fixture
def service() -> FakeService:
    made = FakeService()
    made.world.connect()
    return made


@pytest.fixture
def browser(service: FakeService, access: SigningIn, identity: IdentityProvider) -> Browser:
    return Browser(Client(create_app(service, access)), identity)


@pytest.fixture
def other_instance(service: FakeService, settings: SignInSettings, vault: MemoryVault) -> Client:
    """A second instance of the app: the same vault, and no memory in common."""
    return Client(create_app(service, SigningIn(settings, vault)))
