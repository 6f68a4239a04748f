"""What the Dotdigital contract leaves open, section by section, and what a probe does not try."""

from __future__ import annotations

from shared.vendors.contract import Question

_REFUSED_PEOPLE = "it takes somebody who unsubscribed or was suppressed, and a probe makes nobody that"

QUESTIONS = (
    Question(
        "forbidden_body",
        "What does a region answer that the account is not in?",
        "1",
        "the password goes to the account's own region only",
    ),
    Question("list_statuses", "With which status are an unknown list and a name that is taken refused?", "2"),
    Question("list_count", "Is the number of contacts of a list up to date?", "2"),
    Question("field_case", "Are names of data fields told apart by case?", "3"),
    Question("most_fields", "How many data fields may an account have?", "3", "it would fill up the account"),
    Question("unknown_field", "What becomes of an imported row with a data field that the account lacks?", "3"),
    Question("gzip", "Are compressed requests accepted?", "4", "exports send none"),
    Question("oversize", "With which status is a request of more than 50 MB refused?", "4", "exports stay below 10 MB"),
    Question("null_if_not_empty", "Does null clear a field where only empty cells are to be left alone?", "4"),
    Question("revived", "Whom does the status `subscribed` bring back?", "4", _REFUSED_PEOPLE),
    Question("rejoined", "Does adding to a list bring back who unsubscribed from it?", "4", _REFUSED_PEOPLE),
    Question("poll_tier", "In which tier of calls is asking for an import's status?", "5"),
    Question("retention", "For how long can an import be asked about?", "5", "it takes days"),
    Question("most_ids", "Are 5,000 contact ids accepted in one removal?", "7"),
    Question("removal_keys", "Is a removal's progress told with keys like `Id`, or like `id`?", "7"),
    Question("list_reading", "Is a list read with those who unsubscribed from it?", "8", _REFUSED_PEOPLE),
    Question("tier_limits", "How many calls a minute does each tier allow?", "9"),
    Question("limited_body", "What is the body of a refusal for the rate?", "9", "it takes going over the limit"),
    Question("reset_meaning", "Is X-RateLimit-Reset a moment, or seconds to wait?", "9"),
    Question(
        "consent_twice",
        "Is a consent recorded twice that is sent twice?",
        "11",
        "it would record a consent that nobody gave",
    ),
    Question("duplicate_rows", "Which of two rows with the same address counts?", "11"),
    Question("v2_collection", "How large may an import by the older calls be?", "12", "exports do not use those"),
)
