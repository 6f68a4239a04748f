"""What is wrong with a form, in the words of the page: the field as the page names it, why, and what to do. The API's
messages name properties and stay as they are there."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.catalog.issues import Issue
from shared.wording import Message, say

_SHORT = frozenset({"Write at least %(number)s characters.", "Give at least %(number)s.", "This is required."})
_OWNED = (
    'The list %(list)s belongs to the export "%(export)s", and a list has one export. Give this export a '
    'list of its own: leave list_id out and set list_name, for example to "%(name)s (%(own)s)".'
)
_UNKNOWN_CHOICE = frozenset({"Choose one of %(choices)s."})
NO_CONNECTION = say("Connection: nothing is chosen. Choose the account that people are sent to.")

TABLE: tuple[tuple[str, frozenset[str], Message], ...] = (
    ("/display_name", _SHORT, say("Name: people find it by its name. Write one, for example what it is for.")),
    ("/vendor", _UNKNOWN_CHOICE, say("Vendor: nothing is chosen. Choose who sends the mail.")),
    (
        "/connection",
        frozenset({"The export has no connection: choose one."}),
        NO_CONNECTION,
    ),
    (
        "/connection",
        frozenset({"The connection has no recorded consent: have an administrator agree first."}),
        say(
            "Connection: nobody has agreed yet that people may be sent over it. Have an administrator edit the "
            "connection and tick I agree, or choose another one."
        ),
    ),
    (
        "/connection",
        frozenset({"The connection's account is not known: check the connection first."}),
        say(
            "Connection: it has not been connected yet, so its account is not known. Have an administrator open the "
            "connection and press Connect, or choose another one."
        ),
    ),
    (
        r"/targets/\d+/segments",
        _SHORT,
        say("Segments: none is chosen, so nobody would be on the list. Tick at least one."),
    ),
    (r"/targets/\d+/list_id", _SHORT, say("List: which one of those that exist is not chosen. Choose it, or its id.")),
    (r"/targets/\d+/list_name", _SHORT, say("List: it has no name. Write one, or choose Named after the segment.")),
    (
        r"/targets/\d+",
        frozenset({_OWNED}),
        say(
            "List: %(list)s belongs to the export %(export)s, and a list has one export. Choose Another name, for "
            "example %(name)s (%(own)s)."
        ),
    ),
    (
        "/address_column",
        _SHORT,
        say("Column with the e-mail address: none is chosen. Choose the column that has one in each row."),
    ),
    (r"/matching/\d+/field", _SHORT, say("Data matching: a row has a column and no field. Choose one, or remove it.")),
    (r"/matching/\d+/column", _SHORT, say("Data matching: a row has a field and no column. Choose one, or remove it.")),
)
"""Place and texts of messages for programs -> what the page says. Values keep their names."""


def in_page_words(issues: Iterable[Issue]) -> list[Issue]:
    """Each issue as a page says it."""
    return [Issue(issue.pointer, _words(issue)) for issue in issues]


def _words(issue: Issue) -> str:
    text = issue.message.text if isinstance(issue.message, Message) else issue.message
    for place, texts, words in TABLE:
        if text in texts and re.fullmatch(place, issue.pointer):
            return words.filled(**issue.message.values) if isinstance(issue.message, Message) else words
    return issue.message
