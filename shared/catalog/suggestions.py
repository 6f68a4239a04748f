"""Data matching suggested from the names of columns. Pure; what is alike is data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from shared.catalog.models import Match
from shared.vendors.contract import Definition

# Kind of field -> what vendors and profiles call it: without spaces, marks and capitals; English, Romanian, Swedish.
# The first that a segment has a column for is taken.
SYNONYMS: dict[str, tuple[str, ...]] = {
    "address": (
        *("email", "emailaddress", "primaryemail", "emailaddress1", "mail", "mailaddress", "contactemail", "useremail"),
        *("workemail", "personalemail", "adresaemail", "adresadeemail", "epost", "epostadress", "eposta", "mejl"),
    ),
    "first name": (
        *("firstname", "givenname", "forename", "first", "fname", "prenume", "prenumele", "fornamn", "tilltalsnamn"),
    ),
    "last name": (*("lastname", "surname", "familyname", "last", "lname", "nume", "numedefamilie", "efternamn"),),
    "full name": (*("fullname", "name", "displayname", "contactname", "numecomplet", "namn", "fullstandigtnamn"),),
    "phone": (
        *("phonenumber", "phone", "mobilenumber", "mobile", "mobilephone", "cellphone", "telephone", "telephone1"),
        *("telefon", "numardetelefon", "telefonmobil", "mobil", "mobilnummer", "telefonnummer"),
    ),
    "postal code": (
        *("postalcode", "postcode", "zip", "zipcode", "zippostalcode", "address1postalcode"),
        *("codpostal", "postnummer", "postnr"),
    ),
    "city": (*("city", "town", "address1city", "oras", "localitate", "ort", "stad", "postort"),),
    "state": (
        *("state", "stateorprovince", "province", "region", "county", "address1stateorprovince"),
        *("judet", "regiune", "lan", "delstat"),
    ),
    "country": (*("country", "countryorregion", "countryname", "address1country", "tara", "land"),),
    "country code": (*("countrycode", "countryiso", "iso2", "codtara", "landskod"),),
    "street": (
        *("address", "street", "streetaddress", "addressline1", "address1", "address1line1"),
        *("adresa", "strada", "adress", "gatuadress", "gata"),
    ),
    "gender": (*("gender", "sex", "gendercode", "gen", "kon"),),
    "date of birth": (
        *("birthdate", "dateofbirth", "birthday", "dob", "born", "datanasterii", "fodelsedatum", "fodelsedag"),
    ),
}
_KIND_OF = {word: kind for kind, words in SYNONYMS.items() for word in words}
_MARKS = str.maketrans("ăâîșşțţåäöéèü", "aaissttaaoeeu")


def address_column(columns: Sequence[str]) -> str | None:
    """The column that probably holds the e-mail address."""
    return _best("address", columns)


def matching(columns: Sequence[str], definition: Definition) -> list[Match]:
    """A column for each of the vendor's fields that one is found for, each column used once."""
    return list(_matching(columns, definition))


def _matching(columns: Sequence[str], definition: Definition) -> Iterator[Match]:
    free = [column for column in columns if _kind(column) != "address"]
    for field in definition.fields:
        if field.name == definition.email_field:
            continue
        if column := _column_for(field.name, free):
            free.remove(column)
            yield Match(field=field.name, column=column)


def _column_for(field: str, columns: Sequence[str]) -> str | None:
    """A column of the same name, else the best of the same kind."""
    same = next((column for column in columns if _plain(column) == _plain(field)), None)
    kind = _kind(field)
    return same or (_best(kind, columns) if kind else None)


def _best(kind: str, columns: Sequence[str]) -> str | None:
    order = {word: place for place, word in enumerate(SYNONYMS[kind])}
    ranked = [(order[word], place) for place, column in enumerate(columns) for word in _words(column) & order.keys()]
    return columns[min(ranked)[1]] if ranked else None


def _kind(name: str) -> str | None:
    return next((_KIND_OF[word] for word in sorted(_words(name)) if word in _KIND_OF), None)


def _words(name: str) -> set[str]:
    """The name itself, and what follows a source's prefix: `Contacts_FirstName`, `crm.email`."""
    last = re.split(r"[._:/]", name.strip("._:/ "))[-1]
    return {_plain(name), _plain(last)}


def _plain(name: str) -> str:
    return re.sub("[^a-z0-9]", "", name.lower().translate(_MARKS))
