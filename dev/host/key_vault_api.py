"""Key Vault's operations on secrets as a table: request -> answer, in Key Vault's own JSON."""

from __future__ import annotations

import re
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, NamedTuple

from dev.host.secret_store import DeletedButRecoverable, SecretStore, Version

_CHALLENGE = (
    'Bearer authorization="https://login.microsoftonline.com/11111111-1111-1111-1111-111111111111", '
    'resource="https://vault.azure.net"'
)


class Answer(NamedTuple):
    """Status, JSON body and further headers of an answer."""

    status: int
    body: dict[str, Any] | None
    headers: dict[str, str] = {}  # noqa: RUF012 - never changed


def _refusal(status: HTTPStatus, code: str, message: str, **headers: str) -> Answer:
    renamed = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"error": {"code": code, "message": message}}, renamed)


FORBIDDEN = _refusal(HTTPStatus.FORBIDDEN, "Forbidden", "Caller is not authorized to perform action on resource.")
THROTTLED = _refusal(HTTPStatus.TOO_MANY_REQUESTS, "Throttled", "Too many requests.", Retry_After="1")
_CONFLICT = _refusal(HTTPStatus.CONFLICT, "Conflict", "The secret is in a deleted but recoverable state.")
_NOT_FOUND = _refusal(
    HTTPStatus.NOT_FOUND, "SecretNotFound", "A secret with this name was not found in this key vault."
)
_BAD_REQUEST = _refusal(HTTPStatus.BAD_REQUEST, "BadParameter", "Not an operation on secrets.")
UNAUTHORIZED = _refusal(
    HTTPStatus.UNAUTHORIZED, "Unauthorized", "AKV10000: no Bearer token.", WWW_Authenticate=_CHALLENGE
)


def answer(store: SecretStore, base: str, method: str, path: str, body: dict[str, Any]) -> Answer:
    """Carry out one request on `store`; `base` is the vault's URL, `path` has no query."""
    for allowed, pattern, operation in _OPERATIONS:
        if method == allowed and (found := pattern.fullmatch(path)):
            try:
                return Answer(*operation(store, base, body, **found.groupdict(default="")))
            except KeyError:
                return _NOT_FOUND
            except DeletedButRecoverable:
                return _CONFLICT
    return _BAD_REQUEST


Operation = Callable[..., tuple[int, dict[str, Any] | None]]


def _properties(base: str, name: str, version: Version) -> dict[str, Any]:
    attributes = {
        "enabled": True,
        "created": version.created,
        "updated": version.created,
        "recoveryLevel": "Recoverable+Purgeable",
    }
    content = {"contentType": version.content_type} if version.content_type else {}
    return {
        "id": f"{base}/secrets/{name}/{version.id}",
        "attributes": attributes,
        "tags": version.tags,
        **content,
    }


def _secret(base: str, name: str, version: Version) -> dict[str, Any]:
    return {"value": version.value, **_properties(base, name, version)}


def _deleted(base: str, name: str, version: Version) -> dict[str, Any]:
    return {"recoveryId": f"{base}/deletedsecrets/{name}", **_properties(base, name, version)}


def _list(store: SecretStore, base: str, _: dict[str, Any]) -> tuple[int, dict[str, Any]]:
    newest = {name: _properties(base, name, store.get(name)) for name in store.names()}
    for name, properties in newest.items():
        properties["id"] = f"{base}/secrets/{name}"
    return 200, {"value": list(newest.values()), "nextLink": None}


def _list_versions(store: SecretStore, base: str, _: dict[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    # Key Vault lists no versions of a secret that it does not have, rather than answer 404.
    versions = store.versions(name) if name in store.names() else []
    return 200, {"value": [_properties(base, name, version) for version in versions], "nextLink": None}


def _get(store: SecretStore, base: str, _: dict[str, Any], name: str, version: str) -> tuple[int, dict[str, Any]]:
    return 200, _secret(base, name, store.get(name, version))


def _set(store: SecretStore, base: str, body: dict[str, Any], name: str) -> tuple[int, dict[str, Any] | None]:
    if not isinstance(body.get("value"), str):
        return _BAD_REQUEST.status, _BAD_REQUEST.body
    store.set(name, Version(body["value"], body.get("contentType"), body.get("tags") or {}))
    return 200, _secret(base, name, store.get(name))


def _delete(store: SecretStore, base: str, _: dict[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    return 200, _deleted(base, name, store.delete(name))


def _get_deleted(store: SecretStore, base: str, _: dict[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    return 200, _deleted(base, name, store.deleted(name))


def _recover(store: SecretStore, base: str, _: dict[str, Any], name: str) -> tuple[int, dict[str, Any]]:
    return 200, _properties(base, name, store.recover(name))


def _purge(store: SecretStore, _base: str, _: dict[str, Any], name: str) -> tuple[int, None]:
    store.purge(name)
    return 204, None


_NAME = r"(?P<name>[0-9A-Za-z-]{1,127})"
_OPERATIONS: list[tuple[str, re.Pattern[str], Operation]] = [
    ("GET", re.compile(r"/secrets/?"), _list),
    ("GET", re.compile(rf"/secrets/{_NAME}/versions"), _list_versions),
    ("GET", re.compile(rf"/secrets/{_NAME}/?(?P<version>[0-9a-f]*)"), _get),
    ("PUT", re.compile(rf"/secrets/{_NAME}/?"), _set),
    ("DELETE", re.compile(rf"/secrets/{_NAME}/?"), _delete),
    ("GET", re.compile(rf"/deletedsecrets/{_NAME}/?"), _get_deleted),
    ("POST", re.compile(rf"/deletedsecrets/{_NAME}/recover"), _recover),
    ("DELETE", re.compile(rf"/deletedsecrets/{_NAME}/?"), _purge),
]
