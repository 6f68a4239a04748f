"""What a bulk request's answer says about its rows; nothing here talks to anyone. Iterable contract, sections 4 to 6.

Status 200 says nothing by itself: failures are named in arrays, and the counts must leave nothing open.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.mailbox import normalised
from shared.vendors import presence
from shared.vendors.answers import Answer, UnexpectedAnswer
from shared.vendors.batches import UNKNOWN, Reading, halves, nobody_fits, refused
from shared.vendors.contract import CONFIRMED, Evidence, Kind, Outcome, Receipt, Retry, Row
from shared.vendors.iterable import mismatch
from shared.vendors.iterable.definition import DEFINITION
from shared.vendors.iterable.responses import envelope, is_count
from shared.vendors.ready import addresses as addresses_of
from shared.wording import Message, say


def _rejected(code: str, reason: str, retry: Retry) -> Receipt:
    return Receipt(Outcome.REJECTED, code, reason, retry)


def _always(receipt: Receipt) -> dict[Kind, Receipt]:
    return dict.fromkeys(Kind, receipt)


LEFT_OUT = Receipt(
    Outcome.ACCEPTED,
    "values_left_out",
    say("A value does not fit its field in Iterable, so the person was sent without it."),
    evidence=Evidence.CONFIRMED,
)
MISFITS = frozenset({"invalid_data", "wrong_type"})
"""Codes of people whose own values are to blame. Where nobody's fit, the field is, and a person has to look at it."""

_NO_FIT = _rejected("invalid_data", say("A value does not fit its field in Iterable."), Retry.WHEN_CHANGED)

RECEIPTS: Mapping[str, Mapping[Kind, Receipt]] = {
    "forgotten": {
        **_always(_rejected("forgotten", say("The person asked Iterable to be forgotten."), Retry.NEVER)),
        # Whoever was forgotten is off the list; a rejected removal would send their address again at every run.
        Kind.REMOVE: Receipt(
            Outcome.ACCEPTED,
            "forgotten",
            say("Iterable does not know this person any more, so they are not on the list."),
            evidence=Evidence.CONFIRMED,
        ),
    },
    "invalid": _always(
        _rejected("invalid_email", say("Iterable does not accept the e-mail address."), Retry.WHEN_CHANGED)
    ),
    "conflict": _always(
        _rejected("conflict", say("The address collides with another profile in Iterable."), Retry.NEXT_RUN)
    ),
    "invalidData": _always(_NO_FIT),
    "notFound": presence.missing(DEFINITION.label),
}
"""Stem of a `failedUpdates` array -> what it means, by operation; the first array that names a row counts."""

_MISCOUNTED = replace(UNKNOWN, reason=say("Iterable's counts leave open what became of this person."))
_WARNINGS: Mapping[str, Message] = {
    "filteredOutFields": say("Iterable dropped fields that the project does not have: %(fields)s."),
    "createdFields": say("Iterable made new fields: %(fields)s."),
}

_CAUSES: Mapping[str, str] = {
    "ForgottenUserError": "forgotten",
    "InvalidEmailAddressError": "invalid",
    "InvalidUserIdError": "invalid",
    "Conflict": "conflict",
    "ExternalKeyConflict": "conflict",
    "EmailAlreadyExists": "conflict",
    "UserIdAlreadyExists": "conflict",
    "UnknownEmailError": "notFound",
    "UnknownUserIdError": "notFound",
}
"""Code of a refused request -> the array that would have named its row."""
_TOO_LARGE = "BatchTooLarge"


def read(kind: Kind, rows: Sequence[Row], answer: Answer) -> Reading:
    """What a bulk request's answer says about its rows.

    Raises UnexpectedAnswer, and UserMustAct when the project cannot take more fields.
    """
    if answer.status == 200:
        return _counted(kind, rows, answer.object())
    if answer.status == 413:
        return _refused(kind, rows, _TOO_LARGE, "")
    if answer.status < 400:
        answer.expect(DEFINITION.label, 200)
    body = answer.object()
    code, message = envelope(body)
    params = body.get("params")
    errors = params.get("validationErrors") if isinstance(params, dict) else None
    if code == "RequestFieldsTypesMismatched" and kind is not Kind.REMOVE and isinstance(errors, dict):
        return mismatch.narrow(rows, errors)
    _refuse_more_fields(code)
    return _refused(kind, rows, code, message)


def fields_told(answer: Answer) -> set[str]:
    """Fields of which the answer to a write says that they were made, or are not. Raises UserMustAct where the project
    cannot take more."""
    body = answer.object_or_empty()
    if answer.status != 200:
        _refuse_more_fields(str(body.get("code")))
        return set()
    named = [body.get(key) for key in _WARNINGS]
    return {str(name) for names in named if isinstance(names, list) for name in names}


def _refuse_more_fields(code: str) -> None:
    if code == "UniqueFieldsLimitExceeded":
        raise UserMustAct(
            "too_many_fields",
            say("The Iterable project cannot take more fields: match fewer of them, or have its limit raised."),
        )


def _refused(kind: Kind, rows: Sequence[Row], code: str, message: str) -> Reading:
    """A request refused as a whole: nothing of it was done."""
    if code == _TOO_LARGE:
        receipt = _rejected("too_large", say("Iterable refuses the request as too large."), Retry.WHEN_CHANGED)
    elif code in _CAUSES:
        receipt = RECEIPTS[_CAUSES[code]][kind]
    else:
        words = Message(f"{code}: {excerpt(message)}" if message else code)
        receipt = _rejected("refused", say("Iterable refuses the request: %(why)s", why=words), Retry.NEXT_RUN)
    return refused(len(rows), receipt)


def _counted(kind: Kind, rows: Sequence[Row], body: Mapping[str, Any]) -> Reading:
    """The receipts of `rows`, or which of them to send again. Raises UnexpectedAnswer."""
    succeeded, failed = _count(body, "successCount"), _count(body, "failCount")
    if succeeded + failed > len(rows):
        raise UnexpectedAnswer(say("Iterable counted more people than were sent."))
    failures = body.get("failedUpdates", {})
    if not isinstance(failures, dict):
        raise UnexpectedAnswer(say("Iterable's answer names its failures in an unknown way."))
    receipts = _named(kind, rows, failures)
    if len(receipts) == len(rows):
        receipts = dict(zip(receipts, nobody_fits([*receipts.values()], _NO_FIT, "Iterable"), strict=True))
    if len(rows) == failed == 1:
        # Whatever the one row was called, it is the one that failed.
        receipts = receipts or {0: _only_cause(kind, failures)}
    refused = len(receipts)
    unchanged = _rows_of(rows, _addresses(body, "noOpEmails")) - receipts.keys()
    receipts |= dict.fromkeys(unchanged, CONFIRMED)
    counted = succeeded + failed in (len(rows), len(rows) - len(unchanged))
    if counted and failed <= refused:
        return Reading(receipts, warnings=_warnings(body), rest=CONFIRMED)
    if len(rows) == 1:
        return Reading(receipts or {0: UNKNOWN}, warnings=_warnings(body))
    silent = [index for index in range(len(rows)) if index not in receipts]
    # Sending again is harmless: adding, changing and removing the same person twice is the same as once.
    again = halves(silent) if len(silent) == len(rows) else [silent] if silent else []
    return Reading(receipts, again, _MISCOUNTED, _warnings(body))


def _named(kind: Kind, rows: Sequence[Row], failures: Mapping[str, Any]) -> dict[int, Receipt]:
    receipts: dict[int, Receipt] = {}
    for cause, addresses in _arrays(failures, "Emails"):
        for index in _rows_of(rows, addresses):
            receipts.setdefault(index, _receipt(kind, cause))
    return receipts


def _only_cause(kind: Kind, failures: Mapping[str, Any]) -> Receipt:
    causes = [cause for suffix in ("Emails", "UserIds") for cause, names in _arrays(failures, suffix) if names]
    return _receipt(kind, causes[0] if causes else "")


def _receipt(kind: Kind, cause: str) -> Receipt:
    if cause in RECEIPTS:
        return RECEIPTS[cause][kind]
    reason = (
        say("Iterable names a reason that is new: %(cause)s.", cause=excerpt(cause, 60))
        if cause
        else say("Iterable gives no reason.")
    )
    return _rejected("refused", reason, Retry.NEXT_RUN)


def _arrays(failures: Mapping[str, Any], suffix: str) -> Iterator[tuple[str, list[str]]]:
    """(stem, names) of the arrays of failures: those we know in their order of precedence, then new ones."""
    known = [f"{cause}{suffix}" for cause in RECEIPTS]
    new = [key for key in failures if key.endswith(suffix) and key not in known]
    for key in (*known, *new):
        yield key.removesuffix(suffix), _addresses(failures, key)


def _addresses(body: Mapping[str, Any], key: str) -> list[str]:
    found = body.get(key, [])
    if not isinstance(found, list) or not all(isinstance(entry, str) for entry in found):
        raise UnexpectedAnswer(say("Iterable's answer has an unknown shape at %(key)s.", key=excerpt(key, 60)))
    return found


def _rows_of(rows: Sequence[Row], addresses: Sequence[str]) -> set[int]:
    """Rows by address, whatever Iterable did to case and surrounding spaces."""
    if not addresses:
        return set()
    wanted = {normalised(address) for address in addresses}
    return {index for index, address in enumerate(addresses_of(rows)) if normalised(address) in wanted}


def _warnings(body: Mapping[str, Any]) -> list[str]:
    """Names of fields only; never values."""
    found = [(words, body.get(key)) for key, words in _WARNINGS.items()]
    return [
        words.filled(fields=", ".join(sorted(excerpt(str(name), 80) for name in names)))
        for words, names in found
        if isinstance(names, list) and names
    ]


def _count(body: Mapping[str, Any], key: str) -> int:
    value = body.get(key)
    if not is_count(value):
        raise UnexpectedAnswer(say("Iterable's answer has no %(key)s.", key=key))
    return value
