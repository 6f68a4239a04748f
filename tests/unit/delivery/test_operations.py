"""From rows of a snapshot and of a ledger to operations: who is added, changed, taken off, and what is counted."""

from __future__ import annotations

import json
from datetime import UTC
from pathlib import Path

import pytest

from shared.delivery.plan.cell_values import Matched
from shared.delivery.plan.operations import MOST_ROWS, Source, Tally, Wish, respell, staging_query
from shared.delivery.sql import literal
from shared.delivery.state.files import write
from shared.delivery.state.transitions import RunKind
from shared.vendors.contract import FieldType, Fit, Kind
from tests.unit.delivery import parts
from tests.unit.delivery.parts import LONG_AGO, bucket, database
from tests.unit.delivery.planned_parts import CITY, World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def hash_of(values: str) -> int:
    found = database().execute("SELECT (md5_number($1) >> 64)::UBIGINT", [values]).fetchone()
    assert found is not None
    return int(found[0])


def member(address: str, city: str = "Ulm", **more: object) -> dict[str, object]:
    return {"address": address, "status": "member", "hash": hash_of(f'{{"city":"{city}"}}'), **more}


NOBODY = (
    *("duplicates", "held", "left", "outside", "kept_back", "removed_by_rules", "later"),
    *("moved", "shared_addresses", "without_id"),
)
ANN, BOB, CYD, DAN, EVE = (f"{name}@example.com" for name in ("ann", "bob", "cyd", "dan", "eve"))


def test_people_are_added_changed_taken_off_or_left_alone(world: World) -> None:
    source = world.source((ANN, "Ulm"), (BOB, "Ulm"), (CYD, "Bonn"), segment=3, file=2, first=5)
    before = [member(BOB), member(CYD, vendor_id="v-c"), member(DAN, vendor_id="v-d")]
    found = world.plan(source, before=before)
    values = {"values": '{"city":"Ulm"}', "hash": hash_of('{"city":"Ulm"}')}
    place = {"segment": 3, "file_index": 7, "came_back": False}
    assert found.operations["add"][ANN] == {"bucket": bucket(ANN), **values, "n": 1, **place}
    changed = {"values": '{"city":"Bonn"}', "hash": hash_of('{"city":"Bonn"}'), "vendor_id": "v-c", "n": 3, **place}
    assert found.operations["change"][CYD] == {"bucket": bucket(CYD), **changed}
    removed = {"bucket": bucket(DAN), "values": "{}", "vendor_id": "v-d", "came_back": False}
    assert found.operations["remove"] == {DAN: removed}
    assert found.who == {"add": {ANN}, "change": {CYD}, "remove": {DAN}}
    balance = found.tally.balance()
    counts = {"rows_read": 3, "unchanged": 1, "add": 1, "change": 1, "remove": 1, "refused_here": 0}
    assert balance.counts() == dict.fromkeys(NOBODY, 0) | counts
    assert [kind for kind, _, _ in found.tally.files] == [Kind.ADD, Kind.CHANGE, Kind.REMOVE]
    assert (found.tally.starts, found.tally.segment_rows) == ({(3, 7): 1}, {3: 3})


def test_who_left_may_stay(world: World) -> None:
    before = [member(BOB), member(CYD), member(DAN, status="removed", removed_at=LONG_AGO)]
    assert world.plan(world.source((ANN, "Ulm")), before=before, mode="add").who == {"add": {ANN}}
    found = world.plan(world.source((ANN, "Ulm")), before=before, stay=[BOB, EVE])
    assert found.who == {"add": {ANN}, "remove": {CYD}}
    assert (found.tally.counts["left"], found.tally.counts["none"]) == (1, 1)
    found = world.plan(world.source((ANN, "Ulm")), before=[member(ANN, "Bonn")], stay=[ANN])
    assert found.who == {"change": {ANN}}, "only removals are kept from people"


def test_without_a_row_everybody_leaves(world: World) -> None:
    found = world.plan(before=[member(ANN), member(BOB, status="refused")])
    assert found.who == {"remove": {ANN}}
    assert world.plan(kind=RunKind.WITHDRAW, before=[member(ANN)], mode="add").who == {"remove": {ANN}}
    assert world.plan().tally.balance().counts() == Tally().balance().counts()
    assert world.plan(matches=()).tally.balance() == Tally().balance()


def test_who_comes_back_is_known_as_such_and_since_when_somebody_is_unsure(world: World) -> None:
    before = [
        member(ANN, status="removed", removed_at=LONG_AGO),
        member(BOB, status="maybe"),
        member(CYD, status="maybe", removed_at=LONG_AGO),
        member(DAN),
    ]
    found = world.plan(world.source((ANN, "Ulm"), (CYD, "Ulm"), (EVE, "Ulm")), before=before)
    assert {who: row["came_back"] for who, row in found.operations["add"].items()} == {ANN: True, CYD: True, EVE: False}
    assert all("unsure_since" not in row for row in found.operations["add"].values())
    since = {who: row.get("unsure_since") for who, row in found.operations["remove"].items()}
    assert since == {BOB: LONG_AGO.replace(tzinfo=UTC).timestamp(), DAN: None}


def test_the_first_row_of_an_address_counts(world: World) -> None:
    sources = [
        world.source((ANN, "First"), (" ANN@Example.com ", "Second"), (BOB, "Ulm")),
        world.source((BOB, "Bonn"), (ANN, "Third"), segment=1),
    ]
    found = world.plan(*sources)
    rows = {who: (row["values"], row["n"], row["segment"]) for who, row in found.operations["add"].items()}
    assert rows == {ANN: ('{"city":"First"}', 1, 0), BOB: ('{"city":"Ulm"}', 3, 0)}
    assert (found.tally.counts["duplicates"], found.tally.counts["rows_read"]) == (3, 5)
    assert found.tally.starts == {(0, 0): 1, (1, 0): 1 + MOST_ROWS}
    assert found.tally.segment_rows == {0: 3, 1: 2}


def test_sources_are_numbered_far_apart(world: World) -> None:
    assert MOST_ROWS == 4_503_599_627_370_496, "any row of a source comes before all of the next"
    found = world.plan(world.source(("no", "x"), (ANN, "Ulm")), world.source(("no", "x"), (BOB, "Ulm"), segment=1))
    assert {row["n"] for row in found.refused} == {1, 1 + MOST_ROWS}


def test_a_row_may_be_numbered_by_its_place(world: World) -> None:
    source = world.source((ANN, "Ulm"), (BOB, "Bonn"))
    found = world.plan(Source(source.sql, number="40 + row_number() OVER ()"))
    people = found.operations["add"].values()
    assert {row["n"] for row in people} == {41, 42}
    assert {(row["segment"], row["file_index"]) for row in people} == {(0, 0)}, "it stands alone"


def test_whoever_cannot_be_reached_is_refused_as_written(world: World) -> None:
    quoted = '"ann lee"@example.com'
    cells = ["", None, " No Address ", "a@b", "ann@example..com", '"ann.lee"@example.com', quoted, "x" * 65 + "@a.com"]
    found = world.plan(world.source(*((cell, "Ulm") for cell in (*cells, ANN))))
    refused = {(row.get("address", ""), row["problem"]) for row in found.refused}
    assert refused == {
        ("", "address_missing"),
        (" No Address ", "address_invalid"),
        ("a@b", "address_invalid"),
        ("ann@example..com", "address_invalid"),
        (quoted, "address_invalid"),
        ("x" * 65 + "@a.com", "address_invalid"),
        ('"ann.lee"@example.com', "address_invalid"),
    }
    assert found.tally.refused == {"address_missing": 2, "address_invalid": 6}
    assert {row["n"] for row in found.refused} == set(range(1, 9))
    assert all((row["segment"], row["file_index"]) == (0, 0) for row in found.refused)
    assert found.who == {"add": {ANN}}
    assert found.tally.counts["rows_read"] == 9


def test_a_doubtful_address_is_settled(world: World) -> None:
    good, bad = "ann@b\u00fccher.example", "åsa@example.com"
    cyrillic = "ann@xn--e1afmkfd.xn--p1ai"
    found = world.plan(world.source((good, "Ulm"), (bad, "Ulm"), (cyrillic, "Ulm")))
    assert found.who == {"add": {"ann@xn--bcher-kva.example", cyrillic}}
    assert [(row["address"], row["problem"]) for row in found.refused] == [(bad, "address_invalid")]


def test_one_mailbox_in_two_spellings_is_one_person(world: World) -> None:
    source = world.source(("Ann@M\u00fcller.de", "First"), ("ann@xn--mller-kva.de", "Second"), ("x@\u2603..de", "Ulm"))
    found = world.plan(source, of=4)
    assert {who: row["values"] for who, row in found.operations["add"].items()} == {
        "ann@xn--mller-kva.de": '{"city":"First"}'
    }
    assert [(row["address"], row["problem"]) for row in found.refused] == [("x@\u2603..de", "address_invalid")]
    assert (found.tally.counts["duplicates"], found.tally.counts["rows_read"]) == (1, 3)
    spellings = parts.database().execute(f"FROM read_parquet({literal(str(world.folder / 'spellings.parquet'))})")
    assert spellings.fetchall() == [("ann@müller.de",)]


def test_addresses_to_be_spelled_anew_may_lie_in_several_files(world: World) -> None:
    wish, staged = Wish("EMail", CITY, "mirror"), [world.folder / "one.parquet", world.folder / "two.parquet"]
    for path, address in zip(staged, ("ann@m\u00fcller.de", "bob@m\u00fcller.de"), strict=True):
        write(database(), staging_query(wish, [world.source((address, "Ulm"))], 1), path)
    rows, spellings = world.folder / "rows.parquet", world.folder / "spellings.parquet"
    assert respell(database(), staged, 1, rows, spellings)
    found = database().execute(f"SELECT address FROM read_parquet({literal(str(rows))}) ORDER BY 1").fetchall()
    assert found == [("ann@xn--mller-kva.de",), ("bob@xn--mller-kva.de",)]


def test_without_letters_in_domains_nothing_is_spelled_anew(world: World) -> None:
    world.plan(world.source((ANN, "Ulm")))
    assert not (world.folder / "spellings.parquet").exists()


def test_an_address_that_is_spelled_anew_is_told_as_it_was_written(world: World) -> None:
    found = world.plan(world.source(("Y\u00fc@M\u00fcller.de", "Ulm")))
    assert [row["address"] for row in found.refused] == ["Yü@Müller.de"]


def test_every_part_plans_its_own_people(world: World) -> None:
    people = [f"p{number}@example.com" for number in range(40)]
    before = [member(each) for each in people[20:]]
    found = world.plan(world.source(*((each, "Ulm") for each in people[:30])), before=before, of=4)
    assert found.who == {"add": set(people[:20]), "remove": set(people[30:])}
    assert found.tally.counts["unchanged"] == 10
    assert found.tally.segment_rows == {0: 30}
    assert found.tally.starts == {(0, 0): 1}
    for kind, part, file in found.tally.files:
        rows = parts.rows(world.blobs, file, world.folder)
        assert {row["bucket"] // 64 for row in rows} == {part}, kind


LEFT_OUT = (
    Matched("age", "Age", FieldType.INTEGER),
    Matched("city", "City", fit=Fit(longest=4)),
    Matched("again", "City"),
)


def test_what_does_not_arrive_is_counted_and_its_place_is_kept(world: World) -> None:
    rows = [(ANN, "42", "Ulm"), (BOB, "many", "Bonn am Rhein"), ("nobody", "few", None), (CYD, None, "Ulm")]
    found = world.plan(world.source(*rows, segment=2, file=1), matches=LEFT_OUT)
    assert found.operations["add"][ANN]["values"] == '{"age":42,"city":"Ulm","again":"Ulm"}'
    assert found.operations["add"][BOB]["values"] == '{"again":"Bonn am Rhein"}'
    assert found.tally.left_out == {"age": 2, "city": 1}
    place = {"segment": 2, "file_index": 1}
    assert sorted(found.left_out, key=str) == sorted(
        [
            {"n": 2, **place, "field": "age", "why": "not_of_type"},
            {"n": 2, **place, "field": "city", "why": "too_long"},
            {"n": 3, **place, "field": "age", "why": "not_of_type"},
        ],
        key=str,
    )


def test_without_data_matching_people_have_no_values(world: World) -> None:
    found = world.plan(world.source((ANN,)), matches=())
    assert json.loads(found.operations["add"][ANN]["values"]) == {}
    assert not found.tally.left_out_files


def test_filled_cells_and_texts_for_nothing_are_counted_by_segment_and_column(world: World) -> None:
    sources = [
        world.source((ANN, "Ulm"), (BOB, "NULL"), (CYD, " "), segment=0),
        world.source((DAN, "null"), ("", "Ulm"), segment=1),
    ]
    tally = world.plan(*sources).tally
    assert tally.filled == {(0, "EMail"): 3, (0, "City"): 2, (1, "EMail"): 1, (1, "City"): 2}
    assert tally.texts == {(0, "EMail"): 0, (0, "City"): 1, (1, "EMail"): 0, (1, "City"): 1}


def test_columns_are_named_once_and_cells_by_their_place() -> None:
    wish = Wish("EMail", [*CITY, Matched("mail", "EMail"), Matched("town", "City")], "mirror")
    assert wish.columns == ["EMail", "City"]
    assert wish.cells == {"EMail": "cell_0", "City": "cell_1"}


@pytest.mark.parametrize(
    ("kind", "who"),
    [
        (RunKind.DELIVERY, {"add": {ANN}, "change": {CYD}, "remove": {DAN}}),
        (RunKind.FULL_RESYNC, {"add": {ANN, BOB, CYD}, "remove": {DAN}}),
        (RunKind.RETRY, {}),
    ],
)
def test_a_run_of_each_kind_plans_for_whom_it_is(world: World, kind: RunKind, who: dict[str, set[str]]) -> None:
    source = world.source((ANN, "Ulm"), (BOB, "Ulm"), (CYD, "Bonn"))
    assert world.plan(source, before=[member(BOB), member(CYD), member(DAN)], kind=kind).who == who


def test_without_an_id_a_person_is_an_address_so_a_new_one_is_another_person(world: World) -> None:
    """Vendors keep who unsubscribed by address: `docs/for-marketers.md` says what to do."""
    before = [member(ANN, status="refused", retry="never"), member(BOB)]
    found = world.plan(world.source(("ann.new@example.com", "Ulm"), ("bob.new@example.com", "Ulm")), before=before)
    assert found.who == {"add": {"ann.new@example.com", "bob.new@example.com"}, "remove": {BOB}}
    told = " ".join(Path("docs/for-marketers.md").read_text("utf-8").split())
    assert "its owner leaves under the old one and is a newcomer under the new one, of whom no vendor knows" in told
