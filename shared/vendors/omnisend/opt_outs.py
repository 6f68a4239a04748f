"""Omnisend's one roll of people who said no: contacts who unsubscribed from e-mail. Contract, sections 3 and 5.

It is read in full each time, since Omnisend gives it in the order in which contacts were made. It has no roll of people
whose mail bounced, and nobody is deleted there by its API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from shared.vendors.answers import Answer
from shared.vendors.http import Client
from shared.vendors.omnisend import requests, responses
from shared.vendors.opt_outs import OptOut, OptOutKind, OptOutPage, OptOutRoll


def rolls(client: Client, lists: Sequence[str]) -> list[OptOutRoll]:
    """That of the brand; a tag has none of its own."""
    return [OptOutRoll("brand", partial(_page, client))]


def _page(client: Client, since: str, place: str) -> OptOutPage:
    people, after = client.ask(requests.unsubscribed(place or None), told)
    # A page that is told to follow itself would never end.
    return OptOutPage(people, after if after != place else None)


def told(answer: Answer) -> tuple[list[OptOut], str | None]:
    """People of a page, and where the next one begins. Raises UnexpectedAnswer."""
    page = responses.contacts(answer)
    entries = answer.object()["contacts"]
    moments = {each["email"]: _when(each) for each in entries if isinstance(each, dict) and "email" in each}
    people = [OptOut(each, OptOutKind.UNSUBSCRIBED, moments.get(each, ""), "unsubscribed") for each in page.addresses]
    return people, page.after


def _when(contact: Mapping[str, Any]) -> str:
    """When the status for e-mail changed last; empty where it is not told."""
    statuses = contact.get("statuses")
    found = [each for each in statuses if isinstance(each, dict)] if isinstance(statuses, list) else []
    return next((str(each.get("statusChangedAt") or "") for each in found if each.get("channel") == "email"), "")
