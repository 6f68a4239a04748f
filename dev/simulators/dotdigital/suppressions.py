"""The v2 endpoints that tell who said no, to the account or to a list (v2 specification: ApiContactSuppression)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.dotdigital import answers, bodies, reading
from dev.simulators.dotdigital.account import WILLING, Account, Contact, MailingList
from dev.simulators.dotdigital.answers import cased
from dev.simulators.dotdigital.desk import Desk
from dev.simulators.dotdigital.settings import Settings

_MOMENT = re.compile(r"\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}:\d{2}(?:\.\d{1,7})?(?:Z|[+-]\d{2}:\d{2})?)?")
# Any letters -> the spelling of ApiContactStatuses, which has fewer values than v3's emailChannelStatus.
_V2_STATUSES = {
    name.lower(): name
    for name in (
        "Subscribed", "Unsubscribed", "SoftBounced", "HardBounced", "IspComplained", "MailBlocked", "PendingOptIn",
        "DirectComplaint", "Deleted", "SharedSuppression", "Suppressed", "NotAllowed", "DomainSuppression",
        "NoMxRecord",
    )
}  # fmt: skip


class No(NamedTuple):
    """Somebody said no at `when`, epoch seconds; `reason` is the status that this gave."""

    when: float
    contact: Contact
    reason: str


class SuppressionCalls:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", "/v2/address-books/{id:int}/contacts/unsubscribed-since/{date}", self._of_list),
            Endpoint("GET", "/v2/contacts/suppressed-since/{date}", self._suppressed),
            Endpoint("GET", "/v2/contacts/unsubscribed-since/{date}", self._unsubscribed),
        ]

    def _of_list(self, call: Call) -> Answer:
        account = self._desk.of(call)
        mailing_list = account.lists.get(call.parameters["id"])
        if mailing_list is None:
            raise Refusal(answers.v2_error(self._desk.settings, "ERROR_ADDRESSBOOK_NOT_FOUND"))
        return self._page(call, _to_list(account, mailing_list))

    def _suppressed(self, call: Call) -> Answer:
        """For whatever reason: having unsubscribed is one."""
        return self._page(call, _to_account(self._desk.of(call)))

    def _unsubscribed(self, call: Call) -> Answer:
        every = _to_account(self._desk.of(call))
        return self._page(call, (each for each in every if each.reason == "unsubscribed"))

    def _page(self, call: Call, every: Iterable[No]) -> Answer:
        settings = self._desk.settings
        since, some = _since(call, settings), bodies.v2_page(call, settings)
        told = (each for each in every if each.when >= since and each.contact.email is not None)
        in_order = sorted(told, key=lambda each: (each.when, each.contact.id))
        return json_answer([suppression(each, settings) for each in in_order[some]])


def suppression(no: No, settings: Settings) -> dict[str, Any]:
    """`status` is the contact's own: who left but a list is still subscribed (the specification's own example)."""
    contact, case = no.contact, settings.enum_case
    shown = {
        "id": contact.id,
        "email": contact.email,
        "optInType": cased(contact.opt_in_type, case, spec_is_pascal=True),
        "emailType": cased(contact.email_type, case, spec_is_pascal=True),
        "dataFields": None,
        "status": _status(contact.status, settings),
    }
    return {
        "suppressedContact": shown,
        "dateRemoved": reading.iso(no.when),
        "reason": _status(no.reason, settings),
    }


def _status(status: str, settings: Settings) -> str:
    known = _V2_STATUSES.get(status.lower(), "NotAvailableInThisVersion")
    return cased(known, settings.enum_case, spec_is_pascal=True)


def _to_account(account: Account) -> Iterator[No]:
    people = account.contacts.values()
    return (No(each.said_no_at, each, each.status) for each in people if each.status not in WILLING)


def _to_list(account: Account, mailing_list: MailingList) -> Iterable[No]:
    """Everybody once, as of the last time they said no, to the account or to this list."""
    known = ((account.contacts.get(number), when) for number, when in mailing_list.said_no.items())
    last = {contact.id: No(when, contact, "unsubscribed") for contact, when in known if contact is not None}
    for no in _to_account(account):
        number = no.contact.id
        was_on = mailing_list is account.everyone or number in mailing_list.members or number in mailing_list.former
        earlier = last.get(number)
        if was_on and (earlier is None or no.when >= earlier.when):
            last[number] = no
    return last.values()


def _since(call: Call, settings: Settings) -> float:
    """The moment in the path, epoch seconds; without a zone it is in UTC."""
    text = call.parameters["date"]
    try:
        moment = datetime.fromisoformat(text) if _MOMENT.fullmatch(text) else None
    except ValueError:
        moment = None
    if moment is None:
        raise Refusal(answers.v2_error(settings, "ERROR_PARAMETER_INVALID"))
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
