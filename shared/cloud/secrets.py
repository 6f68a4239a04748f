"""Secrets in Key Vault, kept in memory for minutes and nowhere else."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from shared.cloud.outage import Outage
from shared.cloud.settings import Settings
from shared.errors import RetryAfter, UserMustAct
from shared.wording import Message, say

if TYPE_CHECKING:
    from azure.keyvault.secrets import SecretClient

KEPT_SECONDS = 300.0

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Known:
    """What is known of one secret. Whoever asks Key Vault for it holds its lock, and nobody else's."""

    outage: Outage
    lock: Lock = field(default_factory=Lock)
    value: str = field(default="", repr=False)
    fetched: float = float("-inf")


class Secrets:
    """Secrets by name. A value is fetched again after five minutes, or at once with `fresh`.

    While Key Vault does not answer, a value that was good is used, and the log says so.
    """

    def __init__(self, settings: Settings, clock: Callable[[], float] = time.monotonic) -> None:
        self._settings = settings
        self._clock = clock
        self._known: dict[str, _Known] = {}
        self._lock = Lock()

    @cached_property
    def _client(self) -> SecretClient:
        from azure.keyvault.secrets import SecretClient

        settings = self._settings
        if not settings.key_vault_url:
            raise UserMustAct("key_vault_missing", say("The app setting KEY_VAULT_URL is missing: name the Key Vault."))
        options: dict[str, Any] = {"connection_timeout": 10, "read_timeout": 30, "retry_total": 2}
        if settings.key_vault_certificate:
            # One machine only: the stand-in cannot have the address that Azure's challenge names.
            options |= {
                "verify_challenge_resource": False,
                "connection_verify": str(settings.key_vault_certificate),
            }
            return SecretClient(settings.key_vault_url, _StandInCredential(settings.key_vault_url), **options)
        from shared.cloud.storage import identity

        return SecretClient(settings.key_vault_url, identity(settings.identity_client_id), **options)

    def get(self, name: str, *, fresh: bool = False) -> str:
        """The newest value of a secret. Raises UserMustAct where it is missing or forbidden, RetryAfter otherwise."""
        known = self._of(name)
        with known.lock:
            if not fresh and self._clock() - known.fetched < KEPT_SECONDS:
                return known.value
            try:
                with known.outage.remembered():
                    known.value, known.fetched = self._fetch(name), self._clock()
            except RetryAfter as error:
                if fresh or not known.value:
                    raise
                log.warning("An older value of the secret '%s' is used: %s", name, error.reason)
            return known.value

    def _of(self, name: str) -> _Known:
        with self._lock:
            return self._known.setdefault(name, _Known(Outage(self._clock)))

    def put(self, name: str, value: str) -> None:
        """Make `value` the newest version of a secret, here at once and elsewhere within five minutes.

        Raises UserMustAct where that is forbidden or the name is taken, RetryAfter otherwise.
        """
        known = self._of(name)
        with known.lock:
            with _errors(name, _NOT_WRITTEN):
                self._client.set_secret(name, value)
            known.value, known.fetched = value, self._clock()
            known.outage.over()

    def _fetch(self, name: str) -> str:
        with _errors(name, _NOT_READ):
            value = self._client.get_secret(name).value
        if not value:
            raise UserMustAct(
                "secret_empty", say("The secret '%(name)s' in Key Vault is empty: set its value.", name=name)
            )
        return value


_NOT_READ = {
    404: ("secret_missing", say("Key Vault has no secret named '%(name)s': create it, or correct its name.")),
    403: (
        "secret_forbidden",
        say(
            "The app may not read the secret '%(name)s': give its identity the role Key Vault Secrets User, and check "
            "that the secret is enabled and the vault's firewall lets the app in."
        ),
    ),
}
_NOT_WRITTEN = {
    403: (
        "secret_not_writable",
        say(
            "The app may not write the secret '%(name)s': give its identity the role Key Vault Secrets Officer, and "
            "check that the vault's firewall lets the app in."
        ),
    ),
    409: (
        "secret_deleted",
        say("Key Vault has a deleted secret named '%(name)s': recover or purge it there, or choose another name."),
    ),
}
"""Status -> our code and words."""


@contextmanager
def _errors(name: str, known: Mapping[int, tuple[str, Message]]) -> Iterator[None]:
    """Key Vault's errors as ours; none of them holds a value."""
    from azure.core.exceptions import AzureError, ClientAuthenticationError, HttpResponseError

    try:
        yield
    except ClientAuthenticationError:
        raise UserMustAct(
            "key_vault_sign_in", say("The app cannot sign in to Key Vault: check its managed identity.")
        ) from None
    except HttpResponseError as error:
        if found := known.get(error.status_code or 0):
            raise UserMustAct(found[0], found[1].filled(name=name)) from None
        raise RetryAfter(30, say("Key Vault answered with status %(status)s.", status=str(error.status_code))) from None
    except AzureError as error:
        raise RetryAfter(30, say("Key Vault does not answer (%(error)s).", error=type(error).__name__)) from None


class _StandInCredential:
    """Token for the one-machine Key Vault stand-in; useless anywhere else, and refused for any other host."""

    def __init__(self, url: str) -> None:
        from urllib.parse import urlsplit

        if urlsplit(url).hostname not in ("localhost", "127.0.0.1"):
            raise ValueError("KEY_VAULT_STAND_IN_CERTIFICATE is for a vault on this machine only.")

    def get_token(self, *scopes: str, **_: Any) -> Any:
        from azure.core.credentials import AccessToken

        return AccessToken("stand-in", int(time.time()) + 3600)
