"""What Klaviyo would say to whatever writes. Facts: Klaviyo contract, sections 3 to 6.

Klaviyo judges addresses, numbers and identifiers that are another profile's by rules that it does not publish: whom it
refuses for them is known once they are sent.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from shared.transport import Answer
from shared.vendors.klaviyo import requests, responses
from shared.vendors.rehearsing import REHEARSED, Called, Understudy, json_answer

_JOBS = "/api/profile-bulk-import-jobs"
_REMOVAL = re.compile(r"/api/lists/[^/]+/relationships/profiles")
_NOBODY: dict[str, Any] = {"data": [], "links": {}}


class KlaviyoUnderstudy(Understudy):
    """One account's. Every import has ended when it is asked about, and took everybody on."""

    roots = ("/api/",)

    def __init__(self) -> None:
        super().__init__()
        self._jobs: dict[str, int] = {}

    def answer(self, called: Called) -> Answer | None:
        match called.method, called.path:
            case "POST", "/api/lists":
                name = called.json()["data"]["attributes"]["name"]
                return json_answer({"data": {"type": "list", "id": REHEARSED, "attributes": {"name": name}}}, 201)
            case "POST", path if path == _JOBS:
                return self._import(called.json()["data"])
            case "DELETE", path if _REMOVAL.fullmatch(path):
                return _removal(called)
            case "GET", path if path == _JOBS and self._jobs:
                return json_answer({"data": [*map(_shown, self._jobs.items())], "links": {}})
            case "GET", path if path.startswith(f"{_JOBS}/{REHEARSED}"):
                name = path.removeprefix(f"{_JOBS}/")
                return json_answer({"data": _shown((name, self._jobs[name]))})
            case "GET", path if path.startswith(f"/api/lists/{REHEARSED}/"):
                return json_answer(_NOBODY)
            case "GET", "/api/profiles" if f'"{REHEARSED}"' in called.query.get("filter", ""):
                return json_answer(_NOBODY)
        return None

    def _import(self, data: dict[str, Any]) -> Answer:
        people = len(data["attributes"]["profiles"]["data"])
        job = self.pretended()
        self._jobs[job] = people
        return json_answer({"data": _shown((job, people))}, 202)


def _removal(called: Called) -> Answer:
    """Refused where an id is nobody's any more: Klaviyo names those, and takes nobody off."""
    wanted = [each["id"] for each in called.json()["data"]]
    unknown = sorted({*wanted} - _known(called, wanted))
    if not unknown:
        return Answer(204)
    title = "Invalid input."
    detail = f"Invalid profile IDs: {', '.join(unknown)}"
    return json_answer({"errors": [{"code": "invalid", "title": title, "detail": detail, "source": {}}]}, 400)


def _known(called: Called, ids: Sequence[str]) -> set[str]:
    groups = requests.in_filters(ids)
    answers = (called.ask(requests.profiles("id", group)) for group in groups)
    return {responses.profile(each).id for answer in answers for each in responses.page(answer).entries}


def _shown(job: tuple[str, int]) -> dict[str, Any]:
    name, people = job
    told = {"status": "complete", "total_count": people, "completed_count": people, "failed_count": 0}
    return {"type": "profile-bulk-import-job", "id": name, "attributes": told}


UNDERSTUDY = KlaviyoUnderstudy
