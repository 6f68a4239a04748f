"""Is this an e-mail address? A regular expression settles nearly all rows inside DuckDB; email-validator the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from shared.mailbox import with_ascii_domain
from shared.wording import say

MISSING = "address_missing"
INVALID = "address_invalid"
DOUBTFUL = "doubtful"

REASONS = {
    MISSING: say("The row has no e-mail address."),
    INVALID: say("This is not a valid e-mail address."),
}

_ATOM = r"[a-z0-9!#$%&''*+/=?^_{|}~-]+"
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_PLAIN = rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z]{{2,63}}"


def has_other_domain(address: str) -> str:
    """SQL: whether `with_ascii_domain` may change the address."""
    return rf"(strlen({address}) > length({address}) AND regexp_matches({address}, '@[^@]*[^\x00-\x7F]'))"


def problem(address: str) -> str:
    """SQL over a normalised address: NULL when it is good, MISSING, INVALID, or DOUBTFUL when `is_valid` must say."""
    return (
        f"CASE WHEN {address} = '' THEN '{MISSING}' "
        f"WHEN length({address}) > 254 OR instr({address}, '@') NOT BETWEEN 2 AND 65 THEN '{INVALID}' "
        f"WHEN regexp_full_match({address}, '{_PLAIN}') THEN NULL "
        rf"WHEN regexp_matches({address}, '[\s,;<>()]') THEN '{INVALID}' "
        f"ELSE '{DOUBTFUL}' END"
    )


def invalid(addresses: Iterable[str]) -> Iterator[str]:
    """Those that are not valid addresses in the form in which they stand."""
    from email_validator import EmailNotValidError, validate_email

    for address in addresses:
        try:
            found = validate_email(address, check_deliverability=False, allow_smtputf8=False, allow_quoted_local=True)
        except EmailNotValidError:
            yield address
        else:
            written = found.normalized.lower()  # with letters in the domain, whatever stood there
            if address not in (written, with_ascii_domain(written)):
                yield address
