"""What the Iterable contract leaves open, section by section, and what a probe does not try."""

from __future__ import annotations

from shared.vendors.contract import Question

_OVERLOAD = "finding a limit takes going over it, and the project's other integrations would be slowed down with us"

QUESTIONS = (
    Question("project_type", "Do profiles tell what type of project it is?", "2"),
    Question("list_name_twice", "May two lists have the same name?", "3"),
    Question("list_name_length", "May a list's name have 256 characters?", "3"),
    Question("no_ops", "How does an addition that changes nothing count?", "4"),
    Question("most_rows", "Does a request with more than 1,000 rows go through?", "4"),
    Question("oversize", "What is the answer to a request of more than 4 MB?", "4"),
    Question("write_rate", "How many additions and removals a second are allowed?", "4", _OVERLOAD),
    Question(
        "channel_default",
        "Does a removal unsubscribe from the channel where it does not say otherwise?",
        "5",
        "it could unsubscribe the canary from the whole channel; exports always say otherwise",
    ),
    Question("type_mismatch", "Does a value of the wrong type fail its row, or the whole request?", "6"),
    Question("retry_after", "Does a refusal for the rate always say how long to wait?", "8", _OVERLOAD),
    Question("duplicate_rows", "Which of two rows with the same address counts?", "10"),
)
