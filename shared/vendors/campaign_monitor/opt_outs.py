"""Campaign Monitor's rolls of people who said no or were taken off, of each list and the client. Contract, section 6.

A roll is read with whoever came last first. Who comes meanwhile only moves the others back; where the roll is shorter
than it was, people moved forward, and the reader goes back by as many pages. Dates are in the client's time zone, which
Campaign Monitor does not tell.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from shared.cloud.scrubbing import excerpt
from shared.vendors.campaign_monitor.client import Api
from shared.vendors.campaign_monitor.definition import MOST_ROWS
from shared.vendors.campaign_monitor.responses import Page
from shared.vendors.opt_outs import OptOut, OptOutKind, OptOutPage, OptOutRoll, day_before, kind_of

_STATES = {
    "unsubscribed": OptOutKind.UNSUBSCRIBED,
    "bounced": OptOutKind.BOUNCED,
    "deleted": OptOutKind.DELETED,
}

AskPage = Callable[[int], tuple[Page, Sequence[OptOut]]]
"""Page number, from 1 -> page, and the people on it."""


def rolls(api: Api, lists: Sequence[str]) -> list[OptOutRoll]:
    """The client's suppression list, and three of each list."""
    asked = [
        OptOutRoll(f"list/{list_id}/{state}", partial(_page, partial(_of_list, api, list_id, state)), list_id)
        for list_id in lists
        for state in _STATES
    ]
    return [OptOutRoll("client", partial(_page, partial(_of_client, api))), *asked]


def _of_list(api: Api, list_id: str, state: str, number: int) -> tuple[Page, Sequence[OptOut]]:
    page = api.newest(list_id, state, number)
    return page, [OptOut(address, _STATES[state], _moment(date), state.capitalize()) for address, date in page.people]


def _of_client(api: Api, number: int) -> tuple[Page, Sequence[OptOut]]:
    page = api.suppressed(number)
    told = zip(page.people, page.reasons, strict=True)
    return page, [
        OptOut(address, kind_of(reason), _moment(date), excerpt(reason, 60)) for (address, date), reason in told
    ]


def _page(ask: AskPage, since: str, place: str) -> OptOutPage:
    """A place is the number of a page, and how long the roll was before it."""
    first, _, before = place.partition(":")
    number = int(first or 1)
    page, people = ask(number)
    while page.past_end and number > 1:
        number -= 1
        page, people = ask(number)
    moved = int(before or 0) - page.total
    if moved > 0 and number > 1:
        return OptOutPage(people, f"{max(1, number - -(-moved // MOST_ROWS))}:{page.total}")
    ends = number >= page.pages or page.all_before(day_before(since))
    return OptOutPage(people, None if ends else f"{number + 1}:{page.total}")


def _moment(date: str) -> str:
    """`2026-11-20 10:28:00` -> ISO 8601, without a time zone."""
    return date.replace(" ", "T")
