"""What Dotdigital is, as data. Facts: Dotdigital contract, sections 0 to 9."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Rate, Setting

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
MOST_V2_PAGE = 1_000
"""Entries of one page of the older (v2) calls."""

LOWEST_CALLS = 35
"""Calls a minute in the Low tier of the smallest package: the only cell of the tier table that is published."""

OPT_IN = "optInType"
"""The one field that is not a data field: how the person agreed, as an organisation's own column says."""

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


def _a_minute(*endpoints: str) -> Rate:
    return Rate(endpoints, LOWEST_CALLS, 60.0, setting="calls_per_minute")


DEFINITION = Definition(
    name="dotdigital",
    label="Dotdigital",
    credentials=(
        Setting(
            "api_user",
            "API user",
            "The generated address of an API user (apiuser-…@apiconnector.com), from Settings, Access, API users.",
            required=True,
        ),
        Setting("api_password", "API password", "The password of that API user.", required=True),
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
        Field("FIRSTNAME", "First name"),
        Field("LASTNAME", "Last name"),
        Field("FULLNAME", "Full name"),
        Field("GENDER", "Gender"),
        Field("POSTCODE", "Postcode"),
        Field(OPT_IN, "Consent: opt-in type (unknown, single or double)"),
    ),
    rates=(
        # Tiers are counted apart, and Low is the lowest of them, so its number is safe for the others too.
        # How polling is counted is not known (section 4), so it is counted with the calls that it follows.
        _a_minute(IMPORT, REMOVE, CONTACTS, UNSUBSCRIBED, IMPORT_STATUS, REMOVAL_STATUS),
        _a_minute(CONTACT, LISTS, FIELDS),
        _a_minute(ACCOUNT_INFO),
    ),
    hosts=HOSTS,
    batch_rows=10_000,
    concurrency=4,
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
    # 200 pages at the Low tier's 35 calls a minute are more than a slice has time for.
    most_members=400_000,
    members_page=MOST_PAGE,
)
