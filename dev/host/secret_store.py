"""Secrets with versions and soft deletion, as Key Vault keeps them; in memory, or in a private file as well."""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, dataclass, field
from pathlib import Path

from dev.host.private_file import write_private


@dataclass(frozen=True)
class Version:
    """One version of a secret; `created` is in seconds since 1970."""

    value: str = field(repr=False)
    content_type: str | None = None
    tags: dict[str, str] = field(default_factory=dict)
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    created: int = field(default_factory=lambda: int(time.time()))


class DeletedButRecoverable(Exception):
    """The name belongs to a deleted secret: recover or purge it first."""


class SecretStore:
    """Secrets by name, each a list of versions, oldest first.

    Every method that takes a name raises KeyError where there is no such secret (or version).
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._live: dict[str, list[Version]] = {}
        self._deleted: dict[str, list[Version]] = {}
        if file and file.exists():
            kept = json.loads(file.read_text())
            self._live, self._deleted = (
                {name: [Version(**version) for version in versions] for name, versions in kept[part].items()}
                for part in ("live", "deleted")
            )

    def names(self) -> list[str]:
        """The names of all secrets that are not deleted."""
        return sorted(self._live)

    def versions(self, name: str) -> list[Version]:
        """All versions of a secret, oldest first."""
        return self._live[name]

    def get(self, name: str, version: str = "") -> Version:
        """One version of a secret, by default the newest."""
        if not version:
            return self._live[name][-1]
        return {kept.id: kept for kept in self._live[name]}[version]

    def set(self, name: str, version: Version) -> None:
        """Add a version. Raises DeletedButRecoverable."""
        if name in self._deleted:
            raise DeletedButRecoverable(name)
        self._live.setdefault(name, []).append(version)
        self._save()

    def deleted(self, name: str) -> Version:
        """The newest version of a deleted secret."""
        return self._deleted[name][-1]

    def delete(self, name: str) -> Version:
        """Delete a secret softly."""
        return self._move(name, self._live, self._deleted)

    def recover(self, name: str) -> Version:
        """Undo a deletion."""
        return self._move(name, self._deleted, self._live)

    def purge(self, name: str) -> None:
        """Forget a deleted secret for good."""
        del self._deleted[name]
        self._save()

    def _move(self, name: str, source: dict[str, list[Version]], target: dict[str, list[Version]]) -> Version:
        target[name] = source.pop(name)
        self._save()
        return target[name][-1]

    def _save(self) -> None:
        if self._file:
            parts = {"live": self._live, "deleted": self._deleted}
            write_private(
                self._file,
                json.dumps(
                    {
                        part: {name: [asdict(version) for version in versions] for name, versions in secrets.items()}
                        for part, secrets in parts.items()
                    }
                ),
            )
