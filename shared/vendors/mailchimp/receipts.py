"""Answers to receipts: what became of people. Pure. Facts: Mailchimp contract, sections 3, 4 and 9."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shared.cloud.scrubbing import excerpt
from shared.vendors import presence
from shared.vendors.contract import CONFIRMED, Evidence, Kind, Outcome, Receipt, Retry
from shared.vendors.mailchimp.definition import DEFINITION
from shared.vendors.mailchimp.responses import RowRefusal
from shared.wording import Message, say

EXISTS_CODE = "ERROR_CONTACT_EXISTS"

EXISTS = Receipt(Outcome.ACCEPTED, "exists", evidence=Evidence.CONFIRMED)
"""Of somebody who is in the audience already: nothing was written, and the tag follows."""

LEFT_ALONE: Mapping[str, Receipt] = {
    "unsubscribed": Receipt(
        Outcome.SKIPPED, "unsubscribed", say("The person unsubscribed in Mailchimp, and is left alone.")
    ),
    "cleaned": Receipt(
        Outcome.SKIPPED, "cleaned", say("Mail to this person bounced, so that Mailchimp cleaned them: left alone.")
    ),
    "archived": Receipt(
        Outcome.SKIPPED, "archived", say("The person is archived in Mailchimp, and is not brought back.")
    ),
    "pending": Receipt(
        Outcome.SKIPPED, "pending", say("The person has not confirmed their subscription in Mailchimp: left alone.")
    ),
}
"""People whom no addition and no change touches, by their status in the audience."""

_OPTED_OUT = Receipt(
    Outcome.SKIPPED, "opted_out", say("Mailchimp may not add this person: they unsubscribed, or mail to them bounced.")
)
_FORGOTTEN = Receipt(
    Outcome.SKIPPED, "forgotten", say("The person was deleted for good in Mailchimp, which does not take them back.")
)
_ADDRESS = Receipt(
    Outcome.REJECTED, "invalid_email", say("Mailchimp does not accept the e-mail address."), Retry.WHEN_CHANGED
)
_BUSY = Receipt(
    Outcome.REJECTED,
    "signed_up_often",
    say("This address signed up to many lists lately, so that Mailchimp does not take it at the moment."),
    Retry.NEXT_RUN,
)
_BY_TEXT: tuple[tuple[str, Receipt], ...] = (
    ("permanently deleted", _FORGOTTEN),
    ("compliance state", _OPTED_OUT),
    ("looks fake or invalid", _ADDRESS),
    ("valid email address", _ADDRESS),
    ("should not be blank", _ADDRESS),
    ("signed up to a lot of lists", _BUSY),
)
"""Words of a refusal, in small letters -> receipt: the code alone says nothing (contract, section 4a)."""

NOT_IN_AUDIENCE = Receipt(
    Outcome.REJECTED,
    "not_in_audience",
    say(
        "The Mailchimp audience does not have this person, and nobody decided that new people may be added: an "
        "administrator does that on the connection."
    ),
    Retry.NEXT_RUN,
)
TAG_PENDING = Receipt(
    Outcome.REJECTED,
    "tag_pending",
    say("The person is in the audience now, but has not got the tag yet: the next run goes on."),
    Retry.NEXT_RUN,
)
VALUES_PENDING = Receipt(
    Outcome.UNKNOWN, "values_pending", say("The person has the tag, but perhaps not the values: the next run goes on.")
)
TOO_LARGE = Receipt(
    Outcome.REJECTED, "too_large", say("What is sent of this person is too large for Mailchimp."), Retry.WHEN_CHANGED
)
SAME_PERSON = Receipt(
    Outcome.REJECTED,
    "same_person",
    say("In Mailchimp this person has the address of another person of the same batch."),
    Retry.NEXT_RUN,
)
JOB_GONE = Receipt(Outcome.UNKNOWN, "job_gone", say("Mailchimp no longer knows what became of the job."))
JOB_LATE = Receipt(Outcome.UNKNOWN, "job_late", say("Mailchimp did not finish the job in time."))
NOT_NAMED = Receipt(Outcome.UNKNOWN, "not_named", say("Mailchimp did not say what became of this person."))


def refused(why: str) -> Receipt:
    """Of a call that was refused as a whole."""
    reason = say("Mailchimp refused the request that this person was in: %(why)s", why=why)
    return Receipt(Outcome.REJECTED, "refused", reason, Retry.NEXT_RUN)


def not_added(refusal: RowRefusal) -> Receipt:
    """Of somebody new whom Mailchimp did not take."""
    if refusal.code == EXISTS_CODE:
        return EXISTS
    text = refusal.text.casefold()
    if known := next((receipt for words, receipt in _BY_TEXT if words in text), None):
        return known
    reason = say("Mailchimp did not add this person: %(why)s", why=Message(excerpt(refusal.text or refusal.code)))
    retry = Retry.WHEN_CHANGED if refusal.field else Retry.NEXT_RUN
    return Receipt(Outcome.REJECTED, "field_refused" if refusal.field else "not_added", reason, retry)


def not_tagged(why: str) -> Receipt:
    reason = say("Mailchimp did not change the tag of this person: %(why)s", why=Message(excerpt(why)))
    return Receipt(Outcome.REJECTED, "not_tagged", reason, Retry.NEXT_RUN)


def values_refused(kind: Kind, why: str, names: Sequence[str]) -> Receipt:
    """Of somebody whose values Mailchimp does not take. Whoever was just tagged is on the target all the same."""
    if kind is Kind.ADD:
        return CONFIRMED.without(names)
    reason = say("Mailchimp does not accept what is sent of this person: %(why)s", why=why)
    return Receipt(Outcome.REJECTED, "invalid_data", reason, Retry.WHEN_CHANGED)


def missing(kind: Kind) -> Receipt:
    """Of somebody whom the audience does not have, though it did a moment ago, or should."""
    return NOT_IN_AUDIENCE if kind is Kind.ADD else presence.missing(DEFINITION.label)[kind]
