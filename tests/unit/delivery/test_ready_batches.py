"""Batches that go out without an object for each person say and do what rows would have said and done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from shared.delivery.send import reading
from shared.delivery.send.batches import Send
from shared.delivery.send.isolating import GONE, NOT_BUILT
from shared.delivery.state.journal import Folded
from shared.delivery.state.plan import FORGOTTEN
from shared.vendors.campaign_monitor import targets
from shared.vendors.campaign_monitor.responses import ListField
from shared.vendors.contract import CONFIRMED, BatchResult, Kind, Row, TargetFound
from shared.vendors.ready import ReadyBatch
from tests.unit.delivery.plan_on_disk import Respond, Sending, sending, write_plan

FIELDS = ("First", "Second")
LIST = TargetFound("7", "Loyal", details={"fields": '{"First":"string"}'})
CM_LIST = TargetFound(
    "b" * 32,
    "Loyal",
    details={"fields": targets.pack({name: ListField(name, f"{name}Key", "Text") for name in FIELDS})},
)
TARGETS = {"iterable": LIST, "campaign-monitor": CM_LIST}
TEXTS = ["Ana", "", "O'Neil", 'said "hello"', "back\\slash", "Zoë", "サン", "2026-11-30", "x" * 300, "\n", "{}"]
ADDRESSES = ["ana{}@example.com", "åsa{}@example.com", '"odd {}"@example.com', "refused{}@example.com"]
ADDRESSES += ["misfit{}@example.com", "back\\slash{}@example.com", "deleted{}@example.com"]

CELLS = st.one_of(st.sampled_from(TEXTS), st.text(max_size=5), st.integers(-9, 9))
VALUES = st.dictionaries(st.sampled_from(FIELDS), CELLS)


@st.composite
def everybody(draw: st.DrawFn) -> list[Row]:
    usual = st.sampled_from(ADDRESSES[:2])
    made = draw(st.lists(st.tuples(st.one_of(usual, usual, st.sampled_from(ADDRESSES)), VALUES), max_size=24))
    back = draw(st.sets(st.integers(0, 23), max_size=1))
    forgotten = draw(st.sets(st.integers(0, 23), max_size=1))
    return [
        Row(FORGOTTEN if n in forgotten else address.format(n), orjson.dumps(values).decode(), None, n in back)
        for n, (address, values) in enumerate(made)
    ]


def iterable(largest: int, path: str, body: Any) -> tuple[int, Any]:
    """Refuses some people for their address, others for their values, and whatever has more people than `largest`."""
    if path.endswith("getFields"):
        return 200, {"fields": {"Second": "long"}}
    if path.endswith("bulkUpdate"):  # somebody whose values make new fields
        return 200, {"successCount": 1, "failCount": 0, "createdFields": [*FIELDS]}
    people = body["subscribers"]
    if len(people) > largest:
        return 413, {}
    refused = [each["email"] for each in people if each["email"].startswith("refused")]
    misfits = [each["email"].upper() for each in people if each["email"].startswith("misfit") and "dataFields" in each]
    failed = {"invalidEmails": refused, "invalidDataEmails": misfits}
    bad = len(refused) + len(misfits)
    return 200, {"successCount": len(people) - bad, "failCount": bad, "failedUpdates": failed}


def campaign_monitor(largest: int, path: str, body: Any) -> tuple[int, Any]:
    if body is None:  # the rolls of people who said no
        order = {"ResultsOrderedBy": "date", "OrderDirection": "desc"}
        return 200, {"Results": [], "TotalNumberOfRecords": 0, "NumberOfPages": 1, **order}
    people = [each["EmailAddress"] for each in body["Subscribers"]]
    if len(people) > largest:
        return 413, {}
    codes = {"refused": 1, "deleted": 205 if not body["Resubscribe"] else None}
    named = [(each, code) for each in people for word, code in codes.items() if code and each.startswith(word)]
    result = {
        "FailureDetails": [{"EmailAddress": each, "Code": code, "Message": "m"} for each, code in named],
        "TotalUniqueEmailsSubmitted": len(people),
        "TotalExistingSubscribers": 0,
        "TotalNewSubscribers": len(people) - len(named),
        "DuplicateEmailsInSubmission": [],
    }
    return (400, {"Code": 210, "Message": "m", "ResultData": result}) if named else (201, result)


def answers(name: str, largest: int = 1000) -> Respond:
    answer = {"iterable": iterable, "campaign-monitor": campaign_monitor}[name]
    return lambda path, body: answer(largest, path, body)


def sent(name: str, files: Sequence[Sequence[Row]], batch_rows: int, answered: set[int], largest: int) -> Sending:
    with TemporaryDirectory() as folder, sending(name, TARGETS[name], answers(name, largest)) as through:
        plan = write_plan(Path(folder), files, batch_rows)
        results = dict.fromkeys(answered, BatchResult(CONFIRMED))
        through.run(plan, Path(folder), folded=Folded(results), fields=FIELDS)
        assert not list((Path(folder) / "local").iterdir())
    return through


@pytest.mark.parametrize("name", TARGETS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    people=everybody(),
    cut=st.integers(0, 24),
    batch_rows=st.integers(1, 9),
    answered=st.sets(st.integers(0, 5), max_size=3),
    largest=st.sampled_from([1000, 1000, 3]),
)
def test_what_is_sent_and_written_down_is_as_with_rows(
    name: str, people: list[Row], cut: int, batch_rows: int, answered: set[int], largest: int
) -> None:
    files = [people[:cut], people[cut:]]
    with patch.object(reading, "FIRST_LOOKS", 1000):
        ready = sent(name, files, batch_rows, answered, largest)
    with patch.object(reading, "FIRST_LOOKS", -1000):
        rows = sent(name, files, batch_rows, answered, largest)
    assert ready.sent == rows.sent
    assert ready.written_down == rows.written_down


def usual(count: int, *others: Row) -> list[Row]:
    people = [Row(f"p{n}@example.com", f'{{"First":"Zoë {n}","Second":"x"}}') for n in range(count)]
    return [*people[: len(people) // 2], *others, *people[len(people) // 2 :]]


def ways(batches: list[Sequence[Row]]) -> str:
    """R of each batch that came ready, r of each that came as rows."""
    return "".join("R" if isinstance(each, ReadyBatch) else "r" for each in batches)


def noting(batches: list[Sequence[Row]]) -> Any:
    def through(send: Send) -> Send:
        def noted(kind: Kind, rows: Sequence[Row]) -> BatchResult:
            batches.append(rows)
            return send(kind, rows)

        return noted

    return through


@contextmanager
def sending_unlooked(name: str) -> Iterator[Sending]:
    """Fails where somebody reads a row."""
    settled = TargetFound("7", "Loyal") if name == "iterable" else CM_LIST
    with (
        patch.object(reading, "sent_rows", side_effect=AssertionError("somebody looked")),
        sending(name, settled, answers(name)) as through,
    ):
        yield through


@pytest.mark.parametrize("name", TARGETS)
def test_of_batches_that_are_accepted_no_row_is_read(name: str, tmp_path: Path) -> None:
    people = usual(40)
    with sending_unlooked(name) as through:
        sender = through.run(write_plan(tmp_path, [people[:15], people[15:]], 10), tmp_path, fields=FIELDS)
    assert [result.default for result in sender.folded.results.values()] == [CONFIRMED] * 4
    assert b"".join(body for _, body in through.sent).count("Zoë".encode()) == 40


@pytest.mark.parametrize("name", TARGETS)
def test_of_whoever_is_refused_no_row_is_read(name: str, tmp_path: Path) -> None:
    people = usual(9, Row("refused@example.com"))
    with sending_unlooked(name) as through:
        sender = through.run(write_plan(tmp_path, [people], 10), tmp_path, fields=FIELDS)
    assert [receipt.code for receipt in sender.folded.results[0].others.values()] == ["invalid_email"]


@pytest.mark.parametrize(
    "odd",
    [
        Row('"odd name"@example.com'),
        Row("ana@example.com", returning=True),
        Row("ana@example.com", unsure_since=1.0),
        Row("ana@example.com", shown_at=1.0),
        Row(FORGOTTEN),
    ],
    ids=["has an address that JSON escapes", "comes back", "is not sure", "was shown", "was forgotten"],
)
def test_whoever_is_out_of_the_ordinary_comes_along_as_a_row(odd: Row, tmp_path: Path) -> None:
    batches: list[Any] = []
    with sending("iterable", LIST, answers("iterable")) as through:
        through.run(write_plan(tmp_path, [[*usual(10), odd, *usual(19)]], 10), tmp_path, through=noting(batches))
    assert ways(batches) == "RRR"
    assert [dict(batches[0].odd), dict(batches[2].odd)] == [{}, {}]
    assert {place: row._replace(entry=None) for place, row in batches[1].odd.items()} == {0: odd}


@pytest.mark.parametrize("name", TARGETS)
def test_of_whoever_python_writes_nobody_elses_row_is_read(name: str, tmp_path: Path) -> None:
    people = usual(9, Row('"odd name"@example.com'))
    with sending_unlooked(name) as through:
        through.run(write_plan(tmp_path, [people], 10), tmp_path, fields=FIELDS)
    assert through.sent[-1][1].count(b"@example.com") == 10


def test_whoever_looks_later_finds_the_rows_of_the_batch(tmp_path: Path) -> None:
    """A window is six batches, so that all three files were gone through before the first batch is sent."""
    people, found = usual(60), list[Row]()

    def through(send: Send) -> Send:
        def looking(kind: Kind, rows: Sequence[Row]) -> BatchResult:
            assert isinstance(rows, ReadyBatch)
            assert rows.addresses == [row.address for row in rows]
            assert rows.entries(lambda row: b"") == [row.entry for row in rows]
            found.extend(rows)
            return send(kind, rows)

        return looking

    plan = write_plan(tmp_path, [people[:20], people[20:45], people[45:]], 10)
    with sending("iterable", LIST, answers("iterable")) as sender, patch.object(reading, "FIRST_LOOKS", 100):
        sender.run(plan, tmp_path, through=through, threads=3)
    places = {row.address: place for place, row in enumerate(people)}
    assert [row._replace(entry=None) for row in sorted(found, key=lambda row: places[row.address])] == people


def test_local_files_are_gone_once_their_batches_are_answered(tmp_path: Path) -> None:
    there: list[int] = []

    def through(send: Send) -> Send:
        def counted(kind: Kind, rows: Sequence[Row]) -> BatchResult:
            there.append(len(list((tmp_path / "local").glob("sending-*"))))
            return send(kind, rows)

        return counted

    people = usual(300)
    plan = write_plan(tmp_path, [people[n : n + 30] for n in range(0, 300, 30)], 10)
    with sending("iterable", LIST, answers("iterable")) as sender:
        sender.run(plan, tmp_path, through=through)
    assert len(there) == 30 and max(there) <= 3, "a window of two batches, the one before it, and the file being read"
    assert not list((tmp_path / "local").iterdir())


def test_a_plan_of_which_many_batches_are_looked_into_is_read_as_rows(tmp_path: Path) -> None:
    odd = [[Row(f'"odd {n}.{m}"@example.com') for m in (1, 2)] for n in range(30)]
    people = [row for pair in odd for row in usual(8, *pair)]
    batches: list[Sequence[Row]] = []
    with (
        sending("iterable", LIST, answers("iterable")) as through,
        patch.object(reading, "sent_rows", wraps=reading.sent_rows) as queries,
    ):
        through.run(write_plan(tmp_path, [people[:150], people[150:]], 10), tmp_path, through=noting(batches))
    looks = [call for call in queries.call_args_list if "last" in call.kwargs]
    assert (len(looks), queries.call_count) == (reading.FIRST_LOOKS + 1, reading.FIRST_LOOKS + 3)
    assert [row._replace(entry=None) for rows in batches for row in rows] == people


def test_whoever_we_took_off_ourselves_comes_back_though_the_others_have_no_rows(tmp_path: Path) -> None:
    people = usual(10, Row("deleted@example.com", returning=True))
    with sending("campaign-monitor", CM_LIST, answers("campaign-monitor")) as through:
        sender = through.run(write_plan(tmp_path, [people], 20), tmp_path, fields=FIELDS)
    assert sender.folded.results[0] == BatchResult(CONFIRMED)
    assert b'"Resubscribe":true' in through.sent[-1][1] and through.sent[-1][1].count(b"EmailAddress") == 1


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_sent_of_whoever_was_forgotten(name: str, tmp_path: Path) -> None:
    people = usual(19, Row(FORGOTTEN))
    with sending(name, TARGETS[name], answers(name)) as through:
        sender = through.run(write_plan(tmp_path, [people], 20), tmp_path, fields=FIELDS)
    assert sender.folded.results[0].others == {people.index(Row(FORGOTTEN)): GONE}
    assert not any(FORGOTTEN.encode() in body for _, body in through.sent)


def test_somebody_who_cannot_be_built_is_refused_alone(tmp_path: Path) -> None:
    people = usual(10)
    with sending("iterable", LIST, answers("iterable")) as through:
        vendor = through.vendor
        deliver, build = vendor.deliver, vendor.build

        def broken(target: TargetFound, kind: Kind, rows: Sequence[Row]) -> BatchResult:
            if len(rows) == 10:
                raise ValueError("a mistake")
            return deliver(target, kind, rows)

        def refuses(target: TargetFound, kind: Kind, row: Row) -> object:
            if row.address == people[3].address:
                raise ValueError("a mistake")
            return build(target, kind, row)

        with patch.object(vendor, "deliver", broken), patch.object(vendor, "build", refuses):
            sender = through.run(write_plan(tmp_path, [people], 10), tmp_path, fields=FIELDS)
    assert sender.folded.results[0].others == {3: NOT_BUILT}
