"""What Iterable would say to whatever writes. Facts: Iterable contract, sections 3 to 6.

That somebody asked Iterable to be forgotten, or that it refuses an address, is known once they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from shared.transport import Answer
from shared.vendors.iterable import requests, responses, types
from shared.vendors.rehearsing import Called, Understudy, json_answer

_LIST = "0"
"""Id of a list that a rehearsal pretends to make; Iterable gives it to none."""
_BULK = frozenset({"/api/lists/subscribe", "/api/lists/unsubscribe", "/api/users/bulkUpdate"})
_FIELDS = "/api/users/getFields"
_TEXT = {"content-type": "text/plain; charset=utf-8"}
_DATE = re.compile(r"\s*[+-]?\d{4}-\d\d-\d\d")


class IterableUnderstudy(Understudy):
    """One project's. Remembers which fields values would make."""

    roots = ("/api/",)

    def __init__(self) -> None:
        super().__init__()
        self._known: dict[str, str] | None = None
        self._made: dict[str, str] = {}

    def answer(self, called: Called) -> Answer | None:
        match called.method, called.path:
            case "GET", "/api/lists/0/size":
                return Answer(200, _TEXT, b"0")
            case "GET", "/api/lists/getUsers" if called.query.get("listId") == _LIST:
                return Answer(200, _TEXT, b"")
            case "GET", path if path == _FIELDS and self._made:
                return self._with_made(called.ask(requests.fields()))
            case "POST", "/api/lists":
                return json_answer({"listId": int(_LIST)})
            case "POST", path if path in _BULK:
                return self._bulk(called)
        return None

    def _with_made(self, answer: Answer) -> Answer:
        body = answer.object()
        fields = {**body.get("fields", {}), **self._made}
        return replace(answer, body=orjson.dumps({**body, "fields": fields}))

    def _bulk(self, called: Called) -> Answer:
        body = called.json()
        rows: list[dict[str, Any]] = body.get("subscribers") or body.get("users") or []
        with self.lock:
            if self._known is None and any(row.get("dataFields") for row in rows):
                self._known = responses.fields(called.ask(requests.fields()))
            misfits = [row["email"] for row in rows if not self._fits(row.get("dataFields") or {})]
        failed = {"invalidDataEmails": misfits} if misfits else {}
        counts = {"successCount": len(rows) - len(misfits), "failCount": len(misfits)}
        return json_answer({**counts, "failedUpdates": failed})

    def _fits(self, values: Mapping[str, Any]) -> bool:
        """Whether all values are of their fields' types; those of new fields make them."""
        fresh: dict[str, str] = {}
        for name, value in values.items():
            if value is None:
                continue
            known = (self._known or {}).get(name) or self._made.get(name)
            if known is None:
                fresh[name] = _type_of(value)
            elif not types.fits(known, value):
                return False
        self._made |= fresh
        return True


def _type_of(value: Any) -> str:
    """The type that a first value gives a field."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int | float):
        return "long" if isinstance(value, int) else "double"
    return "date" if isinstance(value, str) and _DATE.match(value) else "string"


UNDERSTUDY = IterableUnderstudy
