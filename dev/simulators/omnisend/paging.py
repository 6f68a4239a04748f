"""Reading page by page with cursors (contract section 5). A cursor knows its sorting and filters, and holds to them."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, ValidationError

from dev.simulators.omnisend.bodies import refuse

T = TypeVar("T")
Place = tuple[float | str, int]  # the value that sorts, and the number that settles a tie


class _Cursor(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    value: float | str
    number: int
    order: str


class Order(Generic[T]):
    """Everything that the items of a walk are chosen and sorted by; filters that change are another order."""

    def __init__(self, place: Callable[[T], Place], descending: bool, filters: Mapping[str, Any]) -> None:
        self.place = place
        self.descending = descending
        # A digest, since the filters may hold an address.
        self.name = hashlib.sha256(orjson.dumps([dict(filters), descending], option=orjson.OPT_SORT_KEYS)).hexdigest()

    def sorted(self, items: Sequence[T]) -> list[T]:
        """Always upwards; `page` turns it round."""
        return sorted(items, key=self.place)


class Page(NamedTuple, Generic[T]):
    items: list[T]
    paging: dict[str, Any]


def page(items: Sequence[T], order: Order[T], limit: int, after: str | None, before: str | None) -> Page[T]:
    """A page of what `order` has sorted. Raises `Refusal` (400) for a cursor that is none, or of another order."""
    if after and before:
        raise refuse("before", "invalid_value", "after and before cannot be used together")
    backwards = before is not None
    upwards = order.descending == backwards
    low, high = 0, len(items)
    if cursor := after or before:
        place = _place(cursor, order, "after" if after else "before")
        if upwards:
            low = bisect_right(items, place, key=order.place)
        else:
            high = bisect_left(items, place, key=order.place)
    low, high = (low, min(high, low + limit)) if upwards else (max(low, high - limit), high)
    shown = list(items[low:high])
    if order.descending:
        shown.reverse()
    earlier, later = low > 0, high < len(items)
    has_before, has_after = (later, earlier) if order.descending else (earlier, later)
    cursors = {
        "after": _written(shown[-1], order) if shown and has_after else None,
        "before": _written(shown[0], order) if shown and has_before else None,
    }
    return Page(shown, {"limit": limit, "hasMore": has_before if backwards else has_after, "cursors": cursors})


def _written(item: T, order: Order[T]) -> str:
    value, tie = order.place(item)
    content = orjson.dumps({"value": value, "number": tie, "order": order.name})
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _place(text: str, order: Order[T], name: str) -> Place:
    try:
        content = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        cursor = _Cursor.model_validate_json(content)
    except (ValueError, ValidationError):
        raise refuse(name, "invalid_format", "Is not a cursor") from None
    if cursor.order != order.name:
        raise refuse(name, "invalid_value", "Filters and sorting cannot change on the way")
    return cursor.value, cursor.number
