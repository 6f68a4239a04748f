"""Mailchimp's rolls of people who said no: of the audience, by their status. Contract, section 5.

They are read by when somebody changed last, from that moment on and not by places, since whoever leaves a roll would
move all others up. People of one moment are read by their places within it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial

from shared.vendors.mailchimp import requests, responses
from shared.vendors.mailchimp.client import MailchimpCalls
from shared.vendors.mailchimp.definition import MOST_PAGE
from shared.vendors.mailchimp.responses import Standing
from shared.vendors.opt_outs import OptOut, OptOutKind, OptOutPage, OptOutRoll

KINDS = {
    "unsubscribed": OptOutKind.UNSUBSCRIBED,
    "cleaned": OptOutKind.BOUNCED,
    "archived": OptOutKind.DELETED,
}
"""Status in the audience -> what became of the person."""
OVERLAP = timedelta(seconds=1)
"""Mailchimp tells who changed after a moment, and not at it."""


def rolls(calls: MailchimpCalls, audience_id: str) -> list[OptOutRoll]:
    """One for each status."""
    return [OptOutRoll(f"{audience_id}/{status}", partial(_page, calls, audience_id, status)) for status in KINDS]


def _page(calls: MailchimpCalls, audience_id: str, status: str, since: str, place: str) -> OptOutPage:
    moment, _, told = place.partition(" ")
    moment, offset = moment or since, int(told or 0)
    question = requests.members(audience_id, status, offset, "email_address", since=_before(moment))
    found = calls.ask(question, responses.addresses)
    people = [OptOut(each.who, KINDS[status], each.changed, status) for each in found if each.who]
    return OptOutPage(people, _after(found, moment, offset) if len(found) == MOST_PAGE else None)


def _after(found: Sequence[Standing], moment: str, offset: int) -> str:
    """Where the next page begins: at the last person's moment where that is a later one, else further on from the same
    moment. So reading never goes back, and comes to an end."""
    last = found[-1].changed
    return f"{last} 0" if _before(last) > _before(moment) else f"{moment} {offset + len(found)}"


def _before(moment: str) -> str:
    """The moment a little earlier; empty where there is none, or none that can be read."""
    try:
        return (datetime.fromisoformat(moment) - OVERLAP).isoformat()
    except ValueError:
        return ""
