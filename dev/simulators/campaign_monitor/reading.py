"""Reading people page by page (contract section 6)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from typing import Any, TypeVar

from dev.simulators.campaign_monitor import answers
from dev.simulators.campaign_monitor.clients import Client, MailingList, Subscriber, Suppressed
from dev.simulators.campaign_monitor.settings import Settings, State
from dev.simulators.common.vendor import Answer, Call, Refusal, json_answer

_SIZES = range(10, 1001)
_DATE = re.compile(r"(\d{4}-\d\d-\d\d)(?: (\d\d:\d\d))?")
_LineT = TypeVar("_LineT", Subscriber, Suppressed)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the query of a paged read asks for; `since` is epoch seconds."""

    page: int
    size: int
    order: str
    descending: bool
    since: float | None = None


def parameters(call: Call) -> dict[str, str]:
    """The query by names in small letters."""
    return {name.lower(): value for name, value in call.query.items()}


def wanted(call: Call, settings: Settings, orders: Sequence[str], dated: bool = True) -> Wanted:
    """Raises `Refusal` (400) with code 5 or 800 to 803."""
    given = parameters(call)
    page, size = _number(given.get("page") or "1", 800), _number(given.get("pagesize") or "1000", 801)
    order, direction = given.get("orderfield") or "email", given.get("orderdirection") or "asc"
    problems = [
        (800, page < 1),
        (801, size not in _SIZES),
        (802, order not in orders),
        (803, direction not in ("asc", "desc")),
    ]
    for code, wrong in problems:
        if wrong:
            raise Refusal(answers.refused(code))
    return Wanted(page, size, order, direction == "desc", _since(given, settings) if dated else None)


def _number(text: str, code: int) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise Refusal(answers.refused(code))
    return int(text)


def _since(given: dict[str, str], settings: Settings) -> float | None:
    text = given.get("date")
    if text is None and settings.date_required:
        raise Refusal(answers.refused(5))
    if not text:
        return None
    parts = _DATE.fullmatch(text)
    try:
        moment = datetime.fromisoformat(f"{parts[1]} {parts[2] or '00:00'}") if parts else None
    except ValueError:
        moment = None
    if moment is None:
        raise Refusal(answers.refused(5))
    return moment.replace(tzinfo=_zone(settings.utc_offset_hours)).timestamp()


def subscribers(mailing_list: MailingList, state: State, wish: Wanted) -> list[Subscriber]:
    """The people in `state`, in the order that is asked for; sorted anew only after a change."""
    mark = (mailing_list.version, wish.order, wish.descending, wish.since)
    kept = mailing_list.sorted.get(state)
    if kept and kept[0] == mark:
        return kept[1]
    since = wish.since or float("-inf")
    found = [each for each in mailing_list.subscribers.values() if each.state == state and each.changed >= since]
    found.sort(key=_SUBSCRIBER_ORDERS[wish.order], reverse=wish.descending)
    mailing_list.sorted[state] = mark, found
    return found


def suppressed(client: Client, wish: Wanted) -> list[Suppressed]:
    """The suppression list, in the order that is asked for."""
    return sorted(client.suppressed.values(), key=_SUPPRESSED_ORDERS[wish.order], reverse=wish.descending)


_SUBSCRIBER_ORDERS: dict[str, Callable[[Subscriber], Any]] = {
    "email": lambda each: each.address.lower(),
    "name": lambda each: (each.name.lower(), each.address.lower()),
    "date": lambda each: (each.changed, each.address.lower()),
}
_SUPPRESSED_ORDERS: dict[str, Callable[[Suppressed], Any]] = {
    "email": lambda each: each.address.lower(),
    "date": lambda each: (each.since, each.address.lower()),
}
SUBSCRIBER_ORDERS = tuple(_SUBSCRIBER_ORDERS)
SUPPRESSED_ORDERS = tuple(_SUPPRESSED_ORDERS)


def page(
    found: Sequence[_LineT], wish: Wanted, settings: Settings, shown: Callable[[_LineT], dict[str, Any]]
) -> Answer:
    """The answer with one page. Raises `Refusal` (400, 800) past the last, unless the setting says it is empty."""
    pages = -(-len(found) // wish.size)
    if wish.page > max(pages, 1) and settings.past_last_page == "800":
        raise Refusal(answers.refused(800))
    first = (wish.page - 1) * wish.size
    lines = [shown(each) for each in found[first : first + wish.size]]
    return json_answer(
        {
            "Results": lines,
            "ResultsOrderedBy": wish.order,
            "OrderDirection": "desc" if wish.descending else "asc",
            "PageNumber": wish.page,
            "PageSize": wish.size,
            "RecordsOnThisPage": len(lines),
            "TotalNumberOfRecords": len(found),
            "NumberOfPages": pages,
        }
    )


def subscriber_line(
    client: Client, mailing_list: MailingList, settings: Settings, given: dict[str, str]
) -> Callable[[Subscriber], dict[str, Any]]:
    """How one subscriber is shown; the preferences only to who asks for them."""
    tracking = given.get("includetrackingpreference", "").lower() == "true"
    sms = given.get("includesmspreference", "").lower() == "true"

    def shown(subscriber: Subscriber) -> dict[str, Any]:
        line: dict[str, Any] = {
            "EmailAddress": subscriber.address,
            "Name": subscriber.name,
            "Date": local_date(subscriber.changed, settings.utc_offset_hours),
            "ListJoinedDate": local_date(subscriber.joined, settings.utc_offset_hours),
            "State": subscriber.state,
            "CustomFields": _custom_fields(mailing_list, subscriber, settings.read_keys == "key"),
            "ReadsEmailWith": "",
        }
        if subscriber.mobile:
            line["MobileNumber"] = subscriber.mobile
        if tracking:
            line["ConsentToTrack"] = "Yes" if subscriber.address.lower() in client.tracked else "No"
        if sms:
            line["ConsentToSendSms"] = "Yes" if subscriber.sms else "No"
        return line

    return shown


def suppressed_line(settings: Settings) -> Callable[[Suppressed], dict[str, Any]]:
    return lambda each: {
        "SuppressionReason": each.reason,
        "EmailAddress": each.address,
        "Date": local_date(each.since, settings.utc_offset_hours),
        "State": "Suppressed",
    }


def _custom_fields(mailing_list: MailingList, subscriber: Subscriber, by_key: bool) -> list[dict[str, str]]:
    values = subscriber.values
    shown = []
    for known in mailing_list.fields:
        value = values.get(known.id, [])
        name = f"[{known.key}]" if by_key else known.name
        shown += [{"Key": name, "Value": one} for one in ([value] if isinstance(value, str) else value)]
    return shown


def _zone(offset_hours: float) -> timezone:
    return timezone(timedelta(hours=offset_hours)) if offset_hours else UTC


def local_date(epoch: float, offset_hours: float) -> str:
    """In the client's time zone, which the text does not tell."""
    return _local_date(int(epoch), offset_hours)


@lru_cache(maxsize=10_000)
def _local_date(epoch: int, offset_hours: float) -> str:
    return datetime.fromtimestamp(epoch, _zone(offset_hours)).strftime("%Y-%m-%d %H:%M:%S")
