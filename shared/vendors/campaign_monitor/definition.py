"""What Campaign Monitor is, as data. Facts: Campaign Monitor contract, sections 0 to 5 and 7."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Fit, OAuth, Question, Rate, Setting
from shared.vendors.looking_up import Looks
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

HOST = "api.createsend.com"

API_KEY = "api_key"
TOKENS = "oauth_tokens"
"""Credentials; a connection has one of them."""

CLIENTS = "clients"
LISTS = "clients/lists"
CREATE_LIST = "lists/create"
LIST = "lists/details"
FIELDS = "lists/customfields"
IMPORT = "subscribers/import"
DELETE = "subscribers/delete"
PEOPLE = "lists/people"
SUPPRESSED = "clients/suppressionlist"
STATS = "lists/stats"
PERSON = "subscribers"

MOST_ROWS = 1000
"""Of one import, published; also of a page that is read."""
MOST_BYTES = 4_000_000
"""Of one import's people. Nothing is published; a thousand ordinary ones are a tenth of it."""

NAME = "Name"
MOBILE = "MobileNumber"
CONSENT = "ConsentToTrack"
BUILT_IN = frozenset({NAME, MOBILE, CONSENT})
"""Fields that everyone has; all others are custom fields of a list."""

UNCHANGED = "Unchanged"
"""Leaves a person's consent to be tracked as it is."""

CONSENTS = (UNCHANGED, "Yes", "No")
_CONSENTS = {"true": "Yes", "1": "Yes", "false": "No", "0": "No"}

LONGEST = 250
"""Characters of a value; what becomes of longer ones is not documented (contract, section 3), so they are cut here."""
TEXT = Fit(longest=LONGEST, cut=True)

_SIGN_IN = "trying it could end the connection's own sign-in"
_REFUSED_PEOPLE = "it takes somebody who unsubscribed, bounced or was suppressed, and a probe makes nobody that"
_OVERLOAD = "finding a limit takes going over it, and the account's other integrations would be slowed down with us"

_QUESTIONS = (
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
"""What the contract leaves open, section by section, and why no probe tries some of it."""

DEFINITION = Definition(
    name="campaign-monitor",
    label="Campaign Monitor",
    credentials=(
        Setting(
            API_KEY,
            "API key",
            "A key of the Campaign Monitor account, or of the client whose lists are written.",
            required=True,
            made_at=("Account settings", "API keys"),
        ),
        Setting(
            TOKENS, "Sign-in", "Comes from Authenticate with Campaign Monitor, and takes the place of the API key."
        ),
    ),
    # Contract, section 1. Reading people is said to need the last permission; that is not confirmed.
    oauth=OAuth(
        TOKENS,
        host=HOST,
        authorize_path="/oauth",
        token_path="/oauth/token",  # noqa: S106 - an address
        scopes=("ManageLists", "ImportSubscribers", "ViewSubscribersInReports"),
        separator=",",
        asking={"type": "web_server"},
    ),
    settings=(
        Setting(
            "client_id",
            "Client ID",
            "The client whose lists are written. Leave it empty and check the connection to see the clients that "
            "it can reach.",
            default="",
        ),
        Setting(
            "import_rate",
            "Imports in ten seconds",
            "Campaign Monitor publishes no limit for imports. Lower it when other integrations of the account are "
            "slowed down.",
            type=FieldType.NUMBER,
            default=20.0,
            minimum=1.0,
            maximum=1000.0,
        ),
        Setting(
            "removal_rate",
            "Removals in ten seconds",
            "People are taken off a list one request each, and Campaign Monitor publishes no limit for that.",
            type=FieldType.NUMBER,
            default=250.0,
            minimum=1.0,
            maximum=10_000.0,
        ),
        Setting(
            "batch_rows",
            "People per import",
            "Lower it when imports take minutes, which many custom fields can cause.",
            type=FieldType.INTEGER,
            default=MOST_ROWS,
            minimum=1,
            maximum=MOST_ROWS,
        ),
    ),
    export_settings=(
        Setting(
            "consent_to_track",
            "Consent to track",
            "Whether the people agreed that their opens and clicks are recorded. It is sent for everyone, except where "
            "a column is matched to ConsentToTrack, and it holds in all lists of the client.",
            default=UNCHANGED,
            choices=CONSENTS,
        ),
    ),
    fields=(
        Field("EmailAddress", "E-mail", required=True),
        Field(NAME, "Full name", fit=TEXT),
        Field(MOBILE, "Mobile number", FieldType.PHONE),
        Field(CONSENT, "Consent to track: Yes, No or Unchanged", fit=Fit(choices=CONSENTS, synonyms=_CONSENTS)),
    ),
    rates=(
        # Ten seconds and not one, so that what a 429 slowed down is still slower after the pause that it asks for.
        Rate((IMPORT,), 20, 10.0, published=False, setting="import_rate"),
        Rate((DELETE,), 250, 10.0, published=False, setting="removal_rate"),
        Rate((PEOPLE, SUPPRESSED), 100, 10.0, published=False),
        Rate((LIST,), 500, 10.0, published=False),
        Rate((STATS, PERSON), 100, 10.0, published=False),
        Rate((CLIENTS, LISTS, CREATE_LIST, FIELDS), 200, 10.0, published=False),
    ),
    hosts=(HOST,),
    batch_rows=MOST_ROWS,
    concurrency=4,
    minutes_per_million=8.4,
    calls_per_thousand=1.0,
    email_field="EmailAddress",
    custom_fit=TEXT,
    # Parts of an import that decide about consent: as names of custom fields they would only mislead.
    reserved_fields=frozenset(
        {
            "ConsentToSendSms",
            "Resubscribe",
            "QueueSubscriptionBasedAutoResponders",
            "RestartSubscriptionBasedAutoresponders",
        }
    ),
    list_warning=(
        "If a confirmation e-mail is switched on for this list in Campaign Monitor, everyone who is added gets it: its "
        "API does not tell, so look there before the first run."
    ),
    # An import is answered when all of its rows are processed, which takes minutes in a bad hour.
    request_seconds=200.0,
    unforeseen=(
        say(
            "Whether Campaign Monitor takes an e-mail address or a mobile number: it publishes no rule, and "
            "says so once people are sent."
        ),
    ),
    most_members=1_000_000,
    members_page=MOST_ROWS,
    looks=Looks(PERSON, PEOPLE, MOST_ROWS, lanes=8),
    lists_values=True,
    fields_of_list=True,
    questions=_QUESTIONS,
    opt_outs=tuple(OptOutKind),
)
