"""Other addresses of a person, by the ids that ledgers keep with addresses."""

from __future__ import annotations

from collections.abc import Iterator

from shared.cloud.cloud import Cloud
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger, lookup, scratch
from shared.errors import Blocked
from shared.mailbox import normalised


def other_addresses(cloud: Cloud, address: str) -> list[str]:
    """Each once. An id is compared within one ledger, since another export's column may have the same one of somebody
    else. A ledger that cannot be read names nobody: forgetting says so itself."""
    wanted = normalised(address)
    manifests = [name for name in cloud.blobs.names(layout.LEDGERS) if name.endswith("/manifest.json")]
    found = (each for name in manifests for each in _readable(cloud, name.removesuffix("manifest.json"), wanted))
    return sorted({*found} - {wanted})


def _readable(cloud: Cloud, place: str, address: str) -> list[str]:
    try:
        return list(_in_ledger(cloud, place, address))
    except Blocked:
        return []


def _in_ledger(cloud: Cloud, place: str, address: str) -> Iterator[str]:
    row = lookup.ledger_row(cloud, place, address)
    person = row.get("person") if row else None
    if person is None:
        return
    for part in ledger.read(cloud.blobs, place).files:
        with scratch.folder() as where, scratch.database(cloud.settings, where) as connection:
            path = where / "part.parquet"
            if not cloud.blobs.download(part.file.stored, path):
                raise ledger.damaged()
            rows = f"""
                SELECT NULL::VARCHAR AS address, NULL::UBIGINT AS person WHERE false
                UNION ALL BY NAME FROM read_parquet({literal(str(path))})
            """
            of_person = f"SELECT address FROM ({rows}) WHERE person = {int(person)}"
            yield from (each for (each,) in connection.execute(of_person).fetchall())
