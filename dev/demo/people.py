"""Made-up profiles, written to Blob Storage as Customer Insights writes a segment; and the truth about them.

Everything follows from a seed. The truth is known from making the people, not from reading what was written, so that
it can judge the service. All domains are reserved for examples (RFC 2606) and nobody here exists.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from hashlib import md5
from itertools import islice
from random import Random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient

PARTITIONS = 4

_DUPLICATES = 0.02
_INVALID = 0.01
_FIRST_NAMES = (
    *("Testa", "Demo", "Sample", "Mocka", "Fictia", "Pretendo", "Imagina", "Placeholder", "Dümmy", "Bëispiel"),
    *("Ficção", "Žkouška", "Örnek", "Δοκιμή", "Пример", "サンプル", "例子", 'Quo"ted', "Com,ma"),
)
_LAST_NAMES = (
    *("McExample", "Van der Test", "Fixture", "Madeup", "O'Sample", "Nobody-Here", "Lorem", "Ipsum"),
    *("Příklad", "Übungsson", "Παράδειγμα", "Тестов", "架空", "😀 Smiley"),
)
_CITIES = ("Exampleville", "Sample City, North", "Testhausen", "São Exemplo", "Ørneby", "サンプル市", "Mock-on-Sea")
_COUNTRIES = ("NL", "DE", "BE", "GB", "US", "JP", "")
_TIERS = ("Bronze", "Silver", "Gold", "")
_NOTES = (
    "",
    "",
    "",
    "Likes tea",
    'Said "hello"',
    "First line\nsecond line",
    "Windows\r\nline break",
    ", ,",
    " padded ",
)
_DOMAINS = ("example.com", "example.org", "example.net")
_NOT_ADDRESSES = ("", "no-at-sign.example.com", "two@@example.com", "@example.org", "name@", "with space@example.net")
_DISGUISES = (str.upper, str.title, str.swapcase, "  {}".format, "{} ".format, " {}  ".format)


class Person(NamedTuple):
    """One row. `address` is the truth: the address as it should be on the list, None where the e-mail is no address."""

    customer_id: str
    email: str
    first_name: str
    last_name: str
    city: str
    postal_code: str
    country: str
    loyalty_tier: str
    date_of_birth: str
    points: str
    customer_since: str
    note: str
    address: str | None


COLUMNS = (
    *("CustomerId", "EMail", "FirstName", "LastName", "City", "PostalCode", "Country", "LoyaltyTier"),
    *("DateOfBirth", "Points", "CustomerSince", "Note"),
)


def make_people(count: int, seed: int) -> list[Person]:
    """So many rows: mostly people with an address of their own, some who repeat one, some without a valid one."""
    random = Random(seed)
    people: list[Person] = []
    for number in range(count):
        person = _person(random, f"{seed}/{number}")
        kind = random.random()
        if kind < _INVALID:
            person = person._replace(email=_NOT_ADDRESSES[number % len(_NOT_ADDRESSES)], address=None)
        elif kind < _INVALID + _DUPLICATES and people:
            earlier = people[int(random.random() * len(people))]
            if earlier.address:
                disguise = _DISGUISES[number % len(_DISGUISES)]
                person = person._replace(email=disguise(earlier.address), address=earlier.address)
        people.append(person)
    return people


def next_version(people: Sequence[Person], seed: int, joins: int, leaves: int, changes: int) -> list[Person]:
    """The same people some time later: so many addresses are new, gone, or have another city and loyalty tier.

    Rows keep their order and joiners come last. Raises ValueError where there are fewer people than leave and change.
    """
    random = Random(seed)
    members = list(expected_members(people))
    if leaves + changes > len(members):
        raise ValueError(f"{len(members)} people are too few for {leaves} leavers and {changes} changes")
    chosen = random.sample(members, leaves + changes)
    gone, changing = set(chosen[:leaves]), set(chosen[leaves:])
    later = [
        person._replace(city=f"New {person.city}", loyalty_tier="Platinum") if person.address in changing else person
        for person in people
        if person.address not in gone
    ]
    return later + [_person(random, f"{seed}/joined/{number}") for number in range(joins)]


def expected_members(people: Iterable[Person]) -> dict[str, Person]:
    """Who should be on the list: address -> the row whose values count, which is the first one."""
    members: dict[str, Person] = {}
    for person in people:
        if person.address:
            members.setdefault(person.address, person)
    return members


def write_snapshot(
    container: ContainerClient,
    *,
    instance: str,
    export: str,
    segment: str,
    taken_at: datetime,
    people: Sequence[Person],
    partitions: int = PARTITIONS,
) -> str:
    """Write the files of a segment, then name them in the export's model.json; other segments there stay.

    Returns the segment's id.
    """
    folder = f"CustomerInsights_{instance}/{export}"
    moment = taken_at.astimezone(UTC)
    size = -(-len(people) // partitions) or 1
    rows, names = iter(people), []
    for number in range(1, partitions + 1):
        name = f"{folder}/{segment}/{moment:%Y/%m/%d/%H%M}/{segment}_{number}.csv"
        container.upload_blob(name, _csv(islice(rows, size)), overwrite=True)
        names.append(container.get_blob_client(name).url)
    _describe(container, folder, moment, _table(segment, names, moment))
    return f"{container.container_name}/{folder}:{segment}"


def _person(random: Random, key: str) -> Person:
    first, last, city, country, tier, domain, note = (
        words[int(random.random() * len(words))]
        for words in (_FIRST_NAMES, _LAST_NAMES, _CITIES, _COUNTRIES, _TIERS, _DOMAINS, _NOTES)
    )
    number = int(random.random() * 30_000)
    customer_id = md5(key.encode(), usedforsecurity=False).hexdigest()
    address = f"person.{customer_id[:14]}@{domain}"
    return Person(
        customer_id=customer_id,
        email=address.title() if number % 10 == 0 else address,
        first_name=first,
        last_name=last,
        city=city,
        postal_code=f"{number % 10_000:05} EX",
        country=country,
        loyalty_tier=tier,
        date_of_birth=(date(1930, 1, 1) + timedelta(number)).isoformat() if number % 20 else "",
        points=str(number),
        customer_since=f"2020-01-{number % 28 + 1:02}T08:{number % 60:02}:00Z",
        note=note,
        address=address,
    )


def _csv(people: Iterable[Person]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(COLUMNS)
    writer.writerows(person[: len(COLUMNS)] for person in people)
    return text.getvalue().encode()


def _table(segment: str, names: Sequence[str], moment: datetime) -> dict[str, object]:
    return {
        "$type": "LocalEntity",
        "name": segment,
        "annotations": [{"name": "c360:PrimaryKey", "value": COLUMNS[0]}],
        "attributes": [{"name": column, "dataType": "string"} for column in COLUMNS],
        "partitions": [
            {
                "name": f"{segment}_{number}",
                "refreshTime": moment.isoformat(),
                "location": name,
                "fileFormatSettings": {
                    "$type": "CsvFormatSettings",
                    "columnHeaders": True,
                    "delimiter": ",",
                    "quoteStyle": "QuoteStyle.Csv",
                    "csvStyle": "CsvStyle.QuoteAlways",
                    "encoding": "UTF-8",
                },
            }
            for number, name in enumerate(names, start=1)
        ],
    }


def _describe(container: ContainerClient, folder: str, moment: datetime, table: dict[str, object]) -> None:
    """Put the table into the export's model.json."""
    blob = container.get_blob_client(f"{folder}/model.json")
    tables = json.loads(blob.download_blob().readall())["entities"] if blob.exists() else []
    model = {
        "application": "CustomerInsights",
        "name": folder.rpartition("/")[2],
        "version": "1.0",
        "modifiedTime": moment.isoformat(),
        "entities": [*(other for other in tables if other["name"] != table["name"]), table],
    }
    blob.upload_blob(json.dumps(model, indent=2).encode(), overwrite=True)
