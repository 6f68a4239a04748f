"""Whole runs over cells and columns as the world has them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import timedelta

import pytest

from shared.cloud.settings import StorageAddress
from shared.control.links import RunFile
from shared.delivery.plan import operations
from shared.delivery.state import layout
from shared.delivery.state.records import Run, State
from tests.integration.delivery import engine as engines
from tests.integration.delivery.engine import Engine, Person, as_csv, people
from tests.kits import CAMPAIGN_MONITOR

OUR_NAMES = (
    "n",
    "N",
    "segment",
    "Segment",
    "file_index",
    "address",
    "bucket",
    "raw",
    "cell_0",
    "values",
    "part",
    "hash",
)
WORDS = ("select", "from", "order", "null", "table", "left_out_0", "problem", "Größe", 'quo"te', "it's", "日本")


def land(engine: Engine, rows: Sequence[Sequence[str]], header: Sequence[str]) -> None:
    """A newer snapshot of one file with columns of its own."""
    engine.at += timedelta(minutes=1)
    place = f"Loyal/{engine.at:%Y%m%dT%H%M%SZ}"
    engine.upload(f"{place}/part-0.csv", as_csv(rows, header))
    engine.upload(f"{place}/_SUCCESS", b"")


def left_out(engine: Engine, run: Run) -> list[dict[str, str]]:
    found = engine.cloud.blobs.read(layout.left_out(layout.delivery_folder(run.export, run.run, 0)))
    return list(csv.DictReader(io.StringIO(found[0].decode("utf-8-sig")))) if found else []


@pytest.mark.parametrize("address", ["n", "Segment", "file_index", "select"])
def test_columns_of_the_source_may_have_any_name(engine: Engine, address: str) -> None:
    others = [name for name in (*OUR_NAMES, *WORDS) if name != address]
    columns = [address, *others]
    land(engine, [["ana@example.com", *(f"value of {name}" for name in others)]], columns)
    matching = [{"field": f"field{number}", "column": name} for number, name in enumerate(others)]
    engine.define(address_column=address, matching=matching)
    run = engine.run()
    assert run.state in (State.SUCCEEDED, State.WARNINGS), run.message
    [(found, _)] = engine.members().items()
    assert found == "ana@example.com"
    assert engine.report(run)["rows"]["add"] == 1
    shown = engine.service.preview(
        engine.catalog.connection(engine.kit.name).item,
        ["Loyal"],
        address,
        engine.catalog.export("newsletter").item.matching,
        "",
    )
    assert shown[0]["values"] == {f"field{number}": f"value of {name}" for number, name in enumerate(others)}


def test_values_that_do_not_arrive_are_counted_named_and_placed(engine: Engine) -> None:
    rows = [
        ["ana@example.com", "Ana", "forty"],
        ["bo@example.com", "Bo", "40"],
        ["no address", "Cy", "x"],
        ["dee@example.com", "Dee", "9" * 30],
    ]
    land(engine, rows, ["EMail", "FirstName", "Points"])
    engine.define(matching=[{"field": "points", "column": "Points", "type": "integer"}])
    run = engine.run()
    assert run.state is State.WARNINGS
    assert set(engine.members()) == {"ana@example.com", "bo@example.com", "dee@example.com"}
    assert engine.delivery(run).left_out == engine.report(run)["values_left_out"] == {"points": 3}
    told = [(each["row"], each["field"], each["code"]) for each in left_out(engine, run)]
    assert told == [("1", "points", "not_of_type"), ("3", "points", "not_of_type"), ("4", "points", "out_of_range")]
    assert all(each["file"].endswith("part-0.csv") and each["reason"] for each in left_out(engine, run))


def test_nothing_is_told_of_where_every_value_arrived(engine: Engine) -> None:
    engine.land(people(3))
    engine.define()
    run = engine.run()
    assert left_out(engine, run) == []
    assert engine.service.runs.link(RunFile.LEFT_OUT, "newsletter", run.run) is None


SPELLINGS = ["info@müller.de", "INFO@Müller.DE ", "info@xn--mller-kva.de", "in\u200bfo@müller.de"]


@pytest.mark.parametrize("rows_per_file", [1_000_000, 4])
def test_one_mailbox_in_two_spellings_is_one_person(storage: StorageAddress, unique: str, rows_per_file: int) -> None:
    with engines.engine(storage, unique, rows_per_file=rows_per_file) as engine:
        engine.connect()
        engine.land([*(Person(each) for each in SPELLINGS), *people(6)])
        engine.define()
        rows = engine.report(engine.run())["rows"]
        assert (rows["duplicates"], rows["add"]) == (3, 7)
        assert set(engine.members()) == {"info@xn--mller-kva.de", *(person.email for person in people(6))}
        engine.land([Person(SPELLINGS[2]), *people(6)])
        rows = engine.report(engine.run())["rows"]
        assert (rows["unchanged"], rows["remove"]) == (7, 0)
        [target] = engine.service.explain("newsletter", "Info@Müller.de")["targets"]
        assert (target["ledger"]["status"], target["segments"][0]["rows"]) == ("member", 1)


@pytest.mark.parametrize("rows_per_file", [1_000_000, 4])
def test_who_was_sent_in_another_spelling_is_not_taken_off(
    storage: StorageAddress, unique: str, rows_per_file: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engines.engine(storage, unique, rows_per_file=rows_per_file) as engine:
        engine.connect()
        engine.land([Person("info@müller.de"), *people(6)])
        engine.define()
        with monkeypatch.context() as before:  # as versions did that knew one form only
            before.setattr(operations, "with_ascii_domain", lambda address: address)
            engine.run()
        assert "info@müller.de" in engine.members()
        engine.land([Person("info@müller.de"), *people(6)])
        rows = engine.report(engine.run())["rows"]
        assert (rows["add"], rows["remove"], rows["left"]) == (1, 0, 1)
        engine.land(people(6))
        assert engine.report(engine.run())["rows"]["remove"] == 2
        assert set(engine.members()) == {person.email for person in people(6)}


def test_the_options_of_a_campaign_monitor_list_are_fitted(storage: StorageAddress, unique: str) -> None:
    fields = [
        {"name": "Level", "dataType": "MultiSelectOne", "options": ["Gold card", "Silver"]},
        {"name": "Likes", "dataType": "MultiSelectMany", "options": ["Golf", "Tennis", "Green"]},
        {"name": "Born", "dataType": "Date"},
    ]
    with engines.engine(storage, unique, CAMPAIGN_MONITOR) as engine:
        engine.connect()
        engine.tell("people", {"lists": [{"id": "a" * 32, "name": "Old list", "fields": fields}]})
        header = ["EMail", "Mobile", "Level", "Likes", "Born"]
        rows = [
            ["ana@example.com", "+44 (0)1632 960000", "gold  CARD", "tennis, Golf", "1990-05-17T00:00:00+02:00"],
            ["bo@example.com", "01632 960001", "Gold", '["Blue","Green"]', "1899-01-01"],
        ]
        land(engine, rows, header)
        matching = [{"field": "MobileNumber" if name == "Mobile" else name, "column": name} for name in header[1:]]
        targets = [{"segments": ["Loyal"], "list_id": "a" * 32, "existing": "adopt"}]
        engine.define(targets=targets, matching=matching, settings={})
        run = engine.run()
        assert run.state is State.WARNINGS, run.message
        assert engine.delivery(run).left_out == {"MobileNumber": 1, "Level": 1, "Likes": 1, "Born": 1}
        lines = [json.loads(line) for line in engine.inspect(f"lists/{'a' * 32}/members").iter_lines()]
        stored = {line["address"]: (line.get("mobile"), line["dataFields"]) for line in lines}
        ana = {"Level": "Gold card", "Likes": ["Golf", "Tennis"], "Born": "1990-05-17"}
        assert stored["ana@example.com"] == ("+441632960000", ana)
        assert stored["bo@example.com"][1] == {"Likes": ["Green"]}


def mobiles(engine: Engine) -> dict[str, str | None]:
    [own] = [each["id"] for each in engine.settled()["lists"] if each["name"] == engine.kit.list_name("Loyal")]
    lines = [json.loads(line) for line in engine.inspect(f"lists/{own}/members").iter_lines()]
    return {line["address"]: line.get("mobile") for line in lines}


def test_numbers_without_a_country_belong_to_the_exports(storage: StorageAddress, unique: str) -> None:
    with engines.engine(storage, unique, CAMPAIGN_MONITOR) as engine:
        engine.connect()
        land(engine, [["ana@example.com", "01632 960000"], ["bo@example.com", "0049 30 1234567"]], ["EMail", "Mobile"])
        matching = [{"field": "MobileNumber", "column": "Mobile"}]
        numbers = []
        for country in ("", "GB"):
            saved = engine.define(matching=matching, phone_country=country)
            run = engine.run()
            assert engine.delivery(run).left_out == ({} if country else {"MobileNumber": 1})
            numbers.append(mobiles(engine))
        connection = engine.catalog.connection(engine.kit.name).item
        shown = engine.service.preview(connection, ["Loyal"], "EMail", saved.matching, "GB")
    assert numbers[0] == {"ana@example.com": None, "bo@example.com": "+49301234567"}
    assert numbers[1] == {"ana@example.com": "+441632960000", "bo@example.com": "+49301234567"}
    assert [row["values"]["MobileNumber"] for row in shown] == ["+441632960000", "+49301234567"]
