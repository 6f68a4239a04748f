"""What was written down of what happened to whom, read as docs/events.md says it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb

from shared.cloud.cloud import Cloud
from shared.delivery.state import events, layout, ledger

PAGE = Path(__file__).parents[3] / "docs/events.md"


@cache
def query(heading: str) -> str:
    """The SQL under a heading of the page."""
    section = re.split(r"^## ", PAGE.read_text(), flags=re.MULTILINE)
    [found] = [each for each in section if each.startswith(heading)]
    [sql] = re.findall(r"```sql\n(.*?)```", found, re.DOTALL)
    return str(sql)


def ask(cloud: Cloud, heading: str, **variables: str) -> list[dict[str, Any]]:
    """The page's answer, by column."""
    with _files(cloud) as folder, duckdb.connect() as connection:
        for name, value in variables.items():
            connection.execute(f"SET VARIABLE {name} = '{value}'")
        found = connection.execute(query(heading).replace("'events/", f"'{folder}/events/"))
        columns = [each[0] for each in found.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in found.fetchall()]


def happened_to(cloud: Cloud, address: str) -> list[dict[str, Any]]:
    """All that happened to a person, the oldest first."""
    return ask(cloud, "All that happened to a person", salt=events.salt(cloud.blobs), address=address)


def rows(cloud: Cloud) -> list[dict[str, Any]]:
    """Every event."""
    with _files(cloud) as folder, duckdb.connect() as connection:
        found = connection.execute(f"FROM read_parquet('{folder}/events/**/*.parquet') ORDER BY generation, operation")
        return [dict(zip(events.COLUMNS, row, strict=True)) for row in found.fetchall()]


def replayed(cloud: Cloud, place: str, day: str = "9000-01-01") -> set[str]:
    """Hashes of who was on the list of a ledger at the end of a day."""
    account, of_list = place.split("/")[1:3]
    told = ask(cloud, "Who was on the list on a day", account=account, list_key=of_list, day=day)
    assert len({each["address_hash"] for each in told}) == len(told), "each once"
    return {each["address_hash"] for each in told}


def hashes(cloud: Cloud, *addresses: str) -> set[str]:
    """What stands for these people."""
    salt = events.salt(cloud.blobs)
    return {events.address_hash(salt, each) for each in addresses}


def of_the_ledger(cloud: Cloud, place: str) -> set[str]:
    """Hashes of who is, or may be, on a list as its ledger has it."""
    found = set[str]()
    with TemporaryDirectory() as folder, duckdb.connect() as connection:
        for file in ledger.read(cloud.blobs, place).files:
            path = Path(folder) / "x.parquet"
            assert cloud.blobs.download(file.file.stored, path)
            told = connection.execute(f"SELECT address FROM '{path}' WHERE status IN ('member', 'maybe')").fetchall()
            found |= hashes(cloud, *(address for (address,) in told))
    return found


def ledgers(cloud: Cloud) -> list[str]:
    """Folder of each ledger."""
    manifests = [name for name in cloud.blobs.names(layout.LEDGERS) if name.endswith("/manifest.json")]
    return [name.removesuffix("manifest.json") for name in manifests]


def told_right(cloud: Cloud) -> int:
    """How many people are on lists, after checking that of each list events come to what its ledger has."""
    people = 0
    for place in ledgers(cloud):
        expected = of_the_ledger(cloud, place)
        assert replayed(cloud, place) == expected, place
        people += len(expected)
    return people


@contextmanager
def _files(cloud: Cloud) -> Iterator[Path]:
    with TemporaryDirectory() as folder:
        for name in cloud.blobs.names(layout.EVENTS):
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            assert cloud.blobs.fetch(name, path) is not None
        yield Path(folder)
