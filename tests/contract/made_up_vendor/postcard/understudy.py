"""What Postcard would say to whatever writes, for a rehearsal."""

from __future__ import annotations

import re
from typing import Any

from shared.vendors.answers import Answer
from shared.vendors.rehearsing import Called, Understudy, json_answer

from . import looking, requests

_LIST = 0
"""Id of a list that a rehearsal pretends to make; Postcard gives it to none."""
_TAKE_OFF = re.compile(r"/lists/\d+/take-off")


class PostcardUnderstudy(Understudy):
    """One account's. Whoever unsubscribed is refused, as Postcard tells of each person."""

    roots = ("/lists", "/people", "/account")

    def answer(self, called: Called) -> Answer | None:
        if called.method == "GET":
            return json_answer([]) if called.path == f"/lists/{_LIST}/people" else None
        body = called.json()
        if called.path == "/lists":
            return json_answer({"id": _LIST, "name": body["name"]}, 201)
        rows: list[dict[str, Any]] = body["people"]
        adds = not _TAKE_OFF.fullmatch(called.path)
        refused = [row["email"] for row in rows if adds and looking.said_no(called.ask(requests.show(row["email"])))]
        told = [{"email": each, "why": "unsubscribed"} for each in refused]
        return json_answer({"done": len(rows) - len(refused), "refused": told})


UNDERSTUDY = PostcardUnderstudy
