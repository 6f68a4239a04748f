"""Removing a connection with one decision for all of its exports: asks once, with numbers, and shows how far it is."""

from __future__ import annotations

import time
from enum import StrEnum
from typing import Any

from cli.api import path
from cli.check_ups import telling
from cli.desk import Desk
from cli.failures import Failure

_POLL_SECONDS = 5.0


class ForAll(StrEnum):
    """What becomes of all exports on a connection that is removed."""

    DETACH = "detach"
    REMOVE = "remove"
    WITHDRAW = "withdraw"


_MEANS: dict[ForAll, str] = {
    ForAll.DETACH: "They keep their definitions and do not run; people stay on the lists.",
    ForAll.REMOVE: "They are removed; people stay on the lists.",
    ForAll.WITHDRAW: "People are taken off the lists first, then the exports are removed.",
}


def agreed(desk: Desk, name: str, decision: ForAll, *, yes: bool) -> bool:
    """Ask a person, with the numbers."""
    found = desk.api.get(path("connections", name, "clear")).body
    numbers = f"{found['left']} exports use {name}; {found['people']} people whom they added are on lists."
    return desk.confirm(f"{numbers} {_MEANS[decision]} Remove the connection?", yes=yes)


def clear(desk: Desk, name: str, decision: ForAll, etag: str) -> None:
    """Carry the decision out until the connection is gone. Raises Failure where exports need somebody."""
    total = int(desk.api.get(path("connections", name, "clear")).body["left"])
    with telling(desk.notes) as tell:
        while True:
            found = _step(desk, name, decision, etag)
            if found["removed"]:
                return
            if found["left"] <= len(found["refused"]):
                raise _refused(name, found["refused"])
            waits = f", {found['withdrawing']} take people off ({found['people']} left)" if found["withdrawing"] else ""
            tell(f"{total - found['left']} of {total} exports done{waits}")
            time.sleep(_POLL_SECONDS if found["withdrawing"] else 0)


def _step(desk: Desk, name: str, decision: ForAll, etag: str) -> dict[str, Any]:
    where = path("connections", name, "clear")
    body: dict[str, Any] = desk.api.send("POST", where, {"exports": decision}, headers={"If-Match": etag}).body
    return body


def _refused(name: str, refused: list[dict[str, str]]) -> Failure:
    errors = [{"pointer": each["export"], "message": each["message"]} for each in refused]
    message = f"The connection {name} stays: {len(refused)} of its exports need somebody. Then run the same again."
    return Failure("exports_refused", message, errors=errors)
