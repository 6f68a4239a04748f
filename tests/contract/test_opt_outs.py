"""Whoever opts out at a vendor comes back as files that our own reader takes, once, with when and why."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest

from shared.catalog.opt_outs import OptOutsWanted, segment_of, table_of
from shared.delivery import segments
from shared.delivery.account.connecting import open_connection
from shared.delivery.opt_outs import collecting, record
from shared.delivery.opt_outs.model import COLUMNS
from shared.delivery.opt_outs.record import OptOutRecord, ReadingState
from shared.vendors.opt_outs import OptOutKind
from shared.vendors.registry import definition
from tests.contract.outcomes import GOOD, accounted, clean
from tests.integration.delivery.engine import Engine, people

FIRST, SECOND, STRANGER = "person1@example.com", "person2@example.com", "stranger@example.com"
MOST = 1000
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d")


@pytest.fixture
def sent(engine: Engine) -> Engine:
    """Six people were sent."""
    _require_rolls(engine)
    engine.tell("settings", engine.kit.unlimited)
    engine.land(people(6))
    engine.connect(opt_outs=wanted(engine))
    engine.define()
    engine.run()
    engine.settled()
    return engine


def _require_rolls(engine: Engine) -> None:
    if not definition(engine.kit.name).opt_outs:
        pytest.skip("this vendor does not tell who opted out")


def wanted(engine: Engine, **changes: Any) -> OptOutsWanted:
    return OptOutsWanted(location=f"{engine.container}/back/shop", **changes)


def collect(engine: Engine) -> OptOutRecord:
    collecting.start(engine.cloud, engine.kit.name, "Ada")
    engine.pump()
    found = record.read(engine.cloud, engine.kit.name)
    assert found is not None
    assert found.reading is not None
    assert found.reading.state is ReadingState.ENDED, found.reading.message
    return found


def landed(engine: Engine) -> list[dict[str, str]]:
    """All rows, as our own reader finds them."""
    connection = engine.catalog.connection(engine.kit.name).item
    assert connection.opt_outs is not None
    snapshot = segments.newest(engine.cloud, segment_of(connection.name, connection.opt_outs))
    rows = [
        row
        for file in snapshot.files
        for row in segments.first_rows(engine.cloud, replace(snapshot, files=(file,)), COLUMNS, MOST)
    ]
    return [dict(zip(COLUMNS, ("" if cell is None else cell for cell in row), strict=True)) for row in rows]


def opt_out(engine: Engine, *addresses: str) -> None:
    for address in addresses:
        engine.tell("people", engine.kit.opted(address, engine.kit.list_name("Loyal")))


@pytest.mark.sampled(2)
@pytest.mark.parametrize("storage", ["memory", "azurite"], indirect=True)
def test_who_opts_out_is_landed_once_with_when_and_why(sent: Engine) -> None:
    opt_out(sent, FIRST, STRANGER)
    found = collect(sent)
    rows = landed(sent)
    assert {row["address"] for row in rows} == {FIRST}
    assert all(_MOMENT.match(row["opted_out_at"]) and row["reason"] for row in rows)
    assert {row["kind"] for row in rows} == {OptOutKind.UNSUBSCRIBED}
    assert {(row["vendor"], row["connection"]) for row in rows} == {(sent.kit.name, sent.kit.name)}
    assert found.people == len(rows)
    assert found.reading is not None
    assert found.reading.found == {OptOutKind.UNSUBSCRIBED: len(rows)}

    collect(sent)
    assert landed(sent) == rows

    opt_out(sent, SECOND)
    collect(sent)
    later = landed(sent)
    assert {row["address"] for row in later} == {FIRST, SECOND}
    assert [row for row in later if row["address"] == FIRST] == rows


@pytest.mark.in_turn("kit", 3)
def test_nobody_is_landed_where_nobody_opted_out(sent: Engine) -> None:
    assert collect(sent).people == 0
    assert landed(sent) == []


@pytest.mark.in_turn("kit", 3)
def test_who_was_taken_off_by_us_has_not_opted_out(sent: Engine) -> None:
    sent.land(people(4))
    sent.run()
    sent.settled()
    assert collect(sent).people == 0


@pytest.mark.in_turn("kit", 3)
def test_whoever_opted_out_is_kept_off_every_export_where_the_connection_says_so(sent: Engine) -> None:
    opt_out(sent, FIRST)
    collect(sent)
    sent.connect(opt_outs=wanted(sent, exclude=True))
    sent.define("second", targets=[{"segments": ["Loyal"], "list_name": "Another"}])
    run = sent.run("second")
    assert run.state in GOOD, run.message
    assert accounted(sent, run) == {"add accepted": 5}
    assert FIRST not in sent.members("Another")
    [why] = [each for each in sent.report(run)["reasons"] if each["outcome"] == "kept back"]
    assert (why["code"], why["people"]) == ("exclude/0", 1)
    told = sent.service.explain("second", FIRST)
    assert "OptOuts_" in str(told)
    clean(sent)


PAGES = {
    "campaign-monitor": ("campaign_monitor.requests.MOST_ROWS", "campaign_monitor.opt_outs.MOST_ROWS"),
    "dotdigital": ("dotdigital.requests.MOST_V2_PAGE", "dotdigital.opt_outs.MOST_V2_PAGE"),
    "klaviyo": ("klaviyo.requests.MOST_PAGE",),
    "mailchimp": ("mailchimp.requests.MOST_PAGE", "mailchimp.opt_outs.MOST_PAGE"),
    "omnisend": ("omnisend.requests.PAGE",),
}
"""Constants of clients that say how long a page is."""


@pytest.fixture
def many(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Engine:
    """Thirty people were sent, of whom 24 opted out; pages have ten people, and a slice reads one."""
    _require_rolls(engine)
    engine.tell("settings", engine.kit.unlimited)
    engine.land(people(30))
    engine.connect(opt_outs=wanted(engine))
    engine.define()
    engine.run()
    engine.settled()
    opt_out(engine, *(each.email for each in people(24)))
    for constant in PAGES.get(engine.kit.name, ()):
        monkeypatch.setattr(f"shared.vendors.{constant}", 10)
    engine.cloud.settings = replace(engine.cloud.settings, slice_seconds=0.0)
    return engine


@pytest.mark.in_turn("kit", 3)
def test_a_reading_goes_on_page_by_page_over_slices(many: Engine) -> None:
    found = collect(many)
    rows = landed(many)
    assert {row["address"] for row in rows} == {each.email for each in people(24)}
    assert len(rows) == len({tuple(row.values()) for row in rows}) == found.people
    if many.kit.name in PAGES:
        assert len(found.parts) > 1


@pytest.mark.in_turn("kit", 3)
def test_the_folder_is_one_table_where_segments_are_looked_for(sent: Engine) -> None:
    opt_out(sent, FIRST)
    collect(sent)
    found = {each.name for each in sent.service.segments() if each.folder.startswith("back")}
    assert found == {table_of(sent.kit.name)}


def test_a_vendor_has_rolls_where_its_definition_says_what_they_tell(engine: Engine) -> None:
    connection = engine.catalog.connection(engine.kit.name).item
    rolls = open_connection(engine.cloud, connection).vendor.opt_outs(["1", "2"])
    assert bool(rolls) == bool(definition(engine.kit.name).opt_outs)
    assert len({each.name for each in rolls}) == len(rolls)
    assert {each.list_id for each in rolls} <= {"", "1", "2"}
