"""What people do with connections beyond reading and saving them: check, and let go of what uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.api.service import Service
from shared.api.views import CheckView
from shared.catalog.issues import Invalid, Issue
from shared.catalog.models import Connection
from shared.catalog.store import Held
from shared.control import exports
from shared.errors import UserMustAct
from shared.vendors.contract import CheckResult


class Fate(StrEnum):
    """What becomes of an export whose connection goes."""

    DETACH = "detach"
    REMOVE = "remove"


def check(service: Service, held: Held[Connection], caller: Person, *, same_account: bool = False) -> CheckView:
    """Ask the vendor, and keep the account and what was found. A failed check is an answer, not an error.

    `same_account`: the key was replaced and leads to the same account as before. Raises Forbidden and Conflict.
    """
    catalog = service.catalog
    require(caller, Action.CHECK_CONNECTION, held.item)
    try:
        result = service.check_connection(held.item.name)
    except UserMustAct as error:
        result = CheckResult(ok=False, code=error.code, message=error.message)
    if same_account and held.item.account:
        result = replace(result, account=held.item.account)
    stored = catalog.record_check(held, result).item
    strangers = catalog.strangers(stored) if result.ok else []
    return CheckView(
        ok=result.ok,
        code=result.code,
        message=result.message,
        account=stored.account,
        details=dict(result.details),
        checked_at=catalog.now(),
        warnings=[f'The export "{each}" belongs to another account: save it again.' for each in strangers],
    )


def remove(
    service: Service,
    held: Held[Connection],
    caller: Person,
    fates: Mapping[str, Fate],
    *,
    keep_members: bool = False,
) -> None:
    """Detach or remove each export that uses the connection, then delete it.

    `fates` is export -> what becomes of it, and has to name them all. Raises Invalid, NotNow (an export runs, or has
    people on its lists and `keep_members` is not said) and what deleting raises; what was done before stays done.
    """
    undecided = [name for name in service.catalog.users(held.item.name) if name not in fates]
    if undecided:
        raise Invalid([Issue(f"/exports/{name}", "Choose: detach or remove.") for name in undecided])
    for name in service.catalog.users(held.item.name):
        export = service.catalog.export(name)
        if fates[name] is Fate.DETACH:
            exports.detach(service, export, caller)
        else:
            exports.delete(service, export, caller, keep_members=keep_members)
    service.catalog.delete_connection(held, caller)
