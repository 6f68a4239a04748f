"""What Postcard is, as data."""

from __future__ import annotations

from shared.vendors.contract import Definition, Field, Rate, Setting
from shared.wording import say

HOST = "api.postcard.example"

ACCOUNT = "account"
LISTS = "lists"
PEOPLE = "people"
LOOKS = "looks"

MOST_PEOPLE = 50
MOST_BYTES = 90_000

DEFINITION = Definition(
    name="postcard",
    label="Postcard",
    credentials=(
        Setting("api_key", "API key", "From Postcard's account page.", required=True, made_at=("Account", "API keys")),
    ),
    settings=(),
    fields=(Field("email", "E-mail", required=True), Field("first", "First name"), Field("city", "City")),
    rates=(Rate((PEOPLE,), 60, 60.0), Rate((ACCOUNT, LISTS, LOOKS), 600, 60.0)),
    hosts=(HOST,),
    batch_rows=MOST_PEOPLE,
    concurrency=4,
    minutes_per_million=444.4,
    unforeseen=(say("Whom Postcard has barred."),),
)
