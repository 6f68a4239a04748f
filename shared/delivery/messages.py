"""What queue messages say: ids and a turn, never people or secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import Any

VERSION = 1


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


class BadMessage(ValueError):
    """Not a message of this service, or of a version that it does not know."""


_KINDS: dict[str, tuple[type[SliceMessage] | type[CountMessage], dict[str, type]]] = {
    "slice": (SliceMessage, {"export": str, "run": str, "delivery": int, "turn": int}),
    "count": (CountMessage, {"segment": str}),
}


def parse(text: str | bytes) -> SliceMessage | CountMessage:
    """Read a message. Raises BadMessage, whose text never quotes the message."""
    try:
        body = json.loads(text)
    except ValueError:
        raise BadMessage("The message is not JSON.") from None
    if not isinstance(body, dict) or body.pop("version", None) != VERSION:
        raise BadMessage(f"The message is not of version {VERSION}.")
    kind = body.pop("kind", None)
    if not isinstance(kind, str) or kind not in _KINDS:
        raise BadMessage("The message is of an unknown kind.")
    made, fields = _KINDS[kind]
    if set(body) != set(fields) or any(type(body[name]) is not wanted for name, wanted in fields.items()):
        raise BadMessage(f"The message of kind {kind} must hold exactly {', '.join(fields)}.")
    return made(**body)
