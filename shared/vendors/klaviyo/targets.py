"""Which list an export writes to, and what people should know of it. Facts: Klaviyo contract, sections 1, 2 and 10."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from shared.errors import RetryAfter, UserMustAct
from shared.vendors import lists
from shared.vendors.contract import TargetFound
from shared.vendors.klaviyo import requests, responses
from shared.vendors.klaviyo.client import KlaviyoCalls
from shared.vendors.klaviyo.definition import DEFINITION, REVISION, SERVED_UNTIL, WARN_BEFORE
from shared.vendors.klaviyo.responses import KlaviyoList
from shared.wording import say

_ID = re.compile(r"[A-Za-z0-9_-]{1,100}")


def every(calls: KlaviyoCalls) -> list[KlaviyoList]:
    return [responses.list_entry(each) for each in calls.entries(requests.lists())]


def by_id(calls: KlaviyoCalls, list_id: str) -> TargetFound:
    """Raises UserMustAct `target_vanished`."""
    wanted = list_id.strip()
    found = calls.ask(requests.list_by_id(wanted), responses.listed) if _ID.fullmatch(wanted) else None
    if found is None:
        raise lists.vanished(DEFINITION.label, list_id)
    return found.target


def by_name(calls: KlaviyoCalls, name: str) -> TargetFound | None:
    """The list of exactly this name: the oldest, with a warning, where there are several."""
    found = [responses.list_entry(each) for each in calls.entries(requests.lists(name))]
    same = sorted((each for each in found if each.name == name), key=lambda each: (each.created, each.id))
    if not same:
        return None
    oldest, *others = same
    if not others:
        return oldest.target
    warning = say(
        "Klaviyo has more lists of this name (%(lists)s); the oldest, %(list)s, is used.",
        lists=", ".join(each.id for each in others),
        list=oldest.id,
    )
    return replace(oldest.target, warnings=(warning,))


def made(calls: KlaviyoCalls, name: str) -> TargetFound:
    """A new list. Raises UserMustAct `target_refused`, RetryAfter where nobody knows whether it was made."""

    def create(name: str) -> KlaviyoList:
        return responses.created_list(calls.call(requests.create_list(name)))

    found = lists.make(DEFINITION.label, name, create, lambda: by_name(calls, name))
    assert found is not None, "Klaviyo lets several lists have one name"
    return found


def flow_warnings(calls: KlaviyoCalls, list_id: str) -> Sequence[str]:
    """Whoever is added to a list starts its flows, a welcome series for example. A key need not be allowed to read
    flows."""
    try:
        flows = calls.ask(requests.flows(list_id), responses.running_flows)
    except UserMustAct as error:
        if error.code != "missing_scope":
            raise
        return (
            say(
                "The private API key may not read flows (flows:read): look up in Klaviyo whether a flow starts when "
                "somebody is added to this list."
            ),
        )
    except RetryAfter:
        return (say("Klaviyo did not say which flows this list starts: look it up there."),)
    if not flows:
        return ()
    return (
        say(
            "In Klaviyo these flows start for everyone who is added to the list: %(flows)s. Switch them off there "
            "before the first run where that is not wanted.",
            flows=", ".join(flows[:5]),
        ),
    )


def bill_warning() -> str:
    return say(
        "Klaviyo bills by active profiles: everyone whom it does not have yet becomes one, and its plan may go up by "
        "itself."
    )


def revision_warnings(today: date) -> Sequence[str]:
    """From 90 days before Klaviyo stops serving the revision that this release speaks."""
    if today < SERVED_UNTIL - WARN_BEFORE:
        return ()
    return (
        say(
            "Klaviyo serves revision %(revision)s of its API until %(day)s: install a newer release of this service "
            "before.",
            revision=REVISION,
            day=SERVED_UNTIL.isoformat(),
        ),
    )
