"""Lists that are searched, filtered, sorted and cut in pages; what is asked for stands in the page's address. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar
from urllib.parse import urlencode

from shared.catalog.models import Connection, Export
from shared.control.runs import RunSummary
from shared.delivery.state.records import GROUPS

PAGE = 50
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a list is asked for; empty is everything. `sort` is a column, with a minus in front the other way round."""

    q: str = ""
    vendor: str = ""
    state: str = ""
    schedule: str = ""
    owner: str = ""
    tag: str = ""
    sort: str = ""
    page: int = 1

    def address(self, **changes: Any) -> str:
        """The query of an address that asks for this, with changes. Another question begins on its first page."""
        changed = replace(self, **{"page": 1, **changes})
        given = {each.name: getattr(changed, each.name) for each in fields(changed)}
        kept = {name: value for name, value in given.items() if value not in ("", 1)}
        return f"?{urlencode(kept)}" if kept else "?"

    @property
    def filtered(self) -> bool:
        return any((self.q, self.vendor, self.state, self.schedule, self.owner, self.tag))


@dataclass(frozen=True, slots=True)
class ListPage(Generic[T]):
    """One page of what was asked for, and how much there is."""

    rows: Sequence[T]
    number: int
    pages: int
    found: int
    all: int


@dataclass(frozen=True, slots=True)
class ListedExport:
    """An export as lists know it."""

    export: Export
    connection: Connection | None
    last: RunSummary | None
    beside: tuple[ListedExport, ...] = ()
    """The same people on other connections."""

    @property
    def vendor(self) -> str:
        return self.connection.vendor if self.connection else ""


def _in_state(row: ListedExport, state: str) -> bool:
    """On any of its connections."""
    if state == "paused":
        return row.export.paused and row.export.schedule.kind != "manual"
    lasts = [each.last for each in (row, *row.beside)]
    if state == "never":
        return None in lasts
    return any(last is not None and last.state in GROUPS.get(state, frozenset()) for last in lasts)


FILTERS: Mapping[str, Callable[[ListedExport, str], bool]] = {
    "q": lambda row, words: all(word in _text(row) for word in words.casefold().split()),
    "vendor": lambda row, vendor: vendor in {row.vendor, *(each.vendor for each in row.beside)},
    "state": _in_state,
    "schedule": lambda row, kind: row.export.schedule.kind == kind,
    "owner": lambda row, owner: owner in (row.export.created_by, row.export.updated_by),
    "tag": lambda row, tag: tag in row.export.tags,
}

_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)
SORTS: Mapping[str, Callable[[ListedExport], Any]] = {
    "name": lambda row: row.export.display_name.casefold(),
    "connection": lambda row: (row.vendor, row.connection.display_name.casefold() if row.connection else ""),
    "run": lambda row: row.last.started_at if row.last else _LONG_AGO,
    "schedule": lambda row: (row.export.schedule.kind, row.export.schedule.expression or ""),
    "updated": lambda row: row.export.updated_at,
}


def listed(
    exports: Iterable[Export], connections: Mapping[str, Connection], last: Mapping[str, RunSummary]
) -> list[ListedExport]:
    """Exports with what they are searched by; those that follow from another one are shown with it."""
    rows = [ListedExport(each, connections.get(each.connection), last.get(each.name)) for each in exports]
    names = {each.export.name for each in rows}
    beside: dict[str, list[ListedExport]] = defaultdict(list)
    for each in rows:
        beside[each.export.owned_by].append(each)
    return [replace(each, beside=tuple(beside[each.export.name])) for each in rows if each.export.owned_by not in names]


def page_of(rows: Sequence[ListedExport], asked: Asked) -> ListPage[ListedExport]:
    """The rows that were asked for."""
    found = matching(rows, asked)
    column = SORTS.get(asked.sort.removeprefix("-"), SORTS["name"])
    found.sort(key=lambda row: row.export.name)
    found.sort(key=column, reverse=asked.sort.startswith("-"))
    return cut(found, asked.page, of=len(rows))


def matching(rows: Iterable[ListedExport], asked: Asked) -> list[ListedExport]:
    """Those that were asked for, on whichever page."""
    chosen = _chosen(asked)
    return [row for row in rows if all(keeps(row, value) for keeps, value in chosen)]


def cut(found: Sequence[T], number: int, *, of: int) -> ListPage[T]:
    """One page; the last one where the number is beyond it."""
    pages = max(-(-len(found) // PAGE), 1)
    number = min(max(number, 1), pages)
    return ListPage(found[(number - 1) * PAGE : number * PAGE], number, pages, len(found), of)


def _chosen(asked: Asked) -> list[tuple[Callable[[ListedExport, str], bool], str]]:
    return [(keeps, value) for name, keeps in FILTERS.items() if (value := getattr(asked, name))]


def _text(row: ListedExport) -> str:
    """Whatever people may remember of it."""
    named = [target.list_name or target.list_id or "" for target in row.export.targets]
    connection = row.connection.display_name if row.connection else ""
    parts = [row.export.display_name, row.export.name, connection, *row.export.segments, *row.export.tags, *named]
    return " ".join([*parts, *map(_text, row.beside)]).casefold()
