"""Queue messages that this service never wrote."""

from __future__ import annotations

import json
from typing import Any

GOOD: dict[str, Any] = {
    "version": 1,
    "kind": "slice",
    "export": "news",
    "run": "20260101-000000-000-0000",
    "delivery": 0,
    "turn": 1,
}


def changed(**changes: Any) -> bytes:
    return json.dumps(GOOD | changes).encode()


NOT_MESSAGES: dict[str, bytes] = {
    "nothing": b"",
    "text": b"hello",
    "bytes that are no text": b"\xff\xfe\x00",
    "a NUL byte": b"\0",
    "a number": b"1",
    "a list": b"[]",
    "null": b"null",
    "an empty object": b"{}",
    "half an object": changed()[:-5],
    "nested too deep": b"[" * 20_000,
    "60 KB of text": b"x" * 60_000,
    "a version to come": changed(version=2),
    "a version that is text": changed(version="1"),
    "no version": json.dumps({key: value for key, value in GOOD.items() if key != "version"}).encode(),
    "an unknown kind": changed(kind="drop"),
    "a kind that is a list": changed(kind=["slice"]),
    "a member less": json.dumps({key: value for key, value in GOOD.items() if key != "turn"}).encode(),
    "a turn that is text": changed(turn="1"),
    "a turn that is true": changed(turn=True),
    "a turn that is not a whole number": changed(turn=1.5),
    "an export that is a number": changed(export=7),
    "an export that is a path": changed(export="../../secret"),
    "an export that is a filter": changed(export="x' or PartitionKey ne '"),
    "an export with characters that keys cannot have": changed(export="a/b\\c#d?e\u0007"),
    "no names at all": changed(export="", run=""),
}

OF_NOTHING_KNOWN: dict[str, bytes] = {
    "a run that does not exist": changed(),
    "a member more": changed(list="everyone"),
    "an export that does not exist": changed(export="nobody"),
    "a delivery that does not exist": changed(delivery=99),
    "a negative delivery": changed(delivery=-1),
    "a negative turn": changed(turn=-1),
    "a turn larger than any": changed(turn=10**30),
    "a segment that does not exist": json.dumps({"version": 1, "kind": "count", "segment": "none/such"}).encode(),
    "a segment that climbs": json.dumps({"version": 1, "kind": "count", "segment": "../../x"}).encode(),
}
