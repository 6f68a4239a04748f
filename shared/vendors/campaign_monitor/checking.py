"""The connection check: what is wrong, and what to do about it. Contract, section 1."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from shared.cloud.scrubbing import excerpt
from shared.errors import ExportError, LeaseLost, UserMustAct
from shared.vendors.answers import RateLimited, Unreachable, Unreadable
from shared.vendors.campaign_monitor.api import Api
from shared.vendors.campaign_monitor.responses import Named
from shared.vendors.contract import CheckResult

NAMED_CLIENTS = 10
"""Clients that the message names; the details have them all."""

_ID = re.compile(r"[0-9A-Za-z-]{1,64}")
_FAILURES = (
    (Unreachable, "unreachable", "Campaign Monitor could not be reached: check the network and try again."),
    (RateLimited, "rate_limited", "Campaign Monitor limits the rate at the moment: try again in a minute."),
    (
        Unreadable,
        "unexpected_answer",
        "Something answers that is not Campaign Monitor: check the network and try again.",
    ),
)


def check(api: Api, account: Callable[[], str]) -> CheckResult:
    """Ask for the client's lists; where the client is not known, for the clients that there are."""
    try:
        lists = api.lists()
    except LeaseLost:
        raise
    except UserMustAct as error:
        wrong_client = error.code in ("client_missing", "client_unknown")
        return _offer_clients(api, error) if wrong_client else _explained(error)
    except ExportError as error:
        return _explained(error)
    message = f"Connected to Campaign Monitor; the client has {len(lists)} lists."
    return CheckResult(True, message, account=account(), details={"lists": str(len(lists))})


def _offer_clients(api: Api, problem: UserMustAct) -> CheckResult:
    try:
        clients = [each for each in api.clients() if _ID.fullmatch(each.id)]
    except LeaseLost:
        raise
    except ExportError as error:
        if isinstance(error, UserMustAct) and error.code == "forbidden":
            words = f"{problem.message} Set client_id to the ID in the client's settings, API keys."
            return CheckResult(False, words, code=problem.code)
        return _explained(error)
    details = {f"client {each.id}": excerpt(each.name, 80) for each in clients}
    return CheckResult(False, f"{problem.message} {_offer(clients)}", code=problem.code, details=details)


def _offer(clients: Sequence[Named]) -> str:
    if not clients:
        return "The connection reaches no client at all: use a key or a sign-in of the account that has the lists."
    named = ", ".join(f"{each.id} ({excerpt(each.name, 60)})" for each in clients[:NAMED_CLIENTS])
    more = f" and {len(clients) - NAMED_CLIENTS} more" if len(clients) > NAMED_CLIENTS else ""
    return f"Set client_id to one of: {named}{more}."


def _explained(error: ExportError) -> CheckResult:
    if isinstance(error, UserMustAct):
        return CheckResult(False, error.message, code=error.code)
    for kind, code, message in _FAILURES:
        if isinstance(error, kind):
            return CheckResult(False, message, code=code)
    return CheckResult(False, str(error), code="not_checked")
