"""Who owns a target: one row per (account, list id or name), claimed by a conditional write.

A row outlives its claim: `memory`, which delivery writes, says what is known of the target (its list id and name,
whether we made it, its ledger's folder), so that the next owner goes on with the people whom we added.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Self

from shared.catalog.models import Target
from shared.cloud.tables import Rows
from shared.cloud.unreadable import readable, reading
from shared.errors import Conflict, ExportError

_PLAIN = frozenset(" .,:_-()")
_LONGEST = 200
_ATTEMPTS = 5


class Owned(ExportError):
    """The target is not the export's: `export` owns it, or nobody ("")."""

    def __init__(self, export: str) -> None:
        super().__init__(f'the target belongs to the export "{export}"' if export else "nobody owns the target")
        self.export = export


def target_name(target: Target) -> str:
    """Name of the list that is wanted: its own, or that of the first segment (`container/folder:Name`)."""
    return target.list_name or re.split("[/:]", target.segments[0])[-1]


def target_key(target: Target) -> str:
    """Identity of a target within its account, as a table key: `id:<list id>` or `name:<list name>`."""
    return _key("id", target.list_id) if target.list_id else _key("name", target_name(target))


def _key(kind: str, text: str) -> str:
    return f"{kind}:{table_key(text)}"


def table_key(text: str) -> str:
    """Escape what a table key may not hold (and whatever is unusual); hash the end of what is long.
    Different texts have different keys."""
    escaped = "".join(c if c.isalnum() or c in _PLAIN else f"~{ord(c):x}~" for c in text)
    if len(escaped) <= _LONGEST:
        return escaped
    return f"{escaped[:100]}~~{hashlib.sha256(text.encode()).hexdigest()}"


@dataclass(frozen=True, slots=True)
class Claim:
    """A target's row as it was read. `export` is its owner, "" when it is free; `fresh` was not its before."""

    account: str
    key: str
    export: str
    touched_at: datetime
    memory: Mapping[str, Any]
    etag: str = ""
    fresh: bool = False

    def covers(self, key: str) -> bool:
        """Is this the target with that key, also under its other name? A list made by name has an id since."""
        return key == self.key or key in {_key(kind, text) for kind, text in _names(self).items() if text}

    def entity(self) -> dict[str, Any]:
        return {
            "PartitionKey": table_key(self.account),
            "RowKey": self.key,
            "account": self.account,
            "export": self.export,
            "touched_at": self.touched_at,
            "memory": json.dumps(self.memory, separators=(",", ":")),
        }

    @classmethod
    def of(cls, entity: Mapping[str, Any], etag: str) -> Self:
        """Raises UnreadableRow."""
        with reading("targets", entity):
            if table_key(entity["account"]) != entity["PartitionKey"]:
                raise ValueError("it was copied from another account's")
            return cls(
                account=entity["account"],
                key=entity["RowKey"],
                export=entity["export"],
                touched_at=entity["touched_at"],
                memory=dict(json.loads(entity["memory"])),
                etag=etag,
            )


class TargetStore:
    """The table `targets`."""

    def __init__(self, table: Rows) -> None:
        self._table = table

    def claims(self, account: str) -> list[Claim]:
        """All rows of an account that can be read, free ones too."""
        return list(readable(self._table.query(table_key(account)), lambda each: Claim.of(each.entity, each.etag)))

    def owner(self, account: str, key: str) -> Claim | None:
        """The target's row, or None where nobody ever claimed it. Raises UnreadableRow."""
        stored = self._table.get(table_key(account), key)
        return None if stored is None else Claim.of(stored.entity, stored.etag)

    def claim(self, account: str, key: str, export: str, at: datetime) -> Claim:
        """Make the target the export's, or refresh its claim. Raises Owned where it is another export's."""
        mine = self._claim_row(account, key, export, at)
        # Written first and compared then: of two who claim one list under two names, at least one sees the other.
        for other in self.claims(account):
            if other.export not in ("", export) and _same_list(other, mine):
                if mine.fresh:
                    self.release(mine, at)
                raise Owned(other.export)
        return mine

    def release(self, claim: Claim, at: datetime) -> bool:
        """Free the target and keep what is known of it; False (and nothing done) where it changed since `claim`."""
        try:
            self._write(replace(claim, export="", touched_at=at))
        except Conflict:
            return False
        return True

    def remember(
        self,
        account: str,
        key: str,
        export: str,
        facts: Mapping[str, Any],
        at: datetime,
        *,
        still: Callable[[], None] = lambda: None,
        known: Claim | None = None,
    ) -> Claim:
        """Add what delivery learned of its target; `list_id` and `list_name` in it guard the target's other names.

        `known` is the row as it was read before, which saves a look. `still` is called before each write, and raises
        where the caller must not write any more.
        Raises Owned where the target is not the export's, or another claim is on the same list.
        """
        for attempt in range(_ATTEMPTS):
            row = known if known and not attempt else self.owner(account, key)
            if row is None or row.export != export:
                raise Owned(row.export if row else "")
            still()
            try:
                kept = self._write(replace(row, memory={**row.memory, **facts}, touched_at=at))
            except Conflict:
                continue
            # Whoever claims a list looks for others on it, so a name that was there before has been compared.
            for other in self.claims(account) if _names(kept) != _names(row) else ():
                if other.export and other.key != key and _same_list(other, kept):
                    raise Owned(other.export)
            return kept
        raise Conflict("the target's row keeps changing")

    def _claim_row(self, account: str, key: str, export: str, at: datetime) -> Claim:
        for _ in range(_ATTEMPTS):
            row = self.owner(account, key)
            if row and row.export not in ("", export):
                raise Owned(row.export)
            memory = self._inherited(account, key, export)
            fresh = row is None or row.export != export
            wanted = Claim(account, key, export, at, memory, row.etag if row else "", fresh)
            try:
                return self._write(wanted)
            except Conflict:
                continue
        raise Conflict("the target's row keeps changing")

    def _inherited(self, account: str, key: str, export: str) -> Mapping[str, Any]:
        """What is known of the target, perhaps under its other name: the latest word on it."""
        known = [c for c in self.claims(account) if c.export in ("", export) and c.memory and c.covers(key)]
        return max(known, key=lambda claim: claim.touched_at).memory if known else {}

    def _write(self, claim: Claim) -> Claim:
        entity = claim.entity()
        etag = self._table.replace(entity, claim.etag) if claim.etag else self._table.insert(entity)
        return replace(claim, etag=etag)


def _names(claim: Claim) -> Mapping[str, Any]:
    """What the target is called at the vendor, as far as it is known."""
    return {"id": claim.memory.get("list_id"), "name": claim.memory.get("list_name")}


def rival(claims: list[Claim], key: str, export: str) -> Claim | None:
    """Another export's claim on the target, under whichever name."""
    return next((c for c in claims if c.export not in ("", export) and c.covers(key)), None)


def _same_list(one: Claim, other: Claim) -> bool:
    ids = {claim.memory.get("list_id") or claim.key for claim in (one, other)}
    return len(ids) == 1 or one.covers(other.key) or other.covers(one.key)
