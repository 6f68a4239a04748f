"""Contacts as v3 shows them: one, or a page of them (contract sections 6, 8 and 15)."""

from __future__ import annotations

import base64
import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urlencode

from dev.simulators.common.vendor import Refusal
from dev.simulators.dotdigital import answers
from dev.simulators.dotdigital.account import Account, Contact
from dev.simulators.dotdigital.answers import cased
from dev.simulators.dotdigital.settings import Settings

EVERYTHING = ("channelProperties", "lists", "preferences", "consentRecords")

_ALL_FIELDS = "[[ALL]]"
_MOST = 5000
_SINCE = re.compile(r"gte::(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d{3})?Z)")
# The contact's own status has fewer values than its e-mail channel's (specification: status, emailChannelStatus).
_CONTACT_STATUSES = frozenset({"subscribed", "unsubscribed", "pendingOptIn", "deleted", "binned", "noSubscription"})


def contact(
    account: Account, shown: Contact, settings: Settings, fields: Collection[str] | None, include: Collection[str]
) -> dict[str, Any]:
    """`fields` are the data fields to show, None for all; an empty collection leaves `dataFields` out."""
    case = settings.enum_case
    status = shown.status if shown.status in _CONTACT_STATUSES else "suppressed"
    view: dict[str, Any] = {
        "contactId": shown.id,
        "status": cased(status, case),
        "created": iso(shown.created),
        "updated": iso(shown.updated),
        "identifiers": shown.identifiers,
    }
    if fields is None:
        view["dataFields"] = shown.data
    elif fields:
        view["dataFields"] = {name: value for name, value in shown.data.items() if name in fields}
    if "channelProperties" in include and shown.email is not None:
        view["channelProperties"] = {
            "email": {
                "emailType": cased(shown.email_type, case, spec_is_pascal=True),
                "optInType": cased(shown.opt_in_type, case, spec_is_pascal=True),
                "status": cased(shown.status, case),
            }
        }
    if "lists" in include:
        view["lists"] = [
            {"id": each.id, "name": each.name, "status": cased(each.members[shown.id], case)}
            for each in account.lists_of(shown)
        ]
    if "consentRecords" in include:
        view["consentRecords"] = [{**each, "dateTimeCreated": iso(shown.updated)} for each in shown.consents]
    return view


def iso(epoch: float) -> str:
    return _iso(int(epoch))


@lru_cache(maxsize=1000)  # the contacts of one import share their moments
def _iso(epoch: int) -> str:
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


@dataclass(frozen=True, slots=True)
class _Query:
    limit: int
    list_id: int | None
    since: float | None
    moment: Callable[[Contact], float]
    fields: Collection[str] | None
    include: Collection[str]


def page(account: Account, settings: Settings, query: Mapping[str, str]) -> dict[str, Any]:
    """`GET /contacts/v3`. Raises `Refusal` for parameters that do not fit, or a marker of another query."""
    asked = _asked(settings, query)
    filters = {name: value for name, value in sorted(query.items()) if name != "marker"}
    marker = query.get("marker", "")
    after = _opened(settings, marker, filters)
    chosen, has_more = _chosen(account, settings, asked, after)
    items = [contact(account, each, settings, asked.fields, asked.include) for each in chosen]
    links = {"self": _link(account, filters, marker), "first": _link(account, filters, "")}
    if has_more:
        links["next"] = _link(account, filters, _marker(chosen[-1].id, filters))
    elif settings.last_page_next == "empty_marker":
        links["next"] = {"marker": "", "link": ""}
    return {"_items": items, "_links": links}


def _asked(settings: Settings, query: Mapping[str, str]) -> _Query:
    for one, other in (("~created", "~modified"), ("~listId", "~segmentId")):
        if one in query and other in query:
            raise _invalid(settings, f"{one} cannot be used with {other}")
    names = set(query.get("data-fields", "").upper().split("|")) - {""}
    include = set(query.get("include", "").split("|")) - {""}
    if strangers := include - set(EVERYTHING):
        raise _invalid(settings, f"The include value '{min(strangers)}' is invalid")
    limit = _number(settings, "limit", query.get("limit", str(_MOST)))
    if not 1 <= limit <= _MOST:
        raise _invalid(settings, f"The limit value '{limit}' is invalid")
    list_name = "~listId" if "~listId" in query else "~segmentId"  # there are no segments, so none is ever found
    return _Query(
        limit=limit,
        list_id=_number(settings, list_name, query[list_name]) if list_name in query else None,
        since=_since(settings, query.get("~created") or query.get("~modified")),
        moment=(lambda each: each.created) if "~created" in query else (lambda each: each.updated),
        fields=None if _ALL_FIELDS in names else names,
        include=include,
    )


def _chosen(account: Account, settings: Settings, asked: _Query, after: int) -> tuple[list[Contact], bool]:
    ids, status = _candidates(account, settings, asked.list_id)
    chosen: list[Contact] = []
    for contact_id in ids[bisect_right(ids, after) :] if after else ids:
        found = account.contacts[contact_id]
        hidden = not settings.list_read_suppressed and status.get(contact_id) == "suppressed"
        if hidden or (asked.since is not None and asked.moment(found) < asked.since):
            continue
        if len(chosen) == asked.limit:
            return chosen, True
        chosen.append(found)
    return chosen, False


def _candidates(account: Account, settings: Settings, list_id: int | None) -> tuple[Sequence[int], Mapping[int, str]]:
    if list_id is None or list_id == account.everyone.id:
        return sorted(account.contacts), {}
    mailing_list = account.lists.get(list_id)
    if mailing_list is not None:
        return mailing_list.ascending(), mailing_list.members
    if settings.unknown_list_read == "error":
        raise _invalid(settings, f"The filter value '{list_id}' is invalid")
    return [], {}


def _since(settings: Settings, text: str | None) -> float | None:
    if text is None:
        return None
    match = _SINCE.fullmatch(text)
    if match is None:
        raise _invalid(settings, f"The filter value '{text}' is invalid")
    return datetime.fromisoformat(match[1]).timestamp()


def _number(settings: Settings, name: str, text: str) -> int:
    if not text.isdecimal():
        raise _invalid(settings, f"The {name} value '{text}' is invalid")
    return int(text)


def _invalid(settings: Settings, description: str) -> Refusal:
    return Refusal(answers.v3_error(settings, 400, "invalidFilter", description))


def _link(account: Account, filters: Mapping[str, str], marker: str) -> dict[str, str]:
    query = urlencode({**filters, "marker": marker} if marker else filters)
    return {"marker": marker, "link": f"https://{account.region}-api.dotdigital.com/contacts/v3/?{query}"}


def _marker(last: int, filters: Mapping[str, str]) -> str:
    return base64.b64encode(f"{last}?{_bound(filters)}".encode()).decode()


def _bound(filters: Mapping[str, str]) -> str:
    """What may not change from page to page."""
    return urlencode({name: value for name, value in filters.items() if name != "limit"})


def _opened(settings: Settings, marker: str, filters: Mapping[str, str]) -> int:
    """The contact id after which a page starts; nought for the first."""
    if not marker:
        return 0
    try:
        last, mark, rest = base64.b64decode(marker, validate=True).decode().partition("?")
    except (binascii.Error, UnicodeDecodeError):
        last, mark, rest = "", "", ""
    if not mark or not last.isdecimal() or rest != _bound(filters):
        raise _invalid(settings, "The marker value is invalid")
    return int(last)
