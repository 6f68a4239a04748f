"""How Klaviyo says what went wrong, and that for people. Pure. Facts: Klaviyo contract, sections 1, 3, 8 and 9.

The words of an error may hold addresses, so they are scrubbed, and only the title is ever shown.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.errors import ExportError, RetryAfter, UserMustAct
from shared.vendors.answers import Answer
from shared.vendors.klaviyo.definition import DEFINITION, REVISION, SCOPES
from shared.wording import Message, say

PUT_OFF_SECONDS = 60.0
"""When to come back where something before Klaviyo turned the request away."""

_ROW = re.compile(r"/data/(\d+)(?:/attributes(?:/(.+))?)?$")
"""The end of a pointer: a row, and the field of it that is wrong."""
_LIST = "/data/relationships/lists"
_UNKNOWN_IDS = re.compile(r"Invalid profile IDs?:\s*(.+)", re.DOTALL)
_ID = re.compile(r"[A-Za-z0-9_-]+")
_IMPORTED = "/data/attributes/profiles"
REVISION_HEADER = "x-klaviyo-api-revision"


@dataclass(frozen=True, slots=True)
class KlaviyoComplaint:
    """One error of an answer. `row` is the place of a person in the request, where one is named, and `field` what is
    wrong with them, "" where that is not said."""

    code: str
    title: str
    detail: str
    pointer: str = ""
    row: int | None = None
    field: str = ""

    @property
    def names_list(self) -> bool:
        return self.pointer.startswith(_LIST)


def complaints(answer: Answer) -> list[KlaviyoComplaint]:
    """Everything that an answer complains of; empty where it is no error of Klaviyo's."""
    found = answer.object_or_empty().get("errors")
    return [_complaint(each) for each in found if isinstance(each, dict)] if isinstance(found, list) else []


def row_of(pointer: str) -> tuple[int | None, str]:
    """The place of a person, and the field, that a pointer names."""
    match = _ROW.search(pointer)
    if match is None:
        return None, ""
    return int(match[1]), (match[2] or "").replace("/", ".").removeprefix("properties.")


def words(answer: Answer) -> str:
    """What Klaviyo calls it, fit for people; the status where it has no word for it."""
    found = complaints(answer)
    if found and found[0].title:
        return Message(excerpt(found[0].title))
    return say("status %(status)s", status=str(answer.status))


def unknown_ids(answer: Answer) -> list[str]:
    """Ids that a removal was refused for. The one text of Klaviyo's that is read: there is no pointer to them."""
    texts = (match[1] for each in complaints(answer) if (match := _UNKNOWN_IDS.search(each.detail)))
    return [found for text in texts for found in _ID.findall(text)]


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403, for people. Raises RetryAfter where it is no verdict of Klaviyo's."""
    if not complaints(answer):
        raise _put_off(answer)
    if answer.status == 401:
        return UserMustAct(
            "bad_credentials",
            say(
                "Klaviyo does not know this private API key: check that it is complete, and that nobody deleted it in "
                "Klaviyo (Settings, API keys)."
            ),
        )
    return lacking()


def lacking() -> UserMustAct:
    """What to do about a key that may not do everything."""
    return UserMustAct(
        "missing_scope",
        say(
            "The private API key may not do all that exports need: make a key in Klaviyo with the scopes %(scopes)s, "
            "and give the connection that.",
            scopes=", ".join(SCOPES),
        ),
    )


def turned_away(answer: Answer) -> ExportError | None:
    """Why nothing was done, where any call may be told so: RetryAfter or UserMustAct. `410` and another revision than
    ours both say that ours has ended."""
    served = answer.headers.get(REVISION_HEADER, "").strip()
    if answer.status == 410 or (served and served != REVISION):
        return UserMustAct(
            "version_retired",
            say(
                "Klaviyo no longer serves revision %(revision)s of its API: install a newer release of this service.",
                revision=REVISION,
            ),
        )
    if answer.status == 400 and not complaints(answer):
        return _put_off(answer)
    return None


def _put_off(answer: Answer) -> RetryAfter:
    """HTML, for example, comes from what stands before Klaviyo (contract, section 9)."""
    return RetryAfter(
        PUT_OFF_SECONDS,
        say(
            "Something before %(vendor)s turned the request away with status %(status)s.",
            vendor=DEFINITION.label,
            status=str(answer.status),
        ),
    )


def _complaint(entry: dict[str, Any]) -> KlaviyoComplaint:
    source = entry.get("source")
    pointer = source.get("pointer") if isinstance(source, dict) else None
    place = pointer if isinstance(pointer, str) else ""
    row, field = row_of(place) if place.startswith(_IMPORTED) else (None, "")
    code, title, detail = (str(entry.get(name) or "") for name in ("code", "title", "detail"))
    return KlaviyoComplaint(code, title, detail, place, row, field)
