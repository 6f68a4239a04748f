"""A made-up vendor, and connections and exports to vary in tests."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.access.person import How, Person, Role
from shared.catalog.catalog import Catalog
from shared.catalog.export_validation import SegmentKnown
from shared.catalog.models import Connection, ConnectionInput, Export, ExportInput
from shared.catalog.store import Held
from shared.vendors.contract import CheckResult, Definition, Field, FieldType, Setting
from shared.vendors.opt_outs import OptOutKind
from tests.unit.catalog.tables import MemoryTable

LETTERBOX = Definition(
    name="letterbox",
    label="Letterbox",
    credentials=(
        Setting("key", "API key", "From the account page.", required=True),
        Setting("backup", "Second key", "For rotation."),
    ),
    settings=(
        Setting("region", "Region", "Where the account lives.", required=True, choices=("eu", "us")),
        Setting("pages", "Pages", "How many.", FieldType.INTEGER, default=1, minimum=1, maximum=9),
        Setting("strict", "Strict", "Refuse doubtful people.", FieldType.BOOLEAN),
        Setting("since", "Since", "First day.", FieldType.DATE),
        Setting("share", "Share", "Of what.", FieldType.NUMBER),
        Setting("client", "Client", "Its id.", required=True, default="main"),
        Setting(
            "newcomers",
            "People who are new",
            "What becomes of them.",
            default="refused",
            choices=("refused", "added", "mailed"),
            decisions={"added": "New people are added.", "mailed": "New people are added and mailed."},
        ),
    ),
    fields=(
        Field("email", "E-mail", required=True),
        Field("FIRSTNAME", "First name", required=True),
        Field("BORN", "Birthday", FieldType.DATE),
    ),
    rates=(),
    hosts=("api.letterbox.example",),
    batch_rows=100,
    concurrency=2,
    reserved_fields=frozenset({"unsubscribed"}),
    opt_outs=(OptOutKind.UNSUBSCRIBED, OptOutKind.BOUNCED),
)
PLAIN = Definition(
    name="plain",
    label="Plain",
    credentials=(),
    settings=(),
    fields=(Field("email", "E-mail"), Field("name", "Name")),
    rates=(),
    hosts=(),
    batch_rows=10,
    concurrency=1,
    custom_fields=False,
)
DEFINITIONS = {each.name: each for each in (LETTERBOX, PLAIN)}

COLUMNS = {
    "blob/ci:VIP": ("CustomerId", "EMail", "FirstName", "Birthday"),
    "blob/ci:Lapsed": ("CustomerId", "EMail", "FirstName"),
    "blob/ci:Nameless": ("CustomerId", "EMail"),
}

ADMIN = Person("ann", "ann", frozenset({Role.ADMINISTRATOR}), How.SESSION)
CONTRIBUTOR = Person("carl", "carl", frozenset({Role.CONTRIBUTOR}), How.SESSION)
START = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def connection(**changes: Any) -> ConnectionInput:
    """A connection that may be saved."""
    values = {
        "display_name": "Marketing",
        "vendor": "letterbox",
        "settings": {"region": "eu"},
        "secrets": {"key": "letterbox-key"},
        "consent": {"agreed_by": "Ann", "text": "I agree."},
    }
    return ConnectionInput.model_validate({**values, **changes})


def export(**changes: Any) -> ExportInput:
    """An export that may be saved."""
    values = {
        "display_name": "VIPs",
        "connection": "marketing",
        "targets": [{"segments": ["blob/ci:VIP"]}],
        "address_column": "EMail",
        "matching": [{"field": "FIRSTNAME", "column": "FirstName"}],
    }
    return ExportInput.model_validate({**values, **changes})


@dataclass
class World:
    """A catalog over tables in memory, with a clock that is set by hand."""

    now: datetime = START
    columns: dict[str, Sequence[str]] = field(default_factory=lambda: dict(COLUMNS))
    connections: MemoryTable = field(default_factory=MemoryTable)
    exports: MemoryTable = field(default_factory=MemoryTable)
    targets: MemoryTable = field(default_factory=MemoryTable)
    dialects: MemoryTable = field(default_factory=MemoryTable)
    definitions: dict[str, Definition] = field(default_factory=lambda: dict(DEFINITIONS))

    def __post_init__(self) -> None:
        self.catalog = Catalog(
            connections=self.connections,
            exports=self.exports,
            targets=self.targets,
            dialects=self.dialects,
            definitions=self.definitions,
            segments=self.found,
            clock=lambda: self.now,
        )

    def found(self, references: Sequence[str]) -> Mapping[str, SegmentKnown]:
        return {name: SegmentKnown(name, self.columns[name]) for name in references if name in self.columns}

    def offer(self, definitions: Mapping[str, Definition]) -> None:
        """Connections can be made to these vendors from now on, and to no others."""
        self.definitions.clear()
        self.definitions.update(definitions)

    def later(self, **delta: float) -> None:
        self.now += timedelta(**delta)

    def connect(self, name: str = "marketing", account: str = "acc-1", **changes: Any) -> Held[Connection]:
        """A saved and checked connection."""
        held = self.catalog.connections.get(name)
        held = self.catalog.save_connection(name, connection(**changes), ADMIN, held)
        return self.catalog.record_check(held, CheckResult(True, "Fine.", account))

    def save(self, name: str = "vips", by: Person = ADMIN, running: bool = False, **changes: Any) -> Held[Export]:
        held = self.catalog.exports.get(name)
        return self.catalog.save_export(name, export(**changes), by, held, running=running)[0]

    def owners(self, account: str = "acc-1") -> dict[str, str]:
        """Target key -> owner, of the targets that are owned."""
        return {claim.key: claim.export for claim in self.catalog.targets.claims(account) if claim.export}
