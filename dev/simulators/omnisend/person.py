"""One contact, kept small."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson


def hexadecimal(number: int) -> str:
    """24 hexadecimal digits, as all of the vendor's ids are."""
    return f"{number:024x}"


class Channel(NamedTuple):
    """`changed` is epoch seconds."""

    status: str
    changed: float


NO_PHONES: Mapping[str, Channel] = {}


class Person:
    """A contact. `number` counts the brand's people; `created`, `updated` and `visible_from` are epoch seconds;
    `email_channel` is None without an address.

    Its fields are kept packed: a million people then fit in well under a gigabyte.
    """

    __slots__ = (
        "_first",
        "_packed",
        "consents",
        "created",
        "email",
        "email_channel",
        "number",
        "opt_ins",
        "phones",
        "tags",
        "updated",
        "visible_from",
    )

    def __init__(self, number: int, first: int, now: float, visible_from: float) -> None:
        self.number = number
        self._first = first
        self.created = self.updated = now
        self.visible_from = visible_from
        self.email = ""
        self.email_channel: Channel | None = None
        self.phones = NO_PHONES
        self.consents: tuple[dict[str, str], ...] = ()
        self.opt_ins: tuple[dict[str, str], ...] = ()
        self.tags: tuple[str, ...] = ()
        self._packed = b"{}"

    @property
    def id(self) -> str:
        return hexadecimal(self._first + self.number)

    @property
    def fields(self) -> dict[str, Any]:
        """A copy; give it back with `store`."""
        fields: dict[str, Any] = orjson.loads(self._packed)
        return fields

    def store(self, fields: Mapping[str, Any]) -> None:
        # orjson hands out bytes with four kilobytes of room behind them; a copy has none.
        self._packed = bytes(memoryview(orjson.dumps(fields)))
