"""What a release kept is read by this version, also with one field more, as the version after may write it; and who
changes what is kept records it anew."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import pytest

from shared.access.sealing import Seal
from shared.access.sessions import Sessions
from shared.catalog.authorizations import Authorizations
from shared.catalog.dialects import DialectStore
from shared.catalog.models import Schedule
from shared.catalog.store import connection_store, export_store
from shared.catalog.targets import Claim
from shared.cloud.blobs import Blobs
from shared.cloud.cloud import Cloud
from shared.cloud.settings import Settings
from shared.cloud.tables import Stored, Table
from shared.control.runs import report, view
from shared.delivery import messages, probes
from shared.delivery.account.lease import AccountLease
from shared.delivery.erase import certificates, forgetting
from shared.delivery.opt_outs import collecting
from shared.delivery.opt_outs import record as record_of_opt_outs
from shared.delivery.start.asleep import Quiet
from shared.delivery.start.due_times import firing
from shared.delivery.state import found, journal, layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.records import Delivery, Run
from shared.delivery.verify import doctor, verification
from shared.notify.outbox import PendingNotice
from shared.wording import STORED
from tests.memory import in_memory
from tests.recorded.recording import ADA, FOLDER, KEY, VERSION, plain, real, record
from tests.unit.access.conftest import MemoryVault

Reader = Callable[["Place", Any], Any]
LATER = "a_later_version"


@dataclass(frozen=True, slots=True)
class Place:
    """A storage account in memory that recordings are put into."""

    cloud: Cloud

    @property
    def blobs(self) -> Blobs:
        return self.cloud.blobs

    def put(self, name: str, content: Any) -> str:
        self.blobs.write(name, json.dumps(content).encode())
        return name

    def row(self, table: Table, entity: Any) -> Stored:
        table.insert(entity)
        found = table.get(entity["PartitionKey"], entity["RowKey"])
        assert found is not None
        return found


@pytest.fixture
def place() -> Iterator[Place]:
    with in_memory() as address:
        yield Place(Cloud(Settings(state_storage=address, segment_storage=address)))


# Readers: they give back what they read, in the form in which it is written where there is one.


def _plan(place: Place, kept: Any) -> Any:
    place.put(layout.plan_manifest(kept["folder"]), kept)
    found = plans.read(place.blobs, kept["folder"])
    assert found is not None
    return json.loads(found[0].to_json())


def _ledger(place: Place, kept: Any) -> Any:
    place.put(layout.ledger_manifest("ledgers/a/b/"), kept)
    return json.loads(ledger.read(place.blobs, "ledgers/a/b/").to_json())


def _journal(place: Place, kept: Any) -> Any:
    folder = kept[0]["folder"]
    place.blobs.write(layout.journal(folder, 1), b"\n".join(json.dumps(line).encode() for line in kept))
    folded = journal.fold(place.blobs, folder)
    assert (folded.sent, list(folded.results), folded.in_flight()) == ({0}, [0], set())
    return [kept[0], journal.sent(0, 0), plain(journal.answered(0, folded.results[0]))]


def _findings(place: Place, kept: Any) -> Any:
    place.put(layout.found_manifest("newsletter", 0), kept)
    read = found.read(place.blobs, "newsletter", 0)
    assert read is not None and read.total == 1
    found.write(place.blobs, "newsletter", 0, read)
    written = place.blobs.read(layout.found_manifest("newsletter", 0))
    assert written is not None
    return json.loads(written[0])


def _lease(place: Place, kept: Any) -> Any:
    place.put(layout.lease("acc"), kept)
    with AccountLease(place.blobs, "acc", quiet_seconds=60, look=lambda: None) as held:
        return {"carried": held.carried}


def _row(read: Callable[[Any], Any]) -> Reader:
    return lambda place, kept: read(kept)


def _course(kind: Any) -> Reader:
    def read(place: Place, kept: Any) -> Any:
        course = kind._shape.validate_python(kept)
        found = kind.read(place.cloud, place.put(kind.blob(course), kept))
        return json.loads(kind._shape.dump_json(found, context=STORED))

    return read


def _message(place: Place, kept: Any) -> Any:
    return messages.parse(json.dumps(kept)).body()


def _definition(table: str, store: Callable[[Table], Any]) -> Reader:
    def read(place: Place, kept: Any) -> Any:
        there: Table = getattr(place.cloud, table)
        place.row(there, kept)
        return store(there)._entity(store(there).get(kept["RowKey"]).item)

    return read


def _report(place: Place, kept: Any) -> Any:
    run = real(recorded(FOLDER / VERSION, "row of a run"))
    delivery = real(recorded(FOLDER / VERSION, "row of a delivery"))
    shown = report(view(Run.of(run), [Delivery.of(delivery)]), [kept])
    assert shown.snapshots and shown.reasons
    return {}


def _notice(place: Place, kept: Any) -> Any:
    found = PendingNotice.of(place.row(place.cloud.runs, kept))
    return {"id": found.notice.id, "event": str(found.notice.event), "at": found.notice.at, "due_at": found.due_at}


def _schedule(place: Place, kept: Any) -> Any:
    place.row(place.cloud.runs, kept)
    row = real(recorded(FOLDER / VERSION, "row of a run"))
    export = Run.of(row).pinned.model_copy(update={"schedule": Schedule(kind="on_refresh")})
    assert isinstance(firing(place.cloud, export, kept["at"], lambda segment: None), Quiet)
    return {}


def _dialect(place: Place, kept: Any) -> Any:
    place.row(place.cloud.snapshots, kept)
    found, _ = DialectStore(place.cloud.snapshots).get(kept["segment"])
    assert found is not None
    return {"segment": kept["segment"], "definition": found.model_dump_json()}


def _authorization(place: Place, kept: Any) -> Any:
    row = place.row(place.cloud.snapshots, kept)
    found = Authorizations(place.cloud.snapshots, lambda: kept["expires_at"])
    found._use_up(row)
    return {name: kept[name] for name in ("connection", "caller", "redirect_uri", "used")}


def _cookie(kind: str) -> Reader:
    def read(place: Place, kept: Any) -> Any:
        seal = Seal(MemoryVault({"session-key": KEY}), "session-key")
        sessions = Sessions(seal, secure=True, clock=lambda: kept[kind]["started"])
        cookies = {sessions.cookie_name: seal.seal(json.dumps(kept).encode())}
        found = sessions.read(cookies) if kind == "session" else sessions.awaited(cookies)
        assert found is not None
        return {kind: {name: getattr(found, name) for name in type(found).__slots__}}

    return read


def _opt_outs(place: Place, kept: Any) -> Any:
    place.put(layout.opt_outs("iterable"), kept)
    found = record_of_opt_outs.read(place.cloud, "iterable")
    assert found is not None
    record_of_opt_outs.write(place.cloud, "iterable", found)
    written = place.blobs.read(layout.opt_outs("iterable"))
    assert written is not None
    return json.loads(written[0])


def _certificate(place: Place, kept: Any) -> Any:
    place.row(place.cloud.forgotten, kept)
    found = certificates.read(place.cloud, kept.get("request") or kept["RowKey"])
    assert found is not None and [found] == certificates.newest(place.cloud, 5)
    if kept["PartitionKey"] == certificates.PARTITION:
        return certificates.entity(found)
    return {"RowKey": found.salt, "hash": found.hash, "by": found.asked_by, "at": found.asked_at, **found.erased}


READERS: Mapping[str, Reader] = {
    "plan": _plan,
    "ledger": _ledger,
    "journal": _journal,
    "lease": _lease,
    "report": _report,
    "verification": _course(verification.KIND),
    "check-up": _course(doctor.KIND),
    "findings": _findings,
    "probe": _course(probes.KIND),
    "reading": _course(collecting.KIND),
    "record of opt-outs": _opt_outs,
    "row of a run": _row(lambda kept: Run.of(kept).entity()),
    "row of a delivery": _row(lambda kept: Delivery.of(kept).entity()),
    "row of a target": _row(lambda kept: Claim.of(kept, "").entity()),
    "row of a connection": _definition("connections", connection_store),
    "row of an export": _definition("exports", export_store),
    "row of a notice": _notice,
    "row of a schedule": _schedule,
    "row of a dialect": _dialect,
    "row of a count": lambda place, kept: {"rows": int(kept["rows"])},
    "row of a sign-in at a vendor": _authorization,
    "row of a certificate": _certificate,
    "request to forget": _course(forgetting.KIND),
    "message of a request to forget": _message,
    "message of a slice": _message,
    "message of a verification": _message,
    "message of a count": _message,
    "message of a check-up": _message,
    "message of a probe": _message,
    "message of a reading": _message,
    "message of a repair": _message,
    "session": _cookie("session"),
    "sign-in": _cookie("pending"),
}
INSIDE = ("definition", "memory", "body", "looked", "erased", "remains")
"""Columns of rows that hold JSON of ours."""
DATA = (
    "windows",
    "answers",
    "jobs",
    "counts",
    "fields",
    "others",
    "settings",
    "secrets",
    "facts",
    "flow",
    "keys",
    "delivered",
    "values",
    "since",
    "newest",
    "found",
    "looked",
    "erased",
    "people",
)
"""Whose names are data, not fields."""


def recorded(folder: Any, name: str) -> Any:
    return json.loads((folder / f"{name}.json").read_text())


RELEASES = sorted(path for path in FOLDER.iterdir() if path.is_dir() and path.name[0].isdigit())
FILES = [(path, file.stem) for path in RELEASES for file in sorted(path.glob("*.json"))]
every_file = pytest.mark.parametrize(("release", "name"), FILES, ids=lambda part: getattr(part, "name", part))


@every_file
def test_what_a_release_kept_is_read_whole(place: Place, release: Any, name: str) -> None:
    kept = real(recorded(release, name))
    lost = list(differences(READERS[name](place, kept), kept))
    assert not lost, f"read as something else, or not at all: {lost}"


@every_file
def test_a_field_that_only_the_version_after_knows_is_passed_over(place: Place, release: Any, name: str) -> None:
    kept = real(recorded(release, name))
    lost = list(differences(READERS[name](place, real(later(recorded(release, name)))), kept))
    assert not lost, f"read as something else, or not at all: {lost}"


def test_what_this_version_keeps_is_recorded() -> None:
    newest = FOLDER / VERSION
    assert newest in RELEASES, "a new version: run python -m tests.recorded"
    now = {name: shape(plain(content)) for name, content in record().items()}
    then = {file.stem: shape(json.loads(file.read_text())) for file in newest.glob("*.json")}
    assert now.keys() == then.keys()
    changed = {name: sorted(now[name] ^ then[name]) for name in now if now[name] != then[name]}
    assert not changed, f"raise the version and run python -m tests.recorded: {changed}"


def differences(found: Any, kept: Any, at: str = "") -> Iterator[str]:
    """Places where what was read is not what was kept. What a reader does not give back is not compared, but for
    lists."""
    found, kept = _inner(found), _inner(kept)
    if isinstance(found, Mapping) and isinstance(kept, Mapping):
        for name in found.keys() & kept.keys():
            yield from differences(found[name], kept[name], f"{at}/{name}")
    elif isinstance(found, list | tuple) and isinstance(kept, list | tuple):
        if len(found) != len(kept):
            yield at
        for number, (one, other) in enumerate(zip(found, kept, strict=False)):
            yield from differences(one, other, f"{at}/{number}")
    elif found != kept and str(found) != str(kept):
        yield at


def later(kept: Any) -> Any:
    """With one field more wherever there are fields."""
    if isinstance(kept, list):
        return [later(each) for each in kept]
    if not isinstance(kept, Mapping) or list(kept) == ["$datetime"]:
        return kept
    inner = {name: value if name in DATA else later(value) for name, value in kept.items()}
    for name in INSIDE:
        if isinstance(inner.get(name), str):
            inner[name] = json.dumps(later(json.loads(inner[name])))
    if kept.keys() <= {"session", "pending"}:
        return inner
    return {**inner, LATER: 1 if "PartitionKey" in kept else {"more": 1}}  # a row has no fields within fields


def shape(content: Any, at: str = "") -> set[str]:
    """Places and types."""
    content = _inner(content)
    if isinstance(content, Mapping):
        return {at}.union(
            *(shape(each, f"{at}/{'*' if at.endswith(DATA) else name}") for name, each in content.items())
        )
    if isinstance(content, list):
        return {f"{at} list"}.union(*(shape(each, f"{at}/-") for each in content))
    kind = "number" if isinstance(content, int | float) and not isinstance(content, bool) else type(content).__name__
    return {f"{at} {kind}"}


def _inner(content: Any) -> Any:
    return json.loads(content) if isinstance(content, str) and content.startswith(("{", "[")) else content


def test_the_session_of_another_version_that_cannot_be_read_is_nobodys(place: Place) -> None:
    """What it lacks, or has in another form, asks for a new sign-in; nothing fails."""
    seal = Seal(MemoryVault({"session-key": KEY}), "session-key")
    sessions = Sessions(seal, secure=True)
    for kind in ("session", "pending"):
        whole = recorded(FOLDER / VERSION, "session" if kind == "session" else "sign-in")[kind]
        for name in whole:
            for value in ({}, {name: {"another": "form"}}):
                kept = {kind: {key: each for key, each in whole.items() if key != name} | value}
                cookies = {sessions.cookie_name: seal.seal(json.dumps(kept).encode())}
                assert sessions.read(cookies) is None
                sessions.awaited(cookies)
    for content in (b"", b"[]", b"null", b"7", b"not json", b'{"session": []}', b"\xff"):
        cookies = {sessions.cookie_name: seal.seal(content)}
        assert sessions.read(cookies) is None
        assert sessions.awaited(cookies) is None
    assert sessions.read({sessions.cookie_name: sessions.begin(ADA).partition(";")[0].partition("=")[2]})
