"""What queue messages say: ids and a turn, never people or secrets."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1
_KEY = re.compile(r"[A-Za-z0-9-]{1,63}")
"""What this service's own names and ids are made of; they become keys of tables and names of blobs."""


@dataclass(frozen=True, slots=True)
class SliceMessage:
    """Carry out one slice of a delivery; dropped unless `turn` is the delivery's current one."""

    export: str
    run: str
    delivery: int
    turn: int

    def body(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": "slice", **asdict(self)}


@dataclass(frozen=True, slots=True)
class CountMessage:
    """Count the rows of a segment's newest snapshot, for the list of segments."""

    segment: str

    def body(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": "count", **asdict(self)}


@dataclass(frozen=True, slots=True)
class ProbeMessage:
    """Go on with the probe `mark` of a connection; dropped unless `turn` is its current one."""

    connection: str
    mark: str
    turn: int

    def body(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": "probe", **asdict(self)}


@dataclass(frozen=True, slots=True)
class VerifyMessage:
    """Look at the vendor whether a delivery is as the ledger says; dropped unless `turn` is the current one."""

    export: str
    run: str
    delivery: int
    turn: int

    def body(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": "verify", **asdict(self)}


@dataclass(frozen=True, slots=True)
class DoctorMessage:
    """Do the check-up `mark` of one of an export's targets, counted from 0; dropped unless it is the latest."""

    export: str
    target: int
    mark: str

    def body(self) -> dict[str, Any]:
        return {"version": VERSION, "kind": "doctor", **asdict(self)}


Message = SliceMessage | CountMessage | ProbeMessage | VerifyMessage | DoctorMessage


class BadMessage(ValueError):
    """Not a message of this service, or of a version that it does not know."""


_KINDS: dict[str, tuple[type[Message], dict[str, type]]] = {
    "slice": (SliceMessage, {"export": str, "run": str, "delivery": int, "turn": int}),
    "count": (CountMessage, {"segment": str}),
    "verify": (VerifyMessage, {"export": str, "run": str, "delivery": int, "turn": int}),
    "doctor": (DoctorMessage, {"export": str, "target": int, "mark": str}),
    "probe": (ProbeMessage, {"connection": str, "mark": str, "turn": int}),
}


def parse(text: str | bytes) -> Message:
    """Read a message. Raises BadMessage, whose text never quotes the message."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("The message is not JSON.") from None
    if not isinstance(body, dict) or body.pop("version", None) != VERSION:
        raise BadMessage(f"The message is not of version {VERSION}.")
    kind = body.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadMessage("The message is of an unknown kind.")
    made, fields = _KINDS[kind]
    if set(body) != set(fields) or any(type(body[name]) is not wanted for name, wanted in fields.items()):
        raise BadMessage(f"The message of kind {kind} must hold exactly {', '.join(fields)}.")
    if any(not _KEY.fullmatch(value) for name, value in body.items() if isinstance(value, str) and name != "segment"):
        raise BadMessage(f"The message of kind {kind} has a name that is none.")
    return made(**body)
