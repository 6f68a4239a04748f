"""What Omnisend is, as data. Facts: Omnisend contract, sections 1 to 6."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Fit, Question, Rate, Setting
from shared.vendors.looking_up import Looks
from shared.vendors.omnisend.tags import tag_of
from shared.vendors.opt_outs import OptOutKind
from shared.wording import say

HOST = "api.omnisend.com"
VERSION = "2026-03-15"
"""Of the API; sent with every request."""

BRAND = "brands/current"
CONTACTS = "contacts"
BATCHES = "batches"
TAGS = "contacts/tags"

SCOPES = ("brands.read", "contacts.read", "contacts.write")
"""What a key has to be allowed."""

MOST_CONTACTS = 100
"""Of one of Omnisend's batches."""
MOST_BYTES = 900_000
"""Of one batch's contacts; the vendor advises to stay below 1 MB."""
MOST_TAGGED = 250
"""Addresses of one request that adds or removes a tag."""
PAGE = 250
"""Entries of one page, of batches and of contacts."""
MOST_COUNTED = 8
"""Pages that are read to count the people with a tag: Omnisend tells such a key no number."""
CUSTOM_NAME = r"[A-Za-z0-9_]{1,128}"
LONGEST_TEXT = 2048
"""Characters of a custom property."""

CONSENT = "emailConsentAt"
"""The field that holds since when somebody agrees to be written to; the only one that touches a subscription."""

_GENDERS = {"male": "m", "man": "m", "female": "f", "woman": "f"}

# Parts of a contact that say who somebody is, what they are subscribed to, or what only Omnisend writes. As custom
# properties they would look as if they did the same.
_RESERVED = frozenset(
    {
        "contactID",
        "identifiers",
        "phone",
        "tags",
        "segments",
        "channels",
        "status",
        "statuses",
        "statusChangedAt",
        "optIns",
        "consent",
        "consents",
        "sendWelcomeMessage",
        "customProperties",
        "createdAt",
        "updatedAt",
        "externalCreated",
    }
)

_QUESTIONS = (
    Question("missing_version", "What is answered to a request that names no version of the API?", "1"),
    Question("batch_scopes", "May this connection's key use batches?", "1"),
    Question("tag_characters", "May a tag have other characters than letters, digits, space, _ and -?", "2"),
    Question("tag_length", "May a tag have more than 128 characters?", "2"),
    Question("tag_case", "Are tags told apart by case?", "2"),
    Question(
        "most_tags",
        "How many tags may a contact have?",
        "2",
        "it would leave more than a hundred tags in the brand's menus",
    ),
    Question(
        "segment_selector",
        "Whom does a segment select in a request for tags?",
        "2a",
        "exports never select people by segment",
    ),
    Question("older_tags", "Does version 5 have requests for tags?", "2a", "exports speak another version"),
    Question("upsert_tags", "Are the tags replaced of a contact that is written with tags?", "2b"),
    Question("new_status", "Which status has a new contact that is written without one?", "3"),
    Question(
        "most_properties",
        "May a contact have more than 200 custom properties?",
        "3",
        "it would leave two hundred properties in the brand's menus",
    ),
    Question("batch_put", "May a batch of contacts use PUT?", "4"),
    Question("batch_bytes", "What is answered to a batch of more than 1 MB?", "4"),
    Question("finished_count", "Does a batch's finishedCount have the failures too?", "4"),
    Question("stopped", "What does it mean that a batch stopped?", "4", "no request makes a batch stop"),
    Question(
        "segment_names",
        "May two segments have the same name?",
        "5",
        "exports make no segments, and their keys need not be allowed to",
    ),
    Question("problem_type", "Of which content type are errors?", "7"),
)
"""What the contract leaves open, section by section, and why no probe tries some of it."""

DEFINITION = Definition(
    name="omnisend",
    label="Omnisend",
    credentials=(
        Setting(
            "api_key",
            "API key",
            f"A key of the brand, with the permissions {', '.join(SCOPES)}.",
            required=True,
            made_at=("Store settings", "API keys"),
        ),
    ),
    settings=(),
    fields=(
        Field("email", "E-mail", required=True),
        Field("firstName", "First name"),
        Field("lastName", "Last name"),
        Field("address", "Address"),
        Field("country", "Country (name or two-letter code)", clears=False),
        Field("countryCode", "Country code (two letters)", clears=False),
        Field("state", "State"),
        Field("city", "City"),
        Field("postalCode", "Postal code"),
        Field("gender", "Gender (m or f)", fit=Fit(choices=("m", "f"), synonyms=_GENDERS), clears=False),
        Field("birthdate", "Date of birth", FieldType.DATE, fit=Fit(day=True), clears=False),
        Field(CONSENT, "Agreed to e-mail on", FieldType.DATE, clears=False),
    ),
    rates=(
        # Counted for the whole brand. Whether tags count here too is not published, so they do.
        Rate((BRAND, CONTACTS, BATCHES, TAGS), 400, 60.0),
        Rate((TAGS,), 60, 60.0),
    ),
    hosts=(HOST,),
    # Ten batches of Omnisend's and four requests for the tag. Tags are the narrowest: with batches of 100 they would
    # take two and a half times as many requests, and the journal ten times as many lines.
    batch_rows=1000,
    concurrency=4,
    minutes_per_million=88.9,
    calls_per_thousand=14.0,
    bills_by=say("the number of contacts"),
    custom_fit=Fit(longest=LONGEST_TEXT, digits=15),
    custom_name=CUSTOM_NAME,
    custom_name_rule="up to 128 letters without accents, digits and underscores",
    list_id_of=tag_of,
    reserved_fields=_RESERVED,
    # Tags go on about 10,000 people a minute, and batches take "a few minutes": five minutes' work under way.
    most_jobs=50,
    target_word="tag",
    # Tags go on and off after the answer, in the background.
    fresh_seconds=120.0,
    unforeseen=(say("Whom Omnisend refuses: it names no rule, and says so once a batch has ended."),),
    most_members=250_000,
    members_page=PAGE,
    looks=Looks(CONTACTS, CONTACTS, PAGE),
    lists_values=True,
    questions=_QUESTIONS,
    opt_outs=(OptOutKind.UNSUBSCRIBED,),
)
