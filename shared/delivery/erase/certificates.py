"""Certificates: that somebody was forgotten, when, at whose word, and what of it. No address is in them.

Who has the address can tell whether a certificate is about it: SHA-256 of the salt, a colon and the address in small
letters is its hash. Certificates are never deleted.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from itertools import chain, islice
from typing import Any

from shared.cloud.cloud import Cloud
from shared.cloud.tables import Entity, Stored
from shared.cloud.unreadable import readable, reading
from shared.delivery.state.records import run_key
from shared.delivery.state.runs import Runs
from shared.wording import Said, kept_within, read_within, say

PARTITION = "requests"
BEFORE = "people"
"""Partition of those who were forgotten by versions that did it within a request; the key of a row is its salt."""
_UNFINISHED = say("It did not come to its end: ask for it again.")


@dataclass(frozen=True, slots=True)
class Remains:
    """What was not erased: in which place (one of `places.PLACES`, "" for all), of what, why, and until when it stays,
    where that is known."""

    place: str
    what: str
    why: Said
    until: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """`looked` counts what was looked through by place, `erased` what held the person."""

    request: str
    salt: str
    hash: str
    asked_by: str
    asked_at: datetime
    ended_at: datetime | None = None
    looked: Mapping[str, int] = field(default_factory=dict)
    erased: Mapping[str, int] = field(default_factory=dict)
    remains: list[Remains] = field(default_factory=list)


def write(cloud: Cloud, made: Certificate) -> None:
    """Write it, or write it again."""
    cloud.forgotten.put(entity(made))


def entity(made: Certificate) -> Entity:
    """Its row."""
    plain = asdict(made)
    texts = {name: json.dumps(kept_within(plain[name])) for name in ("looked", "erased", "remains")}
    return {**plain, **texts, "PartitionKey": PARTITION, "RowKey": _key(made.request)}


def read(cloud: Cloud, request: str) -> Certificate | None:
    """The certificate of a request; None where it has not ended. Raises UnreadableRow."""
    stored = cloud.forgotten.get(PARTITION, _key(request)) or cloud.forgotten.get(BEFORE, request)
    return _of(stored) if stored else None


def newest(cloud: Cloud, most: int) -> list[Certificate]:
    """The newest certificates that can be read."""
    rows = cloud.forgotten.query(PARTITION, at_once=most)
    return list(islice(chain(readable(rows, _of), _oldest(cloud)), most))


def expires(cloud: Cloud, export: str, run: str) -> str:
    """When a run's files go by themselves, "" where nobody knows."""
    held = Runs(cloud.runs).run(export, run)
    ended = held.value.finished_at if held else None
    return (ended + timedelta(days=cloud.settings.artefact_days)).isoformat() if ended else ""


def _key(request: str) -> str:
    """The newest first."""
    return run_key(request).removeprefix("run:")


def _oldest(cloud: Cloud) -> Iterator[Certificate]:
    found = list(readable(cloud.forgotten.query(BEFORE), _of))
    yield from sorted(found, key=lambda each: each.asked_at, reverse=True)


def _of(stored: Stored) -> Certificate:
    row = stored.entity
    with reading("forgotten", row):
        return _of_before(row) if row["PartitionKey"] == BEFORE else _of_request(row)


def _of_request(row: Entity) -> Certificate:
    texts: dict[str, Any] = {name: read_within(json.loads(row[name])) for name in ("looked", "erased", "remains")}
    remains = [Remains(each["place"], each["what"], each["why"], each["until"]) for each in texts.pop("remains")]
    known = {name: row[name] for name in ("request", "salt", "hash", "asked_by", "asked_at", "ended_at")}
    return Certificate(**known, **texts, remains=remains)


def _of_before(row: Entity) -> Certificate:
    ended = row["state"] == "done"
    return Certificate(
        request=row["RowKey"],
        salt=row["RowKey"],
        hash=row["hash"],
        asked_by=row["by"],
        asked_at=row["at"],
        ended_at=row["at"] if ended else None,
        erased={name: row[name] for name in ("ledgers", "runs")} if ended else {},
        remains=[] if ended else [Remains("", "", _UNFINISHED)],
    )
