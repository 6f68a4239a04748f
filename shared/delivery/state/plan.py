"""The plan of a delivery: an immutable list of operations, cut in numbered batches.

Operations lie in Parquet files of one kind and one part each, in the order of delivery: additions, changes, removals.
They are numbered through all files of a kind and cut every `batch_rows`, so a batch may reach from one file into the
next, none but a kind's last is part-filled, and batch and index follow from a row's place. The manifest, written once,
makes the files the plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any

from shared.cloud.blobs import Blobs
from shared.delivery.state import layout
from shared.delivery.state.files import DataFile
from shared.errors import Blocked, Conflict
from shared.vendors.contract import FieldType, Kind
from shared.wording import kept_within, read_within, say, together

FORGOTTEN = "forgotten"
"""Stands in plan files where an address stood, so that every row keeps its place; such a row is neither sent nor kept
in the ledger."""

ORDER = (Kind.ADD, Kind.CHANGE, Kind.REMOVE)


@dataclass(frozen=True, slots=True)
class PlanFile:
    """Operations of one kind in one part; `first` is the number of the first of them."""

    kind: Kind
    part: int
    file: DataFile
    first: int


COUNTED = (
    *("rows_read", "duplicates", "unchanged", "held", "left", "outside", "later", "add", "change", "remove"),
    *("moved", "shared_addresses", "without_id"),
)


@dataclass(frozen=True, slots=True)
class Balance:
    """Where every row that was read went, and how many operations that makes.

    rows_read = add + change + unchanged + held + outside + later + duplicates + the refused + the people kept back.
    `held` are people whose refusal stands; `later` are people whom a person left for later runs; `kept_back` are
    people by the rule that keeps them back, `removed_by_rules` those of them whom the plan takes off; `left` are people
    who left the segment and stay on the list (mode add); `outside` are people whom a run of this kind does not concern.
    `left_out` counts, by field, values that did not arrive as the source has them. Where
    people have ids, `moved` of the removals are of people who stay under another address, `shared_addresses` are
    addresses that several people have, `without_id` those of nobody with an id.
    """

    rows_read: int = 0
    refused: dict[str, int] = field(default_factory=dict)
    duplicates: int = 0
    unchanged: int = 0
    held: int = 0
    left: int = 0
    outside: int = 0
    add: int = 0
    change: int = 0
    remove: int = 0
    left_out: dict[str, int] = field(default_factory=dict)
    kept_back: dict[str, int] = field(default_factory=dict)
    removed_by_rules: dict[str, int] = field(default_factory=dict)
    later: int = 0
    moved: int = 0
    shared_addresses: int = 0
    without_id: int = 0

    @property
    def leavers(self) -> int:
        """People who are taken off."""
        return self.remove - self.moved

    @property
    def operations(self) -> int:
        return self.add + self.change + self.remove

    def counts(self) -> dict[str, int]:
        """The numbers by name; of what is told by reason, the sums."""
        sums = {"refused_here": self.refused, "kept_back": self.kept_back, "removed_by_rules": self.removed_by_rules}
        counted = {name: int(getattr(self, name)) for name in COUNTED}
        return counted | {name: sum(each.values()) for name, each in sums.items()}

    def check(self) -> None:
        """Raises AssertionError where a row got lost: never deliver such a plan."""
        people = self.add + self.change + self.unchanged + self.held + self.outside + self.later
        accounted = people + self.duplicates + sum(self.refused.values()) + sum(self.kept_back.values())
        if accounted != self.rows_read:
            raise AssertionError(f"the plan accounts for {accounted} of {self.rows_read} rows")


REMEDY = say(
    "Put its files back from a backup and run the export again; or cancel the run if it is not over, run a full "
    "resync, and then let the doctor look for people whom the lost plan added."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """A plan's manifest.

    `parts` divides the buckets; `base` is the ledger's commit that it was made from, with its generation, `fresh` that
    it was made from none; `snapshot_rows` are the rows read of each snapshot; `file_starts` gives, by segment and file,
    the number of the row that the file begins with. `fields` are the vendor's fields with their types. `looks` are what
    the next run compares its own with; `warnings` and `mentions` are what differs from the last run's. `folder` is the
    delivery's, by which a plan is known that was put in another's place; older versions left it out. `rules` says in
    words what each rule keeps back, `kept_back` are files of the people, `excluded` the snapshots that named some of
    them, with `excluded_rows`. `grows_to` is how many people the target will have, where that is so many more that a
    person is asked, and `first_run` what the person is told (see `plan/first_run.py`).
    """

    batch_rows: int
    parts: int
    base: str
    fresh: bool
    members_before: int
    snapshots: list[dict[str, Any]]
    snapshot_rows: list[int]
    balance: Balance
    fields: dict[str, FieldType] = field(default_factory=dict)
    files: list[PlanFile] = field(default_factory=list)
    refused: list[DataFile] = field(default_factory=list)
    values_left_out: list[DataFile] = field(default_factory=list)
    file_starts: list[tuple[int, int, int]] = field(default_factory=list)
    findings: list[dict[str, Any]] = field(default_factory=list)
    looks: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    mentions: list[str] = field(default_factory=list)
    made_at: str = ""
    base_generation: int = 0
    folder: str = ""
    rules: dict[str, str] = field(default_factory=dict)
    kept_back: list[DataFile] = field(default_factory=list)
    excluded: list[dict[str, Any]] = field(default_factory=list)
    excluded_rows: list[int] = field(default_factory=list)
    grows_to: int = 0
    first_run: dict[str, Any] = field(default_factory=dict)
    known_before: dict[int, DataFile] = field(default_factory=dict)
    newly_known: dict[int, DataFile] = field(default_factory=dict)
    recognisable: dict[int, DataFile] = field(default_factory=dict)

    def stopped_by(self) -> str:
        """Every guard that is not satisfied, in words."""
        return together((each["message"] for each in self.findings), "; ")

    def place(self, file: PlanFile, row: int) -> tuple[int, int]:
        """Batch and index of a row of a file, counted from 0."""
        return divmod(file.first + row, self.batch_rows)

    def batches(self, file: PlanFile) -> dict[int, int]:
        """The batches that a file has rows of, each with how many."""
        first, last = file.first, file.first + file.file.rows
        size = self.batch_rows
        return {
            batch: min(last, (batch + 1) * size) - max(first, batch * size)
            for batch in range(first // size, -(-last // size))
        }

    @property
    def keys(self) -> dict[str, str]:
        """Segment -> key of the snapshot that was read, of those that were followed and those that were excluded."""
        return {each["segment_id"]: each["key"] for each in (*self.snapshots, *self.excluded)}

    @property
    def holding_addresses(self) -> list[DataFile]:
        """All of its files in which people have their addresses."""
        people = (each for by_part in self.people.values() for each in by_part.values())
        return [*(each.file for each in self.files), *self.refused, *self.kept_back, *people]

    @property
    def people(self) -> dict[str, dict[int, DataFile]]:
        """Files by part of what it came to know of people, by the names of these fields."""
        return {name: getattr(self, name) for name in _PEOPLE}

    @property
    def learns(self) -> bool:
        """Whether the ledger is to know more of people, if nothing is sent to them."""
        return bool(self.newly_known or self.recognisable)

    def of_part(self, part: int) -> Iterator[PlanFile]:
        return (file for file in self.files if file.part == part)

    def to_json(self) -> bytes:
        # Words first: to copy a message as it is takes longer than all the rest.
        words: dict[str, Any] = {name: kept_within(getattr(self, name)) for name in ("rules", *_MESSAGES)}
        return json.dumps(asdict(replace(self, **words)), sort_keys=True).encode()


def number(files: Sequence[tuple[Kind, int, DataFile]], batch_rows: int) -> list[PlanFile]:
    """Put files in the order of delivery and number their operations; each kind begins with a batch of its own."""
    numbered: list[PlanFile] = []
    first, before = 0, None
    for kind, part, file in sorted(files, key=lambda each: (ORDER.index(each[0]), each[1])):
        if kind is not before:
            first, before = -(-first // batch_rows) * batch_rows, kind
        numbered.append(PlanFile(kind, part, file, first))
        first += file.rows
    return numbered


def fingerprint(manifest: bytes) -> str:
    """What a person approves when a guard has stopped the plan."""
    return hashlib.sha256(manifest).hexdigest()[:16]


def publish(blobs: Blobs, folder: str, plan: Plan) -> tuple[Plan, str]:
    """Make these files the plan, unless another planner was first: then its plan is the plan. With fingerprint."""
    try:
        blobs.create(layout.plan_manifest(folder), plan.to_json())
    except Conflict:
        found = read(blobs, folder)
        if found is None:
            raise
        return found
    return plan, fingerprint(plan.to_json())


def publish_again(blobs: Blobs, folder: str, plan: Plan, instead_of: str) -> tuple[Plan, str]:
    """Put a plan in the place of the one with this fingerprint, of which nothing was sent; where another worker did,
    its plan is the plan. With fingerprint."""
    found = blobs.read(layout.plan_manifest(folder))
    with suppress(Conflict):
        if found is not None and fingerprint(found[0]) == instead_of:
            blobs.write(layout.plan_manifest(folder), plan.to_json(), etag=found[1])
            return plan, fingerprint(plan.to_json())
    there = read(blobs, folder)
    if there is None:
        raise missing()
    return there


def read(blobs: Blobs, folder: str) -> tuple[Plan, str] | None:
    """The plan and its fingerprint, None where there is none yet. What only another version knows is passed over.

    Raises Blocked `plan_unreadable` where something is missing that this version needs.
    """
    found = blobs.read(layout.plan_manifest(folder))
    if found is None:
        return None
    try:
        made = _parse(json.loads(found[0]))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise unreadable() from None
    if made.folder not in ("", folder):
        raise unreadable()
    return made, fingerprint(found[0])


def unreadable() -> Blocked:
    return Blocked(
        "plan_unreadable",
        say(
            "The plan of a run is damaged, is another run's, or was written by another version of the service, so that "
            "it cannot be read. %(remedy)s",
            remedy=REMEDY,
        ),
    )


def missing() -> Blocked:
    return Blocked(
        "plan_missing",
        say("The plan of a run is gone, so nobody can tell whom its answers are about. %(remedy)s", remedy=REMEDY),
    )


_MESSAGES = ("findings", "looks", "warnings", "mentions", "first_run")
"""What holds messages."""
_FILES = ("refused", "values_left_out", "kept_back")
_PEOPLE = ("known_before", "newly_known", "recognisable")
_MADE = (*_FILES, *_PEOPLE, *_MESSAGES)
"""Made of what is stored, each in a way of its own."""


def _parse(plain: dict[str, Any]) -> Plan:
    files = [
        PlanFile(Kind(each["kind"]), int(each["part"]), DataFile.of(each["file"]), _first(each, plain["batch_rows"]))
        for each in plain["files"]
    ]

    people: dict[str, Any] = {name: _by_part(plain.get(name, {})) for name in _PEOPLE}

    def files_of(name: str) -> list[DataFile]:
        return [DataFile.of(each) for each in plain.get(name, ())]

    return Plan(
        **_known(Plan, plain, "files", "file_starts", "balance", "fields", "rules", *_MADE),
        **people,
        files=files,
        refused=files_of("refused"),
        values_left_out=files_of("values_left_out"),
        kept_back=files_of("kept_back"),
        rules=read_within(plain.get("rules", {})),
        file_starts=[(int(segment), int(file), int(first)) for segment, file, first in plain.get("file_starts", ())],
        balance=Balance(**_known(Balance, plain["balance"])),
        **{name: read_within(plain[name]) for name in _MESSAGES if name in plain},
        fields={name: FieldType(kind) for name, kind in plain.get("fields", {}).items()},
    )


def _by_part(plain: dict[str, Any]) -> dict[int, DataFile]:
    return {int(part): DataFile.of(file) for part, file in plain.items()}


def _first(file: dict[str, Any], batch_rows: int) -> int:
    """Older versions cut each file in batches of its own."""
    return int(file["first"]) if "first" in file else int(file["first_batch"]) * batch_rows


def _known(cls: type[Plan] | type[Balance], plain: dict[str, Any], *others: str) -> dict[str, Any]:
    """Values of a dataclass's own fields, without those that are turned into something else."""
    names = {each.name for each in fields(cls)}
    return {name: plain[name] for name in (names & plain.keys()) - {*others}}
