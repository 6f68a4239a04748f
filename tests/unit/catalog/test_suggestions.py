"""Data matching suggested from names of columns, and names for new things."""

from __future__ import annotations

from dataclasses import replace

import pytest

from shared.catalog.copying import LONGEST, slug
from shared.catalog.models import NAME
from shared.catalog.suggestions import SYNONYMS, address_column, matching
from shared.vendors.contract import Field
from shared.vendors.registry import DEFINITIONS


@pytest.mark.parametrize(
    ("columns", "address"),
    [
        (["CustomerId", "EMail", "Name"], "EMail"),
        (["SecondaryEmail", "primary_email"], "primary_email"),
        (["Contacts_emailaddress1", "x"], "Contacts_emailaddress1"),
        (["Nume", "Adresa de e-mail"], "Adresa de e-mail"),
        (["Förnamn", "E-postadress"], "E-postadress"),
        (["CustomerId", "Name"], None),
        ([], None),
    ],
)
def test_the_column_with_the_address_is_found(columns: list[str], address: str | None) -> None:
    assert address_column(columns) == address


@pytest.mark.parametrize(
    ("vendor", "columns", "found"),
    [
        (
            "iterable",
            ["EMail", "First_Name", "Surname", "ZIP"],
            {"firstName": "First_Name", "lastName": "Surname", "postalCode": "ZIP"},
        ),
        (
            "dotdigital",
            ["EMail", "Förnamn", "Efternamn", "Postnr"],
            {"FIRSTNAME": "Förnamn", "LASTNAME": "Efternamn", "POSTCODE": "Postnr"},
        ),
        (
            "omnisend",
            ["Prenume", "Nume", "Oraș", "Data nașterii"],
            {"firstName": "Prenume", "lastName": "Nume", "city": "Oraș", "birthdate": "Data nașterii"},
        ),
        ("campaign-monitor", ["FullName", "EMail"], {"Name": "FullName"}),
        ("iterable", ["EMail", "LoyaltyTier"], {}),
    ],
)
def test_fields_get_the_columns_that_sound_like_them(vendor: str, columns: list[str], found: dict[str, str]) -> None:
    assert {each.field: each.column for each in matching(columns, DEFINITIONS[vendor])} == found


def test_no_column_is_suggested_twice_and_never_the_address_for_a_field() -> None:
    two_phones = replace(DEFINITIONS["iterable"], fields=(Field("phone", "Phone"), Field("mobile", "Mobile")))
    assert [match.field for match in matching(["Telephone"], two_phones)] == ["phone"]
    for definition in DEFINITIONS.values():
        columns = [match.column for match in matching(["email", "mail", "name", "address", "country"], definition)]
        assert len(columns) == len(set(columns))
        assert not {"email", "mail"} & set(columns)


def test_no_word_means_two_kinds() -> None:
    words = [word for kind in SYNONYMS.values() for word in kind]
    assert sorted(words) == sorted(set(words))


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Newsletter, Nordic shops", "newsletter-nordic-shops"),
        ("  Über-Größe Ærø  ", "uber-grosse-aero"),
        ("Știri & oferte", "stiri-oferte"),
        ("日本", "unnamed"),
        ("x" * 200, "x" * (LONGEST - 4)),
    ],
)
def test_a_name_looks_like_its_title(title: str, name: str) -> None:
    assert slug(title) == name
    assert NAME.fullmatch(slug(title, {name}))
    assert slug(title, {name, f"{name}-2"}) == f"{name}-3"


@pytest.mark.parametrize("title", ["New", "Run all", "Several"])
def test_a_title_that_is_a_page_of_the_app_gets_another_name(title: str) -> None:
    assert slug(title) == f"{title.lower().replace(' ', '-')}-2"
