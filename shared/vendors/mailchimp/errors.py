"""How Mailchimp says what went wrong, and that for people. Pure. Facts: Mailchimp contract, sections 4, 8 and 9.

The words of an error may hold addresses, so they are scrubbed before anybody sees them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.answers import Answer
from shared.wording import Message, say

_CENTRE = re.compile(r"datacenter\W+([a-z]{2}\d{1,3})\b")


def is_problem(answer: Answer) -> bool:
    """Whether Mailchimp itself says it: what stands before Mailchimp answers without JSON."""
    return bool(answer.object_or_empty())


def words(answer: Answer) -> str:
    """What Mailchimp says, fit for people; the status where it has no word for it."""
    found = answer.object_or_empty()
    text = next((found[name] for name in ("detail", "title") if isinstance(found.get(name), str) and found[name]), "")
    return Message(excerpt(text)) if text else say("status %(status)s", status=str(answer.status))


def wrong_fields(problem: Mapping[str, Any]) -> list[str]:
    """Tags of the merge fields that an error blames."""
    found = problem.get("errors")
    named = [each.get("field") for each in found if isinstance(each, dict)] if isinstance(found, list) else []
    return [each for each in named if isinstance(each, str) and each]


def refusal(answer: Answer) -> UserMustAct:
    """A 401 or 403 of Mailchimp's, for people."""
    if answer.status == 401:
        return UserMustAct(
            "bad_credentials",
            say(
                "Mailchimp does not know this API key: check that it is complete, that nobody revoked it, and that the "
                "data centre is the account's."
            ),
        )
    detail = answer.object_or_empty().get("detail")
    if isinstance(detail, str) and (match := _CENTRE.search(detail)):
        return UserMustAct(
            "wrong_data_centre",
            say(
                "This API key belongs to Mailchimp's data centre %(centre)s: write that into the settings of the "
                "connection.",
                centre=match[1],
            ),
        )
    return UserMustAct(
        "forbidden",
        say(
            "Mailchimp does not let this connection do that (%(why)s): use a key of somebody who may change the "
            "audience.",
            why=words(answer),
        ),
    )


def audience_vanished() -> UserMustAct:
    return UserMustAct(
        "audience_unknown",
        say("The Mailchimp account has no audience of this ID: check the connection to see those that there are."),
    )
