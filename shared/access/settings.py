"""Which way of knowing people a deployment has configured; without any, Azure stays closed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})

_IN_AZURE = ("WEBSITE_INSTANCE_ID", "WEBSITE_SITE_NAME", "WEBSITE_POD_NAME", "IDENTITY_ENDPOINT", "MSI_ENDPOINT")
_STORAGE_HOST = re.compile(r"(?:BlobEndpoint|TableEndpoint|QueueEndpoint)=https?://([^/:;]+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class SignInSettings:
    """`issuer` as Entra's tokens name it: `https://login.microsoftonline.com/<tenant id>/v2.0`.

    `origin` is `https://host` as people's browsers have it. `secret` and `session_key` are names of Key Vault secrets:
    the app registration's client secret, and what cookies are sealed with.
    """

    issuer: str
    client_id: str
    origin: str
    secret: str = "sign-in-secret"  # noqa: S105 - a name
    session_key: str = "session-key"
    certificate: Path | None = None
    """Certificate of the one-machine provider; never set in Azure."""
    proxies: int = 0
    """How many proxies of the organisation's own stand before Azure's front end."""

    @property
    def secure(self) -> bool:
        return self.origin.startswith("https://")


def from_environment(environment: Mapping[str, str]) -> SignInSettings | None:
    """None where sign-in is not configured. Raises ValueError where it is, but wrongly."""
    issuer, client = environment.get("SIGN_IN_ISSUER", ""), environment.get("SIGN_IN_CLIENT_ID", "")
    if not issuer and not client:
        return None
    host = environment.get("WEBSITE_HOSTNAME", "")
    certificate = environment.get("SIGN_IN_STAND_IN_CERTIFICATE")
    proxies = environment.get("TRUSTED_PROXIES") or "0"
    if not proxies.isdecimal():
        raise ValueError("The app setting TRUSTED_PROXIES must be a number of proxies, such as 0 or 1.")
    settings = SignInSettings(
        issuer=issuer.rstrip("/"),
        client_id=client,
        origin=(environment.get("PUBLIC_URL") or (f"https://{host}" if host else "")).rstrip("/"),
        secret=environment.get("SIGN_IN_SECRET") or "sign-in-secret",
        session_key=environment.get("SESSION_KEY_SECRET") or "session-key",
        certificate=Path(certificate) if certificate else None,
        proxies=int(proxies),
    )
    _check(settings)
    return settings


def _check(settings: SignInSettings) -> None:
    issuer, origin = urlsplit(settings.issuer), urlsplit(settings.origin)
    if not settings.client_id:
        raise ValueError("The app setting SIGN_IN_CLIENT_ID is missing: name the app registration.")
    if issuer.scheme != "https" or not issuer.hostname:
        raise ValueError("The app setting SIGN_IN_ISSUER must be an https address.")
    if not origin.hostname or origin.path or (origin.scheme != "https" and origin.hostname not in LOOPBACK):
        raise ValueError("The app setting PUBLIC_URL must be https://host, as people's browsers have it.")
    if settings.certificate and issuer.hostname not in LOOPBACK:
        raise ValueError("SIGN_IN_STAND_IN_CERTIFICATE is for a provider on this machine only.")


def on_one_machine(environment: Mapping[str, str]) -> bool:
    """Nothing says Azure, and the service's storage is the emulator on this machine."""
    if any(environment.get(name) for name in _IN_AZURE):
        return False
    storage = environment.get("AzureWebJobsStorage", "")
    hosts = _STORAGE_HOST.findall(storage)
    emulator = storage.strip().lower().rstrip(";") == "usedevelopmentstorage=true"
    return emulator or (bool(hosts) and all(host in LOOPBACK for host in hosts))
