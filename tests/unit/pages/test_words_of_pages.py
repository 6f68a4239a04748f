"""What pages say is said in their own words: fields by their labels, credentials by their names, nothing of the API."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from urllib.parse import urlencode

import pytest

from dev.translations import catalogue, template
from shared.catalog.connection_validation import connection_issues
from shared.catalog.issues import Issue
from shared.catalog.models import ConnectionInput, SettingValue
from shared.delivery.account.connecting import Named
from shared.errors import UserMustAct
from shared.pages import plain_words
from shared.pages.connection_draft import typable
from shared.pages.plain_words import in_page_words, of_page
from shared.vendors.contract import CheckResult, Definition
from shared.vendors.registry import DEFINITIONS
from shared.wording import Message, rendered, say, say_many, together
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import LETTERBOX
from tests.unit.pages.asking import changed, client, page, post

LANGUAGES = ("sv", "ro")
API_WORD = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b|If-Match|with the kind|`continue`|read it again")
DOCS = Path(__file__).parents[3] / "docs"
VENDORS = pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=DEFINITIONS.keys())


def api_words(text: str) -> list[str]:
    return API_WORD.findall(re.sub(r"%\(\w+\)s", "", text))


@cache
def forms() -> frozenset[tuple[str, ...]]:
    """Every message of the catalogue, in the forms that it has for one and for several."""
    ids = (each.id for each in template() if each.id)
    return frozenset(tuple(map(str, each)) if isinstance(each, (tuple, list)) else (each,) for each in ids)


@cache
def translated(language: str) -> Mapping[str, str]:
    return {str(each.id): str(each.string) for each in catalogue(language)}


def test_every_message_with_words_of_the_api_has_words_for_pages() -> None:
    spoken = {one for one, *several in forms() if api_words(" ".join([one, *several]))}
    assert spoken - plain_words.SENTENCES.keys() == set()


@pytest.mark.parametrize("text", plain_words.SENTENCES, ids=lambda text: text[:40])
def test_the_words_for_pages_are_not_the_apis_and_keep_the_values(text: str) -> None:
    words = plain_words.SENTENCES[text]
    for form in filter(None, (words.text, words.many)):
        assert api_words(form) == []
        assert set(re.findall(r"%\((\w+)\)s", form)) == set(re.findall(r"%\((\w+)\)s", text))
    assert text in {one for one, *_ in forms()}, "the message that it stands for is no more"


def test_words_are_those_of_the_page_inside_of_other_messages_too() -> None:
    inner = say("Set client_id to one of: %(clients)s.", clients="4f1a")
    told = of_page(together([say("There is no client."), inner]))
    assert told == "There is no client. Client ID: choose one of 4f1a."
    assert of_page(say_many("%(num)s person", "%(num)s people", 3)) == "3 people"
    vanished = "Somebody deleted the list at the vendor. Run the export with the kind 'rebuild' to make it anew."
    assert of_page(vanished).endswith("Choose Rebuild the list on the export's page to make it anew.")


# Credentials


@VENDORS
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_credential_and_setting_has_a_name_in_every_language(definition: Definition, language: str) -> None:
    for each in (*definition.credentials, *definition.settings, *definition.export_settings):
        assert api_words(each.label) == []
        assert translated(language).get(each.label), each.label


@VENDORS
def test_a_credential_that_is_not_there_yet_is_called_by_its_name(definition: Definition) -> None:
    labels = {each.name: each.label for each in definition.credentials}
    for each in definition.credentials:
        named = Named(None, {}, None, labels=labels)  # type: ignore[arg-type]  # nothing is asked of either
        with pytest.raises(UserMustAct) as error:
            named.alone(each.name).__enter__()
        assert f"({each.label})" in error.value.message
        for language in LANGUAGES:
            told = rendered(error.value.message, language)
            assert translated(language)[each.label] in told
            assert api_words(told) == []


def visible(html: str) -> str:
    """What people see of a page: no attributes, no addresses."""
    return " ".join(re.sub(r"<[^>]+>", " ", html.partition("<main")[2]).split())


@pytest.mark.parametrize("language", ["en", *LANGUAGES])
@VENDORS
def test_the_page_of_a_connection_shows_no_raw_name(
    service: FakeService, definition: Definition, language: str
) -> None:
    service.world.offer({**service.catalog.definitions, definition.name: definition})
    values = {each.name: each.default for each in definition.settings if each.default is not None}
    body = {
        "vendor": definition.name,
        "settings": values,
        "secrets": {each.name: f"secret-{number}" for number, each in enumerate(typable(definition))},
    }
    service.world.connect("theirs", account="acc-7", **body)
    held = service.catalog.connection("theirs")
    problem = say("Set client_id to the ID in the client's settings, API keys.")
    service.catalog.record_check(held, CheckResult(False, problem, code="client_missing"))
    shown = visible(page(client(service, **{"accept-language": language}).get("/connections/theirs")))
    assert api_words(shown.replace("client_missing", "")) == []
    form = visible(page(client(service, **{"accept-language": language}).get("/connections/theirs/edit")))
    assert api_words(form) == []


# What is wrong with a form


ISSUES = [
    ("/settings/region", say("Write a number of at least %(number)s.", number=1), "Region: Write a number"),
    ("/settings/region", say("This is required: %(what)s.", what=Message("Region")), "This is required: Region."),
    ("/secrets/key", say("Write the name of a Key Vault secret."), "API key: Write the name"),
    ("/rate_budget", say("Write a number of at most %(number)s.", number=1), "write a percentage from 5 to 100."),
    ("/guards/max_removed_share", say("Write a number."), "Taken off, of those on the list: write a percentage from 0"),
    ("/guards/max_age_days", say("Write a whole number."), "Age of the snapshot, days: Write a whole number."),
]


@pytest.mark.parametrize(("pointer", "message", "told"), ISSUES)
def test_what_is_wrong_names_the_field_as_the_page_does(pointer: str, message: Message, told: str) -> None:
    [found] = in_page_words([Issue(pointer, message)], LETTERBOX)
    assert told in found.message


def test_who_has_to_answer_for_a_choice_is_told_to_tick_it() -> None:
    settings: dict[str, SettingValue] = {"audience_id": "a1b2c3d4e5", "new_people": "subscribed"}
    sent = ConnectionInput(display_name="Shop", vendor="mailchimp", settings=settings)
    told = {each.pointer: each.message for each in in_page_words(connection_issues(sent, DEFINITIONS))}
    assert "read what is decided, and tick it" in told["/decisions/new_people"]


def test_a_share_is_asked_for_as_the_percentage_that_the_form_shows(service: FakeService) -> None:
    shown = page(post(client(service), "/exports/vips", changed(service, **{"guards.max_removed_share": "250"})))
    assert "Taken off, of those on the list: write a percentage from 0 to 100." in shown
    version = page(client(service).get("/connections/marketing/edit")).partition('name="version" value="')[2]
    form = {
        "display_name": "Marketing",
        "vendor": "letterbox",
        "settings.region": "eu",
        "rate_budget": "150",
        "agreed": "on",
        "version": version.partition('"')[0].replace("&#34;", '"'),
    }
    shown = page(post(client(service), "/connections/marketing", urlencode(form).encode()))
    assert "Share of the vendor's limits: write a percentage from 5 to 100." in shown.replace("&#39;", "'")


# Vendors: where keys are made, and what is known of their limits


@VENDORS
def test_where_a_credential_is_made_stands_where_it_is_asked_and_in_the_documentation(
    service: FakeService, definition: Definition
) -> None:
    service.world.offer({**service.catalog.definitions, definition.name: definition})
    form = urlencode({"vendor": definition.name}).encode()
    shown = visible(page(post(client(service), "/connections/new/form", form)))
    documented = (DOCS / "authenticating.md").read_text(encoding="utf-8")
    assert typable(definition)
    for each in typable(definition):
        assert each.made_at, each.name
        path = " › ".join(each.made_at)
        assert f"{each.description} At {definition.label} it is made under {path} ." in shown
        assert f"| {definition.label} | {each.label} | {path} |" in documented


@VENDORS
def test_known_limits_stand_where_the_vendor_is_chosen(service: FakeService, definition: Definition) -> None:
    service.world.offer({**service.catalog.definitions, definition.name: definition})
    form = urlencode({"vendor": definition.name}).encode()
    shown = visible(page(post(client(service), "/connections/new/form", form)))
    assert f"{definition.label} takes 1,000,000 people at the most from one export" in shown
    minutes = round(definition.minutes_per_million)
    assert f"A million new people take about {minutes} minutes" in shown
    assert f"Your contract with {definition.label} may limit" in shown


@VENDORS
def test_the_minutes_are_those_that_were_measured(definition: Definition) -> None:
    text = (DOCS / "performance.md").read_text(encoding="utf-8")
    row = next(line for line in text.splitlines() if line.startswith("| minutes per million"))
    assert f"{definition.label} {definition.minutes_per_million:.1f} (" in row
