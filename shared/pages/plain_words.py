"""What is wrong with a form, in the words of the page: the field as the page names it, why, and what to do. The API's
messages name properties and stay as they are there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from shared.catalog.issues import Issue
from shared.pages.labels import GUARDS, PARTS, SCHEDULE_FIELDS
from shared.vendors.contract import Definition
from shared.wording import Message, say, say_many

_SHORT = frozenset({"Write at least %(number)s characters.", "Give at least %(number)s.", "This is required."})
_OWNED = (
    'The list %(list)s belongs to the export "%(export)s", and a list has one export. Give this export a '
    'list of its own: leave list_id out and set list_name, for example to "%(name)s (%(own)s)".'
)
_NO_LIST = (
    "%(vendor)s has no list with the id %(id)s: give the id of one that exists (GET .../targets of the connection "
    "lists them), or leave list_id out and set list_name."
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
        "/address_column",
        _SHORT,
        say("Column with the e-mail address: none is chosen. Choose the column that has one in each row."),
    ),
    (
        "/schedule/time_zone",
        frozenset({"A cron schedule needs this."}),
        say("Time zone: none is chosen. Choose the one that the times are meant in, such as Europe/Berlin."),
    ),
    (
        "/schedule/expression",
        frozenset({"A cron schedule needs this."}),
        say("Cron expression: it is empty. Write five fields, such as 0 6 * * 1-5 for weekdays at six."),
    ),
    (r"/matching/\d+/field", _SHORT, say("Data matching: a row has a column and no field. Choose one, or remove it.")),
    (r"/matching/\d+/column", _SHORT, say("Data matching: a row has a field and no column. Choose one, or remove it.")),
    (
        r"/matching/\d+/derived/text",
        _SHORT,
        say("Data matching: the text that is sent for everyone is empty. Write it."),
    ),
    (
        r"/matching/\d+/derived/steps/\d+/other",
        _SHORT,
        say("Data matching: write what any other value is sent as."),
    ),
    (
        r"/matching/\d+/derived/steps/\d+/values",
        _SHORT,
        say("Data matching: a step has no value. Write one of the column, and what is sent for it."),
    ),
    (
        r"/matching/\d+/derived/steps/\d+/values/.*",
        _SHORT,
        say("Data matching: a value is written without the other. Write what the column has, and what is sent for it."),
    ),
    (
        r"/rules/exclude/\d+/segment",
        _SHORT,
        say("Rules: a row has a column and no segment. Choose one, or remove it."),
    ),
    (r"/rules/require/\d+/column", _SHORT, say("Rules: a row has values and no column. Choose one, or remove it.")),
    ("/rules/limit/by", _SHORT, say("Rules: the column that says who comes first is not chosen. Choose it.")),
    (
        "/rules/limit/first",
        frozenset({"Write a whole number."}),
        say("Rules: write how many people may be on each list, or choose no column either."),
    ),
    (
        "/id_column",
        frozenset(
            {
                "In this mode nobody is taken off, so an old address would stay on the list beside the new one: choose "
                "the mode mirror, or no id column."
            }
        ),
        say(
            "Column with an id of the person: people who leave stay on this list, so an old address would stay beside "
            "the new one. Choose Take them off the list, or no such column."
        ),
    ),
    (
        "/decisions/.+",
        frozenset({"Somebody has to decide this for %(choice)s: record the decision with its text."}),
        say("Somebody has to decide this for %(choice)s: read what is decided, and tick it; or choose another value."),
    ),
)
"""Place and texts of messages for programs -> what the page says. Values keep their names."""


_OVERTAKEN = say(
    "Somebody changed it meanwhile, so nothing was done. Load the page again, and look at what it says now."
)
SENTENCES: dict[str, Message] = {
    "Set client_id to one of: %(clients)s.": say("Client ID: choose one of %(clients)s."),
    "Set client_id to the ID in the client's settings, API keys.": say(
        "Client ID: edit the connection, and write the ID that stands in the client's settings, API keys."
    ),
    "Give list_id or list_name, not both.": say("List: choose one that exists, or a name for a new one, not both."),
    "A list's name has at most %(most)s characters at %(vendor)s: give a shorter list_name.": say(
        "List: at %(vendor)s a name has at most %(most)s characters. Write a shorter one."
    ),
    "No list can be named after this segment: give a list_name.": say(
        "List: none can be named after this segment. Choose Another name, and write one."
    ),
    _NO_LIST: say(
        "List: %(vendor)s has no list with the id %(id)s. Choose one of those that exist, or choose Another name to "
        "have one made."
    ),
    _OWNED: say(
        "List: %(list)s belongs to the export %(export)s, and a list has one export. Choose Another name, for "
        "example %(name)s (%(own)s)."
    ),
    "This connection leads to the same account and the same list as another one of this export: give it a list_name of "
    "its own.": say(
        "List: this connection leads to the same account and the same list as another one of this export. Choose "
        "Another name, and write one."
    ),
    "Give same_account or other_account, not both.": say("Choose The same account, or Another account."),
    "The connection leads to another account than the one that this export's list is in. If it is the same account "
    "with a new key, check the connection with same_account=true; else save the export again, which starts a new list "
    "there. Then run the export again.": say(
        "The connection leads to another account than the one that this export's list is in. If it is the same account "
        "with a new key, an administrator says so on the connection's page: The same account. Else save the export "
        "again, which starts a new list there. Then run the export again."
    ),
    "It is not the version that If-Match names: read it again and repeat the change.": _OVERTAKEN,
    "Somebody changed it at the same time: read it again and repeat the change.": _OVERTAKEN,
    "This page does not exist: start again without `continue`.": say(
        "There is no such place in this list any more: begin with the newest."
    ),
    "Somebody deleted the list at the vendor. Run the export with the kind 'rebuild' to make it anew.": say(
        "Somebody deleted the list at the vendor. Choose Rebuild the list on the export's page to make it anew."
    ),
    "%(vendor)s has not ended within 6 hours what an earlier run sent it. If it ends yet, older values may replace "
    "those of this run: then run the export with the kind full_resync.": say(
        "%(vendor)s has not ended within 6 hours what an earlier run sent it. If it ends yet, older values may replace "
        "those of this run: then choose Full resync on the export's page."
    ),
    "Made the custom fields %(fields)s on the list. If somebody had deleted them in Campaign Monitor, run the export "
    "with the kind 'full_resync' to fill them again for people who did not change.": say(
        "Made the custom fields %(fields)s on the list. If somebody had deleted them in Campaign Monitor, choose Full "
        "resync on the export's page to fill them again for people who did not change."
    ),
    "%(num)s person whom this export added is on its lists. Run it with the kind 'withdraw' first to take them off, or "
    "repeat this with keep_members=true to leave them there.": say_many(
        "%(num)s person whom this export added is on its lists. Choose Withdraw on the export's page to take them off, "
        "or say that people are left on the lists.",
        "%(num)s people whom this export added are on its lists. Choose Withdraw on the export's page to take them "
        "off, or say that people are left on the lists.",
        1,
    ),
}
"""Sentences with words of the API -> the same with words of the pages. Values keep their names."""


_LABELS = {
    **{f"/{part}": PARTS[part] for part in ("display_name", "tags", "rate_budget")},
    **{f"/guards/{key}": words for key, words, _ in GUARDS},
    **{f"/schedule/{key}": words for key, words in SCHEDULE_FIELDS.items()},
}
"""Fields that every form has, by what they are called there."""
_NAMING = frozenset(
    {
        "This is required: %(what)s.",
        "Unknown time zone: use an IANA name such as Europe/Berlin.",
        "Write times as 06:30, several with commas; their minutes have to be the same.",
        "Choose at least one day of the week.",
    }
)
"""Messages that name the field themselves."""
_ONE_OF_SEVERAL = re.compile(r"^(/tags)/\d+$")
"""An entry of what is one field on the page."""
_NUMBERS = frozenset(
    {
        "Write a number.",
        "Write a finite number.",
        "Write a number of at least %(number)s.",
        "Write a number of at most %(number)s.",
    }
)
_PERCENT = {"/rate_budget": 5} | {f"/guards/{key}": 0 for key, _, unit in GUARDS if unit}
"""Fields that are a share in the API and a percentage on the page, and the least that each may be."""
_PERCENTAGE = say("%(field)s: write a percentage from %(least)s to 100.")


def of_page(message: str) -> str:
    """A message as a page says it, also inside of others."""
    text = message.text if isinstance(message, Message) else str(message)
    values = message.values if isinstance(message, Message) else {}
    many = message.many if isinstance(message, Message) else ""
    inside = {name: of_page(each) if isinstance(each, Message) else each for name, each in values.items()}
    words = SENTENCES.get(text)
    return Message(words.text, inside, words.many) if words else Message(text, inside, many)


_ALSO = re.compile(r"^/also/\d+(?=/)")
"""Before places of an export's other connections, which the page calls as it calls the export's own."""


def in_page_words(
    issues: Iterable[Issue], definition: Definition | None = None, also: Sequence[Definition | None] = ()
) -> list[Issue]:
    """Each issue as a page says it: with the name that the field has there. `also` are of other connections."""
    labels = _LABELS | (_labels(definition) if definition else {})
    for number, each in enumerate(also):
        labels |= {f"/also/{number}{place}": label for place, label in _labels(each).items()} if each else {}
    placed = (Issue(_ONE_OF_SEVERAL.sub(r"\1", issue.pointer), issue.message) for issue in issues)
    return [Issue(issue.pointer, _words(issue, labels.get(issue.pointer))) for issue in placed]


def _labels(definition: Definition) -> dict[str, str]:
    settings = (*definition.settings, *definition.export_settings)
    named = {f"/settings/{each.name}": each.label for each in settings}
    return named | {f"/secrets/{each.name}": each.label for each in definition.credentials}


def _words(issue: Issue, label: str | None) -> str:
    message = issue.message if isinstance(issue.message, Message) else Message(issue.message)
    for place, texts, words in TABLE:
        if message.text in texts and re.fullmatch(place, _ALSO.sub("", issue.pointer)):
            return words.filled(**message.values)
    if label is None or message.text in _NAMING:
        return message
    if issue.pointer in _PERCENT and message.text in _NUMBERS:
        return _PERCENTAGE.filled(field=Message(label), least=_PERCENT[issue.pointer])
    return say("%(field)s: %(problem)s", field=Message(label), problem=message)
