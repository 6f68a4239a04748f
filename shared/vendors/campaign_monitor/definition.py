"""What Campaign Monitor is, as data. Facts: Campaign Monitor contract, sections 0 to 5 and 7."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, OAuth, Rate, Setting

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

DEFINITION = Definition(
    name="campaign-monitor",
    label="Campaign Monitor",
    credentials=(
        Setting(
            API_KEY,
            "API key",
            "A key of the Campaign Monitor account, or of the client whose lists are written "
            "(Account settings, API keys).",
            required=True,
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
            choices=(UNCHANGED, "Yes", "No"),
        ),
    ),
    fields=(
        Field("EmailAddress", "E-mail", required=True),
        Field(NAME, "Full name"),
        Field(MOBILE, "Mobile number, international: +441632960000"),
        Field(CONSENT, "Consent to track: Yes, No or Unchanged"),
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
    email_field="EmailAddress",
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
    most_members=1_000_000,
    members_page=MOST_ROWS,
)
