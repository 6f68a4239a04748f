"""A plan of which a person wants only a few people to join at first: the same plan, cut before anything of it is sent.

The first additions of each part's file stay, in the order of their digests, which neither the alphabet nor the order of
rows decides. Whoever is left out is counted as `later`: the next run finds them in the segment and not in the ledger.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from shared.delivery.plan import attempt as attempts
from shared.delivery.sql import literal
from shared.delivery.state import layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile, keep
from shared.delivery.state.plan import Plan, PlanFile
from shared.delivery.work import Work
from shared.vendors.contract import Kind
from shared.wording import say_many

PEOPLE = 500
"""So many join at first."""


def is_possible(additions: int) -> bool:
    """Whether so many additions leave anybody for later."""
    return additions > PEOPLE


def cut(work: Work, made: Plan, fingerprint: str) -> tuple[Plan, str]:
    """The plan with its first additions, in the place of the plan, with its fingerprint. Safe to repeat."""
    if made.balance.later or not is_possible(made.balance.add):
        return made, fingerprint
    kept = [(file.kind, file.part, data) for file, data in _kept(work, made.files)]
    later = made.balance.add - PEOPLE
    smaller = replace(
        made,
        files=plans.number(kept, made.batch_rows),
        balance=replace(made.balance, add=PEOPLE, later=later),
        mentions=[
            *made.mentions,
            say_many("%(num)s person joins in a later run.", "%(num)s people join in later runs.", later),
        ],
    )
    smaller.balance.check()
    return plans.publish_again(work.cloud.blobs, work.folder, smaller, fingerprint)


def _kept(work: Work, files: Sequence[PlanFile]) -> Iterator[tuple[PlanFile, DataFile]]:
    left = PEOPLE
    for file in files:
        if file.kind is not Kind.ADD:
            yield file, file.file
        elif left:
            yield file, file.file if file.file.rows <= left else _first(work, file, left)
            left -= min(file.file.rows, left)


def _first(work: Work, file: PlanFile, people: int) -> DataFile:
    """A file of the first so many people of another."""
    whole, name = work.where / "additions.parquet", f"{file.part:03d}-{file.kind}-first.parquet"
    if not work.files.download(file.file.stored, whole):
        raise ledger.damaged()
    folder = layout.plan_folder(work.folder, attempts.execution(work))
    query = f"FROM read_parquet({literal(str(whole))}) ORDER BY md5_number(address) LIMIT {people}"
    with work.scratch.database() as connection:
        made = keep(work.files, connection, query, folder + name, work.where / name)
    whole.unlink()
    assert made is not None, "there is somebody in it"
    return made
