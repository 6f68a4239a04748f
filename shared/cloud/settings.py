"""The app settings that the service reads, in one place. `infra/` sets each of them in Azure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import unquote, urlsplit

STATE_STORAGE = "AzureWebJobsStorage"
SEGMENT_STORAGE = "SegmentStorage"
SLICE_QUEUE = "export-slices"


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """How to reach one storage account: a connection string (one machine), or its endpoints by identity (Azure)."""

    connection_string: str | None = None
    blob: str = ""
    queue: str = ""
    table: str = ""
    client_id: str | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """A place where segments land: everything below `prefix` (may be empty) of `container`."""

    container: str
    prefix: str = ""
    columns: tuple[str, ...] = ()
    """Of CSV files that have no header; empty where they have one."""
    delimiter: str = ","
    """Of such files."""


@dataclass(frozen=True, slots=True)
class OAuthApp:
    """This deployment as it is registered at a vendor; `secret` names the Key Vault secret with its client secret."""

    client_id: str
    secret: str


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that a deployment configures. Times are seconds."""

    state_storage: StorageAddress
    segment_storage: StorageAddress
    segment_locations: tuple[Location, ...] = (Location("segments"),)
    segment_marks: tuple[str, ...] = ("_SUCCESS",)
    """Names of files that say that the folder they lie in is complete; `*` stands for anything."""
    settle_minutes: float = 10.0
    """Without such a file a folder is complete when nothing in it changed for so long."""
    key_vault_url: str = ""
    key_vault_certificate: Path | None = None
    """Certificate of the one-machine Key Vault stand-in; never set in Azure."""
    identity_client_id: str | None = None
    vendor_hosts: Mapping[str, str] = field(default_factory=dict)
    """Vendor's host name -> base URL used in its place; how simulators are reached."""
    oauth_apps: Mapping[str, OAuthApp] = field(default_factory=dict)
    """Vendor -> our registration there, for signing in at the vendor."""
    own_secrets: frozenset[str] = frozenset()
    """Names of the Key Vault secrets that are the app's own: no connection's credential is ever one of them."""
    slice_seconds: float = 240.0
    rows_per_file: int = 1_000_000
    job_seconds: float = 2.0
    """How soon a vendor's job is first asked after; then at twice the interval each time, up to a minute."""
    stale_seconds: float = 900.0
    """A delivery that has been silent for so long gets its message again; longer than a function may run."""
    verify_seconds: float = 0.0
    """A delivery is verified once the vendor's word is fresh, and after so long at the latest; 0: it is not."""
    artefact_days: int = 30
    event_days: int = 400
    """For so long it is known what happened to whom; 0: it is not written down."""
    event_addresses: bool = False
    """Events have people's addresses beside their hashes."""
    notify_url: str = ""
    """Where notifications are sent by POST; https, or this machine."""
    notify_secret: str = ""
    """Name of the secret in Key Vault that notifications are signed with."""
    public_url: str = ""
    """Address of the app as people call it, for links."""
    rejected_share: float = 0.1
    """From this share of refused people on, a run that ended is told of."""
    missed_minutes: float = 15.0
    """A due time is missed when it passed longer ago than this without a run."""
    memory_mb: int = 500
    """What DuckDB may use."""
    temporary_mb: int = 400

    def owns(self, secret: str) -> bool:
        """Whether a Key Vault secret is the app's own. Key Vault tells no capitals from small letters."""
        return secret.lower() in {name.lower() for name in self.own_secrets}


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Read the settings. Raises ValueError with the setting's name where one is missing or malformed."""
    state = _storage(environment, STATE_STORAGE)
    if state is None:
        raise ValueError(f"The app setting {STATE_STORAGE} is missing: name the storage account of the service.")
    certificate = environment.get("KEY_VAULT_STAND_IN_CERTIFICATE")
    return Settings(
        state_storage=state,
        segment_storage=_storage(environment, SEGMENT_STORAGE) or state,
        segment_locations=_locations(environment.get("SEGMENT_LOCATIONS", "segments")),
        segment_marks=_marks(environment.get("SEGMENT_MARKS", "_SUCCESS")),
        settle_minutes=_number(environment, "SEGMENT_SETTLE_MINUTES", 10.0),
        key_vault_url=environment.get("KEY_VAULT_URL", ""),
        key_vault_certificate=Path(certificate) if certificate else None,
        identity_client_id=environment.get("AZURE_CLIENT_ID"),
        vendor_hosts={host: url.rstrip("/") for host, url in _pairs(environment, "VENDOR_HOSTS").items()},
        oauth_apps=_apps(environment),
        own_secrets=_own_secrets(environment),
        slice_seconds=_number(environment, "SLICE_SECONDS", 240.0),
        rows_per_file=int(_number(environment, "ROWS_PER_FILE", 1_000_000)),
        job_seconds=_number(environment, "JOB_SECONDS", 2.0),
        stale_seconds=_number(environment, "STALE_SECONDS", 900.0),
        verify_seconds=_number(environment, "VERIFY_SECONDS", 300.0, or_zero=True),
        artefact_days=int(_number(environment, "ARTEFACT_DAYS", 30)),
        event_days=int(_number(environment, "EVENT_DAYS", 400, or_zero=True)),
        event_addresses=_event_addresses(environment),
        notify_url=_receiver(environment),
        notify_secret=environment.get("NOTIFY_SECRET", ""),
        public_url=_public_url(environment),
        rejected_share=_number(environment, "REJECTED_SHARE", 0.1),
        missed_minutes=_number(environment, "MISSED_MINUTES", 15.0),
        memory_mb=int(_number(environment, "DUCKDB_MEMORY_MB", 500)),
        temporary_mb=int(_number(environment, "DUCKDB_TEMPORARY_MB", 400)),
    )


def _storage(environment: Mapping[str, str], name: str) -> StorageAddress | None:
    if connection_string := environment.get(name):
        return StorageAddress(connection_string=connection_string)
    if account := environment.get(f"{name}__accountName"):
        endpoints = {kind: f"https://{account}.{kind}.core.windows.net" for kind in ("blob", "queue", "table")}
    else:
        endpoints = {kind: environment.get(f"{name}__{kind}ServiceUri", "") for kind in ("blob", "queue", "table")}
    if not endpoints["blob"]:
        return None
    return StorageAddress(client_id=environment.get(f"{name}__clientId"), **endpoints)


def _locations(text: str) -> tuple[Location, ...]:
    """`container/prefix, other?columns=EMail|City&delimiter=;` -> locations."""
    return tuple(_location(entry.strip()) for entry in text.split(",") if entry.strip())


def _location(entry: str) -> Location:
    place, _, options = entry.partition("?")
    container, _, prefix = place.strip("/").partition("/")
    given = {key: unquote(value) for key, _, value in (each.partition("=") for each in options.split("&") if each)}
    columns = tuple(given.pop("columns", "").split("|")) if "columns" in given else ()
    delimiter = given.pop("delimiter", ",")
    if given or "" in columns or len(set(columns)) < len(columns) or len(delimiter) != 1:
        raise ValueError(
            "The app setting SEGMENT_LOCATIONS is 'container/prefix, …', each perhaps with "
            "'?columns=EMail|City&delimiter=;' for files without a header; a comma is written %2C."
        )
    return Location(container, prefix, columns, delimiter)


def _marks(text: str) -> tuple[str, ...]:
    """`_SUCCESS, *.done` -> names."""
    marks = tuple(entry.strip() for entry in text.split(",") if entry.strip())
    if not marks or any("/" in mark or mark == "*" for mark in marks):
        raise ValueError("The app setting SEGMENT_MARKS must hold names of files, '_SUCCESS, *.done', without folders.")
    return marks


def _pairs(environment: Mapping[str, str], name: str) -> dict[str, str]:
    """`api.vendor.com=http://127.0.0.1:8001, …` -> mapping."""
    entries = [entry.strip().partition("=") for entry in environment.get(name, "").split(",") if entry.strip()]
    if bad := [key for key, sign, _ in entries if not sign]:
        raise ValueError(f"The app setting {name} has an entry without '=': {bad[0]}")
    return {key.strip(): value.strip() for key, _, value in entries}


def _apps(environment: Mapping[str, str]) -> dict[str, OAuthApp]:
    return {vendor: _app(text) for vendor, text in _pairs(environment, "OAUTH_APPS").items()}


def _own_secrets(environment: Mapping[str, str]) -> frozenset[str]:
    named = {"SIGN_IN_SECRET": "sign-in-secret", "SESSION_KEY_SECRET": "session-key", "NOTIFY_SECRET": ""}
    own = {environment.get(name, default) for name, default in named.items()}
    return frozenset(own | {app.secret for app in _apps(environment).values()})


def _app(text: str) -> OAuthApp:
    """`client id:name of the Key Vault secret`."""
    client_id, _, secret = (part.strip() for part in text.partition(":"))
    if not client_id or not secret:
        raise ValueError("The app setting OAUTH_APPS is 'vendor=client id:name of the Key Vault secret, …'.")
    return OAuthApp(client_id, secret)


def _public_url(environment: Mapping[str, str]) -> str:
    """PUBLIC_URL, else the name that the platform gave the app; empty on one machine."""
    platform = environment.get("WEBSITE_HOSTNAME", "")
    local = platform.partition(":")[0] in ("", "localhost", "127.0.0.1")
    return environment.get("PUBLIC_URL", "").rstrip("/") or ("" if local else f"https://{platform}")


def _receiver(environment: Mapping[str, str]) -> str:
    """Never quoted in an error: such an address often holds a secret."""
    url = environment.get("NOTIFY_URL", "")
    if not url:
        return ""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1"))
    if not safe or not parts.hostname or "@" in parts.netloc:
        raise ValueError("The app setting NOTIFY_URL must be an https:// address without a user name in it.")
    if not environment.get("NOTIFY_SECRET"):
        raise ValueError("NOTIFY_URL needs the app setting NOTIFY_SECRET: the name of the signing secret in Key Vault.")
    return url


def _event_addresses(environment: Mapping[str, str]) -> bool:
    text = environment.get("EVENT_ADDRESSES", "") or "hashed"
    if text not in ("hashed", "plain"):
        raise ValueError(f"The app setting EVENT_ADDRESSES must be 'hashed' or 'plain', not {text!r}.")
    return text == "plain"


def _number(environment: Mapping[str, str], name: str, default: float, *, or_zero: bool = False) -> float:
    text = environment.get(name, "")
    try:
        value = float(text) if text else default
    except ValueError:
        raise ValueError(f"The app setting {name} must be a number, not {text!r}.") from None
    if value < 0 or (value == 0 and not or_zero):
        raise ValueError(f"The app setting {name} must {'not be below' if or_zero else 'be above'} zero.")
    return value
