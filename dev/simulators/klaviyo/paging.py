"""Pages with opaque cursors (contract section 2). A cursor knows its call, and holds to it."""

from __future__ import annotations

import base64
import hashlib
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from urllib.parse import quote, urlencode

import orjson

from dev.simulators.common.vendor import Call
from dev.simulators.klaviyo.answers import HOST, refuse_parameter
from dev.simulators.klaviyo.query import Query

T = TypeVar("T")
Place = tuple[Any, ...]


def page(call: Call, query: Query, items: Sequence[T], place: Callable[[T], Place]) -> tuple[list[T], dict[str, Any]]:
    """A page of `items`, which `place` has sorted upwards, and its links. A leading "-" of the sorting turns it round.
    Raises `Refusal` (400) for a cursor that is none, or of another call.
    """
    digest = _digest(call)
    descending = query.sort.startswith("-")
    low, high = 0, len(items)
    if query.cursor is not None:
        at = _place(query.cursor, digest)
        if descending:
            high = bisect_left(items, at, key=place)
        else:
            low = bisect_right(items, at, key=place)
    near = slice(max(low, high - query.size), high) if descending else slice(low, low + query.size)
    shown = list(items[near])
    if descending:
        shown.reverse()
    more = high - low > len(shown)
    following = _cursor(place(shown[-1]), digest) if more else None
    return shown, links(call, following)


def links(call: Call, cursor: str | None = None) -> dict[str, Any]:
    """`next` and `prev` are null where there is none, against the vendor's own description."""
    query = {name: value for name, value in call.query.items() if name != "page[cursor]"}
    here = urlencode(call.query, quote_via=quote)
    there = urlencode({**query, "page[cursor]": cursor}, quote_via=quote) if cursor else ""
    path = call.path.rstrip("/")
    return {
        "self": f"{HOST}{path}" + (f"?{here}" if here else ""),
        "next": f"{HOST}{path}?{there}" if cursor else None,
        "prev": None,
    }


def _digest(call: Call) -> str:
    # A digest, since filters may hold addresses.
    kept = {name: value for name, value in call.query.items() if name not in ("page[cursor]", "page[size]")}
    content = orjson.dumps([call.path.rstrip("/"), kept], option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(content).hexdigest()[:16]


def _cursor(place: Place, digest: str) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([digest, *place])).rstrip(b"=").decode()


def _place(text: str, digest: str) -> Place:
    text = text.removeprefix("=")  # the vendor's own library leaves it there when it cuts a cursor out of a link
    try:
        content = orjson.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except ValueError:
        content = None
    if type(content) is not list or not content or content[0] != digest:
        raise refuse_parameter("page[cursor]", "Invalid cursor.")
    return tuple(content[1:])
