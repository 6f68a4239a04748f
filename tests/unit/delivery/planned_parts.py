"""A part's planning in memory: rows of a segment and of a ledger in, operations and side files out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import duckdb

from shared.catalog.rules import NO_RULES, Rules
from shared.delivery.plan import kept_back, persons
from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.operations import (
    Source,
    Tally,
    Wish,
    find_candidates,
    find_earlier_addresses,
    find_people,
    plan_part,
    recognising_query,
    respell,
    staging_query,
)
from shared.delivery.plan.persons import NO_IDS, IdFacts
from shared.delivery.plan.recognising import recognising
from shared.delivery.sql import literal
from shared.delivery.state.files import write
from shared.delivery.state.ledger import Ledger
from shared.delivery.state.transitions import RunKind
from tests.unit.delivery import parts
from tests.unit.delivery.parts import Blobs, bucket, database

CITY = (Matched("city", "City"),)
FOLDER = "runs/e/r/0/plan/x/"


@dataclass
class Planned:
    """A plan of all parts: operations by kind and address, and the side files' rows."""

    tally: Tally
    operations: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    refused: list[dict[str, Any]] = field(default_factory=list)
    left_out: list[dict[str, Any]] = field(default_factory=list)
    kept_back: dict[str, str] = field(default_factory=dict)
    """Address -> rule."""
    ids: IdFacts = NO_IDS
    known_before: dict[str, set[str]] = field(default_factory=dict)
    """Address that is added -> others that the person was known by."""
    newly_known: dict[str, int] = field(default_factory=dict)
    recognisable: dict[str, int] = field(default_factory=dict)

    @property
    def who(self) -> dict[str, set[str]]:
        return {kind: set(people) for kind, people in self.operations.items() if people}


@dataclass
class World:
    folder: Path
    blobs: Blobs = field(default_factory=Blobs)

    def source(
        self,
        *cells: Sequence[str | None],
        segment: int = 0,
        file: int = 0,
        first: int = 0,
        excluded: int | None = None,
    ) -> Source:
        """Rows of a file: the address's cell and those of the other columns."""
        made = []
        for row in cells:
            each = ", ".join("NULL::VARCHAR" if cell is None else literal(cell) for cell in row)
            made.append(f"({each}, {file})")
        names = ", ".join(f"cell_{number}" for number in range(len(cells[0])))
        sql = f"SELECT * FROM (VALUES {', '.join(made)}) AS t({names}, file_index)"
        return Source(sql, segment, first, excluded=excluded)

    def plan(
        self,
        *sources: Source,
        before: Sequence[Mapping[str, object]] = (),
        mode: str = "mirror",
        kind: RunKind = RunKind.DELIVERY,
        matches: Sequence[Matched] = CITY,
        stay: Sequence[str] = (),
        of: int = 1,
        rules: Rules = NO_RULES,
        id_column: str | None = None,
        recognises: bool = False,
    ) -> Planned:
        wish = Wish("EMail", matches, mode, kind, rules, id_column)
        ledger = parts.ledger(self.blobs, self.folder, *before, parts=of)
        staged = []
        if sources:
            staged = self.stage(wish, sources, of, ledger if recognises else None)
            spelled = self.folder / "spelled.parquet"
            if respell(database(), staged[:1], of, spelled, self.folder / "spellings.parquet"):
                staged.append(spelled)
        kept: list[Path] = []
        for each in stay:
            kept.append(self.folder / f"stay-{len(kept)}.parquet")
            write(database(), f"SELECT {literal(each)} AS address", kept[-1])
        made = Planned(Tally())
        there = set(self.folder.iterdir())
        if id_column:
            self._look_for_people(made, wish, staged, ledger, of)
        if rules.limit and of > 1:
            kept_back.begin_line(database(), rules.limit)
            for part in range(of):
                find_candidates(database(), wish, staged, part)
            kept_back.draw_line(database(), rules.limit)
        for part in range(of):
            plan_part(
                database(),
                parts.files(self.blobs),
                made.tally,
                wish=wish,
                staged=staged,
                ledger_before=ledger,
                part=part,
                parts=of,
                folder=FOLDER,
                where=self.folder,
                stay=kept,
            )
        assert set(self.folder.iterdir()) == there, "nothing is left on disk"
        self._read(made)
        made.tally.balance().check()
        return made

    def stage(self, wish: Wish, sources: Sequence[Source], of: int, ledger: Ledger | None) -> list[Path]:
        """Files of the rows that are judged, and of those that are recognised by this ledger."""
        staged, known = self.folder / "staged.parquet", self.folder / "staged.known.parquet"
        if ledger is None:
            write(database(), staging_query(wish, sources, of), staged)
            return [staged]
        knows = recognising(parts.files(self.blobs), wish, ledger, self.folder)
        with duckdb.connect(config={"threads": 1}) as own:
            own.execute("SET TimeZone = 'UTC'")
            loaded = knows.load(own, 0, 1)
            write(own, recognising_query(wish, sources, of, seed=knows.seed), known)
            write(own, staging_query(wish, sources, of, seed=knows.seed, unless_recognised=known), staged)
        for each in loaded:
            each.unlink()
        return [staged, known]

    def _look_for_people(self, made: Planned, wish: Wish, staged: Sequence[Path], ledger: Ledger, of: int) -> None:
        files = parts.files(self.blobs)
        persons.begin(database())
        for part in range(of):
            find_people(
                database(),
                files,
                wish=wish,
                staged=staged,
                ledger_before=ledger,
                part=part,
                parts=of,
                where=self.folder,
            )
        made.ids = persons.conclude(database(), persons.all_reasons(wish.rules, wish.id_column))
        if persons.has_joiners(database()):
            for part in range(of):
                find_earlier_addresses(database(), files, ledger, part, of, self.folder)

    def _read(self, made: Planned) -> None:
        for kind, part, file in made.tally.files:
            assert file.name == f"{FOLDER}{part:03d}-{kind}.parquet"
            people = made.operations.setdefault(str(kind), {})
            for row in parts.rows(self.blobs, file, self.folder):
                assert row["bucket"] == bucket(row["address"])
                people[row.pop("address")] = row
        for file in made.tally.refused_files:
            assert file.name.endswith("-refused.parquet")
            made.refused += parts.rows(self.blobs, file, self.folder)
        for file in made.tally.left_out_files:
            assert file.name.endswith("-left-out.parquet")
            made.left_out += parts.rows(self.blobs, file, self.folder)
        for file in made.tally.kept_back_files:
            assert file.name.endswith("-kept-back.parquet")
            made.kept_back |= {row["address"]: row["rule"] for row in parts.rows(self.blobs, file, self.folder)}
        joining = {row["n"]: address for address, row in made.operations.get("add", {}).items()}
        for file in made.tally.known_before.values():
            for row in parts.rows(self.blobs, file, self.folder):
                made.known_before.setdefault(joining[row["n"]], set()).add(row["address"])
        for file in made.tally.newly_known.values():
            made.newly_known |= {row["address"]: row["person"] for row in parts.rows(self.blobs, file, self.folder)}
        for file in made.tally.recognisable.values():
            made.recognisable |= {row["address"]: row["row"] for row in parts.rows(self.blobs, file, self.folder)}
