"""Campaign Monitor's error codes, and what they mean for a person. Contract, sections 1, 2, 4, 5 and 8."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.vendors.contract import Evidence, Outcome, Receipt, Retry

TOO_MANY_ROWS = 209
SOME_FAILED = 210
NAME_TAKEN = 250
FIELD_EXISTS = 255
TOKEN_REFUSED = frozenset({120, 121, 122})
"""An access token that is not known, ran out or was revoked; another worker's refresh may be the reason."""
UNKNOWN_IDS = frozenset({101, 102})
"""A list or client that the account does not have; they come with the status of a bad key."""

SUPPRESSED, UNSUBSCRIBED, BOUNCED = "suppressed", "unsubscribed", "bounced"
DELETED, BAD_MOBILE = "deleted", "bad_mobile"
"""Receipts by these codes may get a second try."""


def rejected(code: str, reason: str, retry: Retry) -> Receipt:
    return Receipt(Outcome.REJECTED, code, reason, retry)


LEFT_ALONE: Mapping[str, Receipt] = {
    code: Receipt(Outcome.SKIPPED, code, reason)
    for code, reason in (
        (SUPPRESSED, "The person is on the client's suppression list in Campaign Monitor and is left as they are."),
        (UNSUBSCRIBED, "The person unsubscribed in Campaign Monitor and stays so until they subscribe again."),
        (BOUNCED, "Mail to this address bounced, so Campaign Monitor keeps it aside: correct it at its source."),
    )
}
"""People who are neither added, changed nor taken off: a removal would forget why they get no mail."""

_INVALID = rejected(
    "invalid_email",
    "Campaign Monitor does not accept the e-mail address: correct it at its source.",
    Retry.WHEN_CHANGED,
)

IMPORTED: Mapping[int, Receipt] = {
    1: _INVALID,
    204: LEFT_ALONE[SUPPRESSED],
    205: rejected(
        DELETED,
        "Somebody deleted this person from the list in Campaign Monitor and is not overruled: add them there by hand.",
        Retry.NEXT_RUN,
    ),
    206: LEFT_ALONE[UNSUBSCRIBED],
    207: LEFT_ALONE[BOUNCED],
    208: Receipt(Outcome.SKIPPED, "unconfirmed", "The person has yet to confirm that they want to be on the list."),
    220: rejected(BAD_MOBILE, "Campaign Monitor does not accept the mobile number: correct it.", Retry.WHEN_CHANGED),
    221: _INVALID,
}
"""Code of an imported row that failed -> its receipt."""

GONE = Receipt(Outcome.ACCEPTED, "not_on_list", "The person was not on the list any more.", None, Evidence.CONFIRMED)

REMOVED: Mapping[int, Receipt] = {1: _INVALID, 203: GONE}
"""Code of a removal that was refused -> its receipt."""


def unknown(reason: str) -> Receipt:
    return Receipt(Outcome.UNKNOWN, "unknown", reason)


def receipt(table: Mapping[int, Receipt], code: int, message: str) -> Receipt:
    """What a code means for one person; `message` is the vendor's own, scrubbed."""
    words = f"Campaign Monitor refuses this person: {message} (code {code})."
    return table.get(code) or rejected("refused", words, Retry.NEXT_RUN)


def number(value: Any) -> int | None:
    """A code or count, which may come as a number or as text; None for anything else."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
