"""What Klaviyo is, as data. Facts: Klaviyo contract, sections 1 to 11."""

from __future__ import annotations

from datetime import date, timedelta

from shared.vendors.contract import Definition, Field, FieldType, Fit, Question, Rate, Setting
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

HOST = "a.klaviyo.com"

REVISION = "2026-07-15"
SERVED_UNTIL = date(2028, 7, 15)
"""Klaviyo serves a revision for two years; after that a newer release of this service is needed."""
WARN_BEFORE = timedelta(days=90)

ACCOUNTS = "accounts"
LISTS = "lists"
MAKE_LIST = "lists/create"
LIST = "lists/id"
COUNT = "lists/profile_count"
FLOWS = "lists/flow-triggers"
MEMBERS = "lists/profiles"
REMOVE = "lists/relationships/profiles"
PROFILES = "profiles"
IMPORT = "profile-bulk-import-jobs/create"
JOBS = "profile-bulk-import-jobs"
JOB = "profile-bulk-import-jobs/id"
ERRORS = "profile-bulk-import-jobs/import-errors"

MOST_ROWS = 10_000
"""Of one import."""
MOST_BYTES = 4_600_000
"""Of one import. Published are 5 MB, but not whether of 1,000 or of 1,024 squared."""
MOST_PROFILE_BYTES = 100_000
"""Of one person in an import."""
MOST_IDS = 1_000
"""Of one removal."""
MOST_PAGE = 100
MOST_LISTS_PAGE = 10
MOST_LOOKED_UP = 100
"""Values of one filter; unpublished, what others keep to."""
MOST_FILTER = 6_000
"""Bytes of one filter as it stands in an address; unpublished, our own choice."""

SCOPES = ("accounts:read", "lists:read", "lists:write", "profiles:read", "profiles:write")
"""What a key needs. Neither subscriptions:write nor data-privacy:write is among them."""

LOCATION = "location."
"""A field whose name begins so is a member of the profile's location."""
STANDARD = frozenset({"phone_number", "first_name", "last_name", "organization", "title", "locale", "image"})
"""Fields of the profile itself; whatever is neither one of them nor of the location is a property of our own naming."""

_TEXT = Fit(longest=255)
_LOCALE = Fit(longest=6, pattern=r"[A-Za-z]{2,3}-[A-Za-z]{2}")
_IMAGE = Fit(longest=2_000, pattern=r"https?://\S+")


def _text(name: str, label: str, fit: Fit = _TEXT) -> Field:
    """An import cannot clear a field: it takes no null (contract, section 3)."""
    return Field(name, label, fit=fit, clears=False)


def _windows(*endpoints: str, burst: int, steady: int) -> tuple[Rate, Rate]:
    """Calls a second, and calls a minute. The longer window comes last: what is kept of both between two workers is
    the last one's, which knows of all calls that the shorter one knows of."""
    return Rate(endpoints, burst, 1.0), Rate(endpoints, steady, 60.0)


_STAYS = "what an import makes stays, and a probe deletes neither people nor lists"
_REFUSED_PEOPLE = "it takes somebody who unsubscribed or was suppressed, and a probe makes nobody that"
_OVERLOAD = "finding a limit takes going over it, and the account's other integrations would be slowed down with us"

_QUESTIONS = (
    Question("missing_revision", "What does a call without a revision answer?", "1"),
    Question("scope_first", "Is the scope of a key judged before the body?", "1", "it takes a key that may not write"),
    Question("filter_quotes", "Does a backslash before a quotation mark keep a filter's text together?", "2"),
    Question("list_names", "Which names may a list have, and may two have the same?", "2", _STAYS),
    Question("error_rows", "How does an error of an import name its row?", "3", _STAYS),
    Question("named_rows", "Does one refusal of an import name all rows that are wrong?", "3", _STAYS),
    Question("same_person", "What becomes of somebody who is in two imports at once?", "3", _STAYS),
    Question("job_time", "How long does an import take, and how many are worked on at once?", "3", _STAYS),
    Question("most_bytes", "Are the 5 MB of an import of 1,000 or of 1,024 squared?", "3", _STAYS),
    Question("rejoined", "Does adding to a list bring back who unsubscribed from it?", "3", _REFUSED_PEOPLE),
    Question("expired_job", "What is answered about an import after a week?", "3", "it takes a week"),
    Question("import_null", "Does an import clear a field, by null or by `unset`?", "3", _STAYS),
    Question("longest_filter", "Does a filter take more than 100 addresses?", "4"),
    Question("absent_removal", "Is taking somebody off refused who is not on the list?", "5", _STAYS),
    Question("other_addresses", "Is somebody found by an address that is not their first one?", "5", _STAYS),
    Question("fresh_reads", "How old may a list's count and its members be?", "6", _STAYS),
    Question("suppressed_counted", "Does a list's count include people who are suppressed?", "6", _REFUSED_PEOPLE),
    Question("address_case", "Are addresses kept in small letters?", "7", _STAYS),
    Question("shared_methods", "Do all methods of a path share one limit?", "8", _OVERLOAD),
)
"""What the contract leaves open, section by section, and why no probe tries most of it."""

DEFINITION = Definition(
    name="klaviyo",
    label="Klaviyo",
    credentials=(
        Setting(
            "api_key",
            "Private API key",
            "A private key of the Klaviyo account with the scopes accounts:read, lists:read, lists:write, "
            "profiles:read and profiles:write; flows:read lets us warn of flows that a list starts. Give it no other "
            "scope, least of all subscriptions:write or data-privacy:write.",
            required=True,
            made_at=("Settings", "API keys"),
        ),
    ),
    settings=(),
    fields=(
        Field("email", "E-mail", required=True),
        Field(
            "phone_number",
            "Phone number (another person's makes Klaviyo refuse this one)",
            FieldType.PHONE,
            clears=False,
        ),
        _text("first_name", "First name"),
        _text("last_name", "Last name"),
        _text("organization", "Organisation"),
        _text("title", "Job title"),
        _text("locale", "Language and country, as en-US", _LOCALE),
        _text("image", "Picture (its address on the web)", _IMAGE),
        _text("location.address1", "Street address"),
        _text("location.address2", "Street address, second line"),
        _text("location.city", "City"),
        _text("location.region", "Region or state"),
        _text("location.zip", "Postal code"),
        _text("location.country", "Country"),
        _text("location.timezone", "Time zone, as Europe/London"),
    ),
    # GET and POST of one path are counted together, since it is not published whether they are (section 8). New lists
    # have a limit by the day too, which answers 429 where it is met: a window of a day would hold up a new worker.
    rates=(
        *_windows(ACCOUNTS, burst=1, steady=15),
        *_windows(MAKE_LIST, burst=10, steady=150),
        *_windows(LISTS, MAKE_LIST, burst=75, steady=750),
        *_windows(LIST, burst=75, steady=750),
        *_windows(COUNT, burst=1, steady=15),
        *_windows(FLOWS, burst=3, steady=60),
        *_windows(MEMBERS, burst=75, steady=750),
        *_windows(PROFILES, burst=75, steady=750),
        *_windows(REMOVE, burst=10, steady=150),
        *_windows(IMPORT, JOBS, burst=10, steady=150),
        *_windows(JOB, burst=10, steady=150),
        *_windows(ERRORS, burst=10, steady=150),
    ),
    hosts=(HOST,),
    batch_rows=MOST_ROWS,
    concurrency=4,
    custom_clears=False,
    custom_name=r"(?!\$|(?i:location\.)).+",
    custom_name_rule='any characters, but neither "$" nor "location." at its beginning',
    reserved_fields=frozenset(
        {
            "_kx",
            "anonymous_id",
            "consent",
            "created",
            "exchange_id",
            "external_id",
            "id",
            "joined_group_at",
            "last_event_date",
            "location",
            "phone_number_region",
            "predictive_analytics",
            "properties",
            "subscriptions",
            "updated",
            "whatsapp_bsuid",
        }
    ),
    # How many Klaviyo works on at once is not published.
    most_jobs=10,
    minutes_per_million=17.8,
    calls_per_thousand=10.5,
    bills_by=say("active profiles: everyone with an address who is neither unsubscribed nor suppressed"),
    fresh_seconds=300.0,
    unforeseen=(
        say(
            "Whether Klaviyo takes an e-mail address or a telephone number, and who has an identifier of "
            "another profile: it says so once people are sent."
        ),
    ),
    most_members=200_000,
    members_page=MOST_PAGE,
    lists_values=True,
    questions=_QUESTIONS,
    opt_outs=(OptOutKind.UNSUBSCRIBED, OptOutKind.BOUNCED, OptOutKind.COMPLAINED, OptOutKind.SUPPRESSED),
)
