"""People who were on a list before us. Where the export protects them they are read once, and never taken off."""

from __future__ import annotations

from pathlib import Path

from shared.catalog.models import Existing
from shared.delivery.sql import literal
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile, keep
from shared.delivery.work import Work
from shared.mailbox import normalised
from shared.vendors.contract import TargetFound


def protected(work: Work) -> Path | None:
    """A local file with the addresses that must stay, None where nobody is protected."""
    list_id = work.target.list_id
    if work.target.existing is not Existing.PROTECT or list_id is None:
        return None
    path = work.where / "protected.parquet"
    memory = work.memory()
    if "protected" not in memory:
        _read(work, list_id)
        memory = work.memory()
    known = memory["protected"]
    if known is None:
        return None
    if not work.files.download(DataFile.of(known).stored, path):
        raise RuntimeError("the file of protected members is missing or damaged")
    return path


def _read(work: Work, list_id: str) -> None:
    """Read the list before the first write to it, and keep who is on it beside the ledger. An address that cannot be
    printed, with a tab in it, is nobody's whom an export could take off, and would be no line of its own."""
    lines = work.where / "members.txt"
    with lines.open("wb") as stream:
        for member in work.opened.vendor.members(TargetFound(list_id, "")):
            if (address := normalised(member)) and address.isprintable():
                stream.write(f"{address}\n".encode())
    shape = "columns={address: 'VARCHAR'}, header=false, auto_detect=false, delim='\\t', quote='', escape=''"
    query = f"SELECT DISTINCT address FROM read_csv({literal(str(lines))}, {shape})"
    name = layout.protected(work.ledger_folder)
    with work.scratch.database() as connection:
        file = keep(work.files, connection, query, name, work.where / "reading.parquet")
    lines.unlink()
    kept = {"name": file.name, "md5": file.md5, "size": file.size, "rows": file.rows} if file else None
    work.remember(protected=kept)
