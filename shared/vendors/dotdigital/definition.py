"""What Dotdigital is, as data. Facts: Dotdigital contract, sections 0 to 9."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Fit, Question, Rate, Setting
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

HOME = "r1-api.dotdigital.com"
"""Tells about accounts of every region; the only host that a password is sent to before the region is known."""
HOSTS = (HOME, "r2-api.dotdigital.com", "r3-api.dotdigital.com")

ACCOUNT_INFO = "account-info"
CONTACTS = "contacts"
CONTACT = "contacts/email"
IMPORT = "contacts/import"
IMPORT_STATUS = "contacts/import/status"
LISTS = "address-books"
FIELDS = "data-fields"
UNSUBSCRIBED = "address-books/contacts/unsubscribed-since"
SUPPRESSED = "contacts/suppressed-since"
REMOVE = "address-books/contacts/delete"
REMOVAL_STATUS = "contacts/deletion"

MOST_ROWS = 20_000
"""Of one import. The results of an import come in one answer, so its size bounds that too."""
MOST_BYTES = 10_000_000
"""Of one import's people; the published limit of a body is 50 MB, and several are in memory at once."""
MOST_IDS = 5_000
"""Of one bulk removal; unpublished, the upper end of what the contract advises."""
MOST_PAGE = 5_000
"""People of one page of a list's members."""
LONGEST_LIST_NAME = 128
MOST_V2_PAGE = 1_000
"""Entries of one page of the older (v2) calls."""

LOWEST_CALLS = 35
"""Calls a minute in the Low tier of the smallest package: the only cell of the tier table that is published."""

OPT_IN = "optInType"
"""The one field that is not a data field: how the person agreed, as an organisation's own column says."""
OPT_IN_TYPES = ("unknown", "single", "double")
"""Not verifiedDouble: it makes Dotdigital mail the person."""

# What custom data fields may not be called (contract, section 3), and what Dotdigital keeps itself.
_RESERVED = frozenset(
    {
        "account",
        "campaign",
        "campaignid",
        "contact",
        "contact_api_id",
        "contactid",
        "hcontactid",
        "hemail",
        "hemail256",
        "id",
        "lastsubscribed",
        "messagecontent",
        "mobilenumberid",
        "notes",
        "uniquecontactid",
        "unsubscribed",
    }
)


_TAKEN = Fit(longest=1_000, digits=18, decimals=9)
"""What a data field takes (contract, section 3)."""


def _a_minute(*endpoints: str) -> Rate:
    return Rate(endpoints, LOWEST_CALLS, 60.0, setting="calls_per_minute")


_REFUSED_PEOPLE = "it takes somebody who unsubscribed or was suppressed, and a probe makes nobody that"

_QUESTIONS = (
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
"""What the contract leaves open, section by section, and why no probe tries some of it."""

_API_USERS = ("Settings", "Access", "API users")

DEFINITION = Definition(
    name="dotdigital",
    label="Dotdigital",
    credentials=(
        Setting(
            "api_user",
            "API user",
            "The generated address of an API user (apiuser-…@apiconnector.com).",
            required=True,
            made_at=_API_USERS,
        ),
        Setting("api_password", "API password", "The password of that API user.", required=True, made_at=_API_USERS),
    ),
    settings=(
        Setting(
            "list_id",
            "Default list",
            "Id of the list (address book) for exports whose target names no list of its own.",
        ),
        Setting(
            "calls_per_minute",
            "Calls per minute",
            "The account's limit of the Low tier, from Settings, Access, API rate limits. The connection check says "
            "when Dotdigital allows more than this.",
            type=FieldType.INTEGER,
            default=LOWEST_CALLS,
            minimum=1,
            maximum=10_000,
        ),
        Setting(
            "batch_rows",
            "People per import",
            "Fewer make smaller imports, of which Dotdigital works on a limited number at once.",
            type=FieldType.INTEGER,
            default=10_000,
            minimum=1,
            maximum=MOST_ROWS,
        ),
    ),
    fields=(
        Field("email", "E-mail", required=True),
        Field("FIRSTNAME", "First name", fit=_TAKEN),
        Field("LASTNAME", "Last name", fit=_TAKEN),
        Field("FULLNAME", "Full name", fit=_TAKEN),
        Field("GENDER", "Gender", fit=_TAKEN),
        Field("POSTCODE", "Postcode", fit=_TAKEN),
        Field(OPT_IN, "Consent: opt-in type (unknown, single or double)", fit=Fit(choices=OPT_IN_TYPES)),
    ),
    rates=(
        # Tiers are counted apart, and Low is the lowest of them, so its number is safe for the others too.
        # How polling is counted is not known (section 4), so it is counted with the calls that it follows.
        _a_minute(IMPORT, REMOVE, CONTACTS, UNSUBSCRIBED, SUPPRESSED, IMPORT_STATUS, REMOVAL_STATUS),
        _a_minute(CONTACT, LISTS, FIELDS),
        _a_minute(ACCOUNT_INFO),
    ),
    hosts=HOSTS,
    batch_rows=10_000,
    concurrency=4,
    minutes_per_million=10.0,
    calls_per_thousand=0.5,
    custom_fit=_TAKEN,
    custom_name=r"[A-Za-z0-9_-]{1,20}",
    custom_name_rule="up to 20 letters without accents, digits, hyphens and underscores",
    longest_list_name=LONGEST_LIST_NAME,
    reserved_fields=_RESERVED,
    export_settings=(
        Setting(
            "create_fields",
            "Create missing data fields",
            "Make the fields of the data matching in Dotdigital where the account does not have them yet.",
            type=FieldType.BOOLEAN,
            default=False,
        ),
    ),
    default_list="list_id",
    # Of the 25 that an account may have: the rest is for its other integrations.
    most_jobs=15,
    request_seconds=121.0,
    unforeseen=(
        say(
            "Whom Dotdigital keeps from being mailed for all of its customers, and what its data watchdog "
            "stops: it says so once an import has ended."
        ),
    ),
    # 200 pages at the Low tier's 35 calls a minute are more than a slice has time for.
    most_members=400_000,
    members_page=MOST_PAGE,
    lists_values=True,
    questions=_QUESTIONS,
    opt_outs=(OptOutKind.UNSUBSCRIBED, OptOutKind.BOUNCED, OptOutKind.COMPLAINED, OptOutKind.SUPPRESSED),
)
