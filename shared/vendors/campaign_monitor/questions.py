"""What the Campaign Monitor contract leaves open, section by section, and what a probe does not try."""

from __future__ import annotations

from shared.vendors.contract import Question

_SIGN_IN = "trying it could end the connection's own sign-in"
_REFUSED_PEOPLE = "it takes somebody who unsubscribed, bounced or was suppressed, and a probe makes nobody that"
_OVERLOAD = "finding a limit takes going over it, and the account's other integrations would be slowed down with us"

QUESTIONS = (
    Question("refresh_rotation", "Is a refresh token good once, and for how long?", "1", _SIGN_IN),
    Question("sign_in_refused", "With which status is a sign-in refused?", "1", _SIGN_IN),
    Question(
        "reading_scope",
        "Which permission does reading people take?",
        "1",
        "it takes a sign-in with fewer permissions than the connection's",
    ),
    Question("clients", "Does this connection's key see the clients of the account?", "1"),
    Question("unknown_list", "How is a list refused that does not exist?", "2"),
    Question("field_key", "What does Campaign Monitor make of a custom field's name?", "3"),
    Question("most_fields", "How many custom fields may a list have?", "3", "it takes a great many requests"),
    Question("field_name_length", "May a custom field's name have 100 characters?", "3"),
    Question("long_value", "What becomes of a value of more than 250 characters?", "3"),
    Question("bracketed_key", "May the key of a value stand in brackets?", "3"),
    Question("name_omitted", "Is the name cleared that an import leaves out?", "4"),
    Question("all_failed", "How is an import answered of which every row fails?", "4"),
    Question("most_bytes", "Is an import of 4 MB accepted?", "4"),
    Question("consent_errors", "Does a row without ConsentToTrack fail alone, or the whole import?", "4"),
    Question("unchanged_new", "What does an unchanged consent mean for somebody new?", "4"),
    Question("duplicate_rows", "Which of two rows with the same address counts?", "4"),
    Question("deleted_told", "Does an import tell that somebody was taken off the list before?", "4"),
    Question("refusals_told", "Does an import tell everyone who said no?", "4", _REFUSED_PEOPLE),
    Question("malformed", "With which code is a request refused that is no JSON?", "4"),
    Question("concurrency", "How many imports may be under way at once?", "4", _OVERLOAD),
    Question("absent_removed", "How is a removal answered of somebody who is not on the list?", "5"),
    Question("date_required", "Does reading a list's people take a date?", "6"),
    Question("past_last_page", "How is a page answered that a list does not have?", "6"),
    Question("absent_read", "How is somebody answered who is not on the list?", "6"),
    Question("list_count", "Is the number of subscribers of a list up to date?", "6"),
    Question("review", "Does a large first import hold up the account for review?", "10", "it takes a large import"),
)
