"""What people do with connections beyond reading and saving them: check, and let go of what uses them."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import replace
from datetime import datetime
from enum import StrEnum

from pydantic import Field

from shared.access.actions import Action, require
from shared.access.person import Person
from shared.catalog.catalog import Catalog
from shared.catalog.issues import Invalid, Issue, NotNow
from shared.catalog.models import Connection
from shared.catalog.store import Held
from shared.control import exports
from shared.control.service import Service
from shared.control.views import View
from shared.errors import UserMustAct
from shared.vendors.contract import SWITCHED, CheckResult, Definition
from shared.wording import Said, say


class CheckView(View):
    """What a connection check found."""

    ok: bool
    code: str
    message: Said
    account: str | None
    details: dict[str, str]
    checked_at: datetime
    warnings: list[Said] = Field(default_factory=list)


class Switch(StrEnum):
    """What a person says of an account that is not the one in which exports have their lists."""

    SAME = "same"
    """It is the same one with a new key: the lists and what is known of them stay."""
    OTHER = "other"
    """It is another one: each export has to be saved again, and begins a list there."""


class Fate(StrEnum):
    """What becomes of an export whose connection goes."""

    DETACH = "detach"
    REMOVE = "remove"


def check(service: Service, held: Held[Connection], caller: Person, *, switch: Switch | None = None) -> CheckView:
    """Ask the vendor, and keep the account and what was found. A failed check is an answer, not an error.

    An account that is not that of the exports is kept only where `switch` says so; else the check fails with the code
    `account_switched`. Raises Forbidden and Conflict.
    """
    catalog = service.catalog
    require(caller, Action.CHECK_CONNECTION, held.item)
    try:
        result = service.check_connection(held.item.name)
    except UserMustAct as error:
        result = CheckResult(ok=False, code=error.code, message=error.message)
    result = _settled(service.catalog, held.item, result, switch)
    stored = catalog.record_check(held, result).item
    strangers = catalog.strangers(stored) if result.ok else []
    return CheckView(
        ok=result.ok,
        code=result.code,
        message=result.message,
        account=stored.account,
        details=dict(result.details),
        checked_at=catalog.now(),
        warnings=[
            say('The export "%(export)s" belongs to another account: save it again.', export=each) for each in strangers
        ],
    )


def _settled(catalog: Catalog, connection: Connection, result: CheckResult, switch: Switch | None) -> CheckResult:
    """The result with the account that is to be kept, or the refusal to choose one."""
    found, accounts = result.account, catalog.accounts(connection.name)
    if not result.ok or found is None:
        return result
    definition = catalog.definitions[connection.vendor]
    former = _former(connection.account, accounts, found)
    if switch is Switch.SAME and definition.account_is_key and former:
        return replace(result, account=former)
    known = {connection.account} if connection.account else accounts
    if switch is Switch.OTHER or found in known or accounts <= {found}:
        return result
    return CheckResult(False, _question(definition), code=SWITCHED, details=result.details)


def _former(stored: str | None, accounts: Set[str], found: str) -> str | None:
    """The account before this one: the stored one, else that of the exports; None where neither says it plainly."""
    if stored and stored != found:
        return stored
    others = accounts if found not in accounts else set[str]()
    return next(iter(others)) if len(others) == 1 else None


def _question(definition: Definition) -> str:
    if definition.account_is_key:
        return say(
            "The key is new, and %(vendor)s does not tell to which account it belongs. Say whether it is the same "
            "account with a new key, or another account. Until then the exports on this connection do not run.",
            vendor=definition.label,
        )
    return say(
        "This is another account at %(vendor)s than the one that the exports have their lists in. Give the "
        "connection what leads to that one, or take over the new account. Until then the exports on this "
        "connection do not run.",
        vendor=definition.label,
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

    `fates` is export -> what becomes of it, and has to name them all. Raises Invalid, NotNow (exports have it beside
    their own; an export runs, or has people on its lists and `keep_members` is not said) and what deleting raises;
    what was done before stays done.
    """
    if beside := service.catalog.beside(held.item.name):
        words = say(
            "Exports have this connection beside their own: %(exports)s. Leave it out of them first.",
            exports=", ".join(beside),
        )
        raise NotNow("in_use", words)
    undecided = [name for name in service.catalog.users(held.item.name) if name not in fates]
    if undecided:
        raise Invalid([Issue(f"/exports/{name}", say("Choose: detach or remove.")) for name in undecided])
    for name in service.catalog.users(held.item.name):
        export = service.catalog.export(name)
        if fates[name] is Fate.DETACH:
            exports.detach(service, export, caller)
        else:
            exports.delete(service, export, caller, keep_members=keep_members)
    service.catalog.delete_connection(held, caller)
