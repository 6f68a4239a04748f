"""Dates in the names of folders, in the spellings that writers use. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache
from urllib.parse import unquote

SPELLING = "2026-11-22T14-33-00Z"
"""What people are told to write."""

_KEY = r"(?:(?:dt|ds|date|day|snapshot|snapshot_date|load_date|export_date|run_date)=)?"
_TIMESTAMP = re.compile(
    _KEY + r"(?P<y>\d{4})(?P<between>[-_.]?)(?P<m>\d\d)(?P=between)(?P<d>\d\d)"
    r"(?:[T_ -]?(?P<h>\d\d)[-:._]?(?P<min>\d\d)"
    r"(?:[-:._]?(?P<s>\d\d)(?:[.,](?P<fraction>\d{1,9})|-(?P<milli>\d{3}))?)?"
    r"(?P<zone>Z|[+-]\d\d:?\d\d)?)?",
    re.IGNORECASE,
)
_EPOCH = re.compile(r"(?:ts=)?(1[5-9]\d{8})(\d{3})?", re.IGNORECASE)
"""Seconds, or milliseconds, from 2017 to 2033."""
_LEVELS = (
    re.compile(r"(?P<y>\d{4})/(?P<m>\d\d)/(?P<d>\d\d)(?:/(?P<h>\d\d)(?:/?(?P<min>\d\d))?)?(?=/|\Z)"),
    re.compile(
        r"(?:year|yyyy|y)=(?P<y>\d{4})/(?:month|mm|m)=(?P<m>\d\d?)/(?:day|dd|d)=(?P<d>\d\d?)"
        r"(?:/(?:hour|hh|h)=(?P<h>\d\d?)(?:/(?:minute|min)=(?P<min>\d\d?))?)?(?=/|\Z)",
        re.IGNORECASE,
    ),
)
"""A date that is spread over folders one inside the other."""
_LIKE_A_DATE = re.compile(
    r"(?:\w+=)?(?:19|20)\d\d[-_.]?\d\d[-_.]?\d\d|\d\d[-_.]\d\d[-_.](?:19|20)\d\d|(?:dt|ds|date|snapshot_date|year)=",
    re.IGNORECASE,
)
_RUN_FOLDER = re.compile(r"/(\d{4})/(\d\d)/(\d\d)(?:/(\d\d)(\d\d))?/")


def timestamp(text: str) -> datetime | None:
    """The moment that the name of one folder means, in UTC; without a time zone it is taken as UTC.

    `2026-11-22`, `20261122T1433Z`, `2026-11-22T14:33:00.1234567+01:00`, `dt=2026_11_22`, seconds since 1970.
    """
    text = unquote(text)
    if found := _EPOCH.fullmatch(text):
        return datetime.fromtimestamp(int(found[1]), UTC) + timedelta(milliseconds=int(found[2] or 0))
    found = _TIMESTAMP.fullmatch(text)
    if not found:
        return None
    moment = _utc(*(found[part] for part in ("y", "m", "d", "h", "min", "s")))
    fraction = (found["fraction"] or found["milli"] or "")[:6].ljust(6, "0")
    return moment and _shifted(moment + timedelta(microseconds=int(fraction)), found["zone"])


@lru_cache(maxsize=64)
def dated(path: str, start: int) -> tuple[int, int, datetime] | None:
    """The first date in a path from folder `start` on: which folders it is made of (first, behind the last), and when.

    The outermost one counts: what lies in a dated folder is part of it.
    """
    parts = path.split("/")
    for first in range(start, len(parts)):
        if found := _at(parts, first):
            behind, moment = found
            return first, behind, moment
    return None


def _at(parts: Sequence[str], first: int) -> tuple[int, datetime] | None:
    if moment := timestamp(parts[first]):
        return first + 1, moment
    rest = "/".join(parts[first : first + 5])
    for pattern in _LEVELS:
        if (found := pattern.match(rest)) and (moment := _utc(*found.groups())):
            return first + found[0].count("/") + 1, moment
    return None


def looks_like_a_date(name: str) -> bool:
    """Whether people would take this name for a date, whatever the program makes of it."""
    return bool(_LIKE_A_DATE.match(unquote(name)))


def run_folder_date(name: str) -> datetime | None:
    """When a blob below `…/<yyyy>/<MM>/<dd>/<HHMM>/`, as Customer Insights lays them out, was written; as if UTC."""
    found = _RUN_FOLDER.search(f"/{name}")
    return _utc(*found.groups()) if found else None


def _utc(year: str, month: str, day: str, *time: str | None) -> datetime | None:
    try:
        hour, minute, second = (int(part or 0) for part in (*time, None, None, None)[:3])
        return datetime(int(year), int(month), int(day), hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None


def _shifted(moment: datetime, zone: str | None) -> datetime | None:
    """The moment in UTC whose clock shows this time in that zone."""
    if not zone or zone in "Zz":
        return moment
    hours, minutes = int(zone[1:3]), int(zone[-2:])
    if hours > 14 or minutes > 59:
        return None
    offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
    return moment.replace(tzinfo=timezone(offset)).astimezone(UTC)
