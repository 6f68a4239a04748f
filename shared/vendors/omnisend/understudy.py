"""What Omnisend would say to whatever writes. Facts: Omnisend contract, sections 2 to 4.

Whom Omnisend refuses is known once its batch has ended: its contract names no rule that could be applied beforehand.
"""

from __future__ import annotations

from typing import Any

from shared.transport import Answer
from shared.vendors.rehearsing import REHEARSED, Called, Understudy, json_answer

_BATCHES, _TAGS = "/api/batches", "/api/contacts/tags"


class OmnisendUnderstudy(Understudy):
    """One brand's. Every batch has ended when it is asked about, and wrote everybody."""

    roots = ("/api/",)

    def __init__(self) -> None:
        super().__init__()
        self._batches: dict[str, int] = {}

    def answer(self, called: Called) -> Answer | None:
        match called.method, called.path:
            case "POST", path if path == _BATCHES:
                return self._create(len(called.json()["items"]))
            case "POST" | "DELETE", path if path == _TAGS:
                return Answer(202)
            case "GET", path if path == _BATCHES and self._batches:
                return json_answer({"batches": [*map(_shown, self._batches.items())], "paging": {"next": None}})
            case "GET", path if path.startswith(f"{_BATCHES}/{REHEARSED}"):
                name = path.removeprefix(f"{_BATCHES}/")
                return json_answer(_shown((name, self._batches[name])))
        return None

    def _create(self, people: int) -> Answer:
        batch = self.pretended()
        self._batches[batch] = people
        return json_answer({"batchID": batch, "totalCount": people}, 201)


def _shown(batch: tuple[str, int]) -> dict[str, Any]:
    name, people = batch
    counts = {"totalCount": people, "finishedCount": people, "errorsCount": 0}
    return {"batchID": name, "status": "finished", **counts}


UNDERSTUDY = OmnisendUnderstudy
