"""What Omnisend is, as data. Facts: Omnisend contract, sections 1 to 6."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, FieldType, Rate, Setting

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
"""Pages that are read to count the people with a tag, of whom Omnisend tells no number to such a key."""
LONGEST_TEXT = 2048
"""Characters of a custom property."""

CONSENT = "emailConsentAt"
"""The field that holds since when somebody agrees to be written to; the only one that touches a subscription."""

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

DEFINITION = Definition(
    name="omnisend",
    label="Omnisend",
    credentials=(
        Setting(
            "api_key",
            "API key",
            f"Made in Omnisend under Store settings, API keys, with the permissions {', '.join(SCOPES)}.",
            required=True,
        ),
    ),
    settings=(),
    fields=(
        Field("email", "E-mail", required=True),
        Field("firstName", "First name"),
        Field("lastName", "Last name"),
        Field("address", "Address"),
        Field("country", "Country (name or two-letter code)"),
        Field("countryCode", "Country code (two letters)"),
        Field("state", "State"),
        Field("city", "City"),
        Field("postalCode", "Postal code"),
        Field("gender", "Gender (m or f)"),
        Field("birthdate", "Date of birth", FieldType.DATE),
        Field(CONSENT, "Agreed to e-mail on", FieldType.DATE),
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
    reserved_fields=_RESERVED,
    # Tags go on about 10,000 people a minute, and batches take "a few minutes": five minutes' work under way.
    most_jobs=50,
    target_word="tag",
    # Tags go on and off after the answer, in the background.
    fresh_seconds=120.0,
    most_members=250_000,
    members_page=PAGE,
)
