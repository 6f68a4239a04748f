"""What Iterable is, as data. Facts: Iterable contract, sections 1 to 6 and 8."""

from __future__ import annotations

from collections.abc import Mapping

from shared.vendors.contract import Definition, Field, FieldType, Question, Rate, Setting
from shared.vendors.looking_up import Looks
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

HOSTS: Mapping[str, str] = {"us": "api.iterable.com", "eu": "api.eu.iterable.com"}
"""Data centre -> host. A key works in one of them only."""

LISTS = "lists"
CREATE_LIST = "lists/create"
MEMBERS = "lists/getUsers"
SUBSCRIBE = "lists/subscribe"
UNSUBSCRIBE = "lists/unsubscribe"
BULK_UPDATE = "users/bulkUpdate"
GET_FIELDS = "users/getFields"
SIZE = "lists/size"
PROFILE = "users/getByEmail"
EVENTS = "export/data"

MOST_ROWS = 1000
"""Of one request; unpublished, but what every bulk integration keeps to."""
MOST_BYTES = 3_500_000
"""Of one request's rows; the published limit of a body is 4 MB."""

# Fields of the profile that would change who somebody is (userId), which lists they are on, or what they are
# subscribed to. Writing them would let data matching move people between lists or grant consent.
_RESERVED = frozenset(
    {
        "userId",
        "itblUserId",
        "emailListIds",
        "userListIds",
        "subscribedMessageTypeIds",
        "unsubscribedChannelIds",
        "unsubscribedMessageTypeIds",
        "profileUpdatedAt",
    }
)

_OVERLOAD = "finding a limit takes going over it, and the project's other integrations would be slowed down with us"

_QUESTIONS = (
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
"""What the contract leaves open, section by section, and why no probe tries some of it."""

DEFINITION = Definition(
    name="iterable",
    label="Iterable",
    credentials=(
        Setting(
            "api_key",
            "API key",
            "A server-side (Standard) key of the Iterable project. Mobile, JavaScript and JWT keys cannot write lists.",
            required=True,
            made_at=("Integrations", "API keys"),
        ),
    ),
    settings=(
        Setting(
            "data_center",
            "Data centre",
            "Where the Iterable project lives: api.iterable.com (us) or api.eu.iterable.com (eu).",
            required=True,
            default="us",
            choices=tuple(HOSTS),
        ),
        Setting(
            "project_type",
            "Project type",
            "How the project identifies people (Settings, Project settings). People are always sent by e-mail address; "
            "in a userID-based project one address may belong to several profiles.",
            default="hybrid",
            choices=("hybrid", "email", "userid"),
        ),
        Setting(
            "subscribe_rate",
            "List requests per second",
            "Iterable publishes no limit for adding to and removing from lists. Lower it when other integrations of "
            "the project are slowed down.",
            type=FieldType.NUMBER,
            default=4.0,
            minimum=0.1,
            maximum=1000.0,
        ),
        Setting(
            "batch_rows",
            "People per request",
            "Lower it when Iterable refuses requests as too large.",
            type=FieldType.INTEGER,
            default=MOST_ROWS,
            minimum=1,
            maximum=MOST_ROWS,
        ),
    ),
    fields=(
        Field("email", "E-mail", required=True),
        Field("firstName", "First name"),
        Field("lastName", "Last name"),
        Field("phoneNumber", "Phone number"),
        # A string like every code: as a number "07030" would lose its zero and fix the field's type for good.
        Field("postalCode", "Postal code"),
        Field("city", "City"),
        Field("state", "State"),
        Field("country", "Country"),
        Field("address", "Address"),
    ),
    rates=(
        Rate((LISTS,), 100, 1.0),
        Rate((GET_FIELDS,), 3, 1.0),
        Rate((MEMBERS,), 5, 60.0),
        Rate((SIZE,), 5, 60.0),
        Rate((PROFILE,), 100, 1.0),
        Rate((BULK_UPDATE,), 5, 1.0),
        Rate((SUBSCRIBE, UNSUBSCRIBE), 4, 1.0, published=False, setting="subscribe_rate"),
        Rate((CREATE_LIST,), 1, 1.0, published=False),
        Rate((EVENTS,), 4, 60.0),
    ),
    hosts=tuple(HOSTS.values()),
    batch_rows=MOST_ROWS,
    concurrency=8,
    account_is_key=True,
    minutes_per_million=4.3,
    calls_per_thousand=1.0,
    reserved_fields=_RESERVED,
    # Fields that the project does not have yet get their type from the first request that names them.
    first_batch_alone=True,
    unforeseen=(
        say(
            "Who asked Iterable to be forgotten, and which e-mail addresses it takes: it says so once people are sent."
        ),
    ),
    # Section 9: beyond that many, the one answer with all members takes minutes, or is cut.
    most_members=200_000,
    members_page=200_000,
    looks=Looks(PROFILE, MEMBERS, page_people=0, lanes=16),
    questions=_QUESTIONS,
    opt_outs=(OptOutKind.UNSUBSCRIBED, OptOutKind.BOUNCED, OptOutKind.COMPLAINED),
)
