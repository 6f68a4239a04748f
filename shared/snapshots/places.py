"""Where a partition of a model.json or a manifest lies: its location -> names of blobs in the same container. Pure."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from shared.snapshots.model_json import BadModel
from shared.wording import say


class Outside(BadModel):
    """The location is not in the storage account and container of its model.json."""


@dataclass(frozen=True, slots=True)
class Place:
    """Names that the blob may have, best first; and which blob snapshot is meant, if one is pinned."""

    names: tuple[str, ...]
    blob_snapshot: str | None = None


def place(location: str, *, account_url: str, container: str, folder: str) -> Place:
    """Find out what a location means.

    Absolute ones are compared with the account (its `blob` and `dfs` hosts are one account); relative ones are
    taken from the model.json's folder, then from the container. Any query but `snapshot` (a signature) is ignored.
    Raises Outside, or another BadModel where it is no URL at all.
    """
    try:
        query = parse_qs(urlsplit(location).query)
    except ValueError:
        raise BadModel(say("a file's location is no address")) from None
    blob_snapshot = query.get("snapshot", [None])[0]
    if "://" in location:
        return Place((_absolute(location, account_url, container),), blob_snapshot)
    path = location.partition("?")[0].replace("\\", "/").lstrip("/")
    spellings = dict.fromkeys((unquote(path), path))
    names = [posixpath.normpath(posixpath.join(base, name)) for base in (folder, "") for name in spellings]
    inside = tuple(dict.fromkeys(name for name in names if not name.startswith("..")))
    if not inside:
        raise Outside(say("a file's location leads out of the container"))
    return Place(inside, blob_snapshot)


def _absolute(location: str, account_url: str, container: str) -> str:
    there, account = urlsplit(location), urlsplit(account_url)
    root = f"{account.path.rstrip('/')}/{container}/"
    path = unquote(there.path)
    if _host(there) != _host(account) or not path.startswith(root) or "/../" in path:
        raise Outside(say("a file's location is in another storage account or container"))
    return path.removeprefix(root)


def _host(url: SplitResult) -> tuple[str, int | None]:
    host = (url.hostname or "").replace(".dfs.", ".blob.", 1)
    return host, None if url.port in (80, 443) else url.port
