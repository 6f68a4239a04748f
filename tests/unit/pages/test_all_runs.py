"""The page of all runs: each with its counts, found by what the address asks for."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from shared.delivery.state.records import State
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import client, page

ROWS = re.compile(r'<th scope="row"><a href="/exports/([a-z0-9-]+)/runs/([a-z0-9]+)"')


@pytest.fixture
def past(service: FakeService) -> FakeService:
    service.world.save("second", display_name="Second thoughts", targets=[{"segments": ["blob/ci:Lapsed"]}])
    service.past = [
        run("r3", State.FAILED, export="second"),
        run("r2").model_copy(update={"started_at": START - timedelta(days=3)}),
        run("r1", export="removed"),
    ]
    return service


def shown(service: FakeService, **query: str) -> list[tuple[str, str]]:
    return ROWS.findall(page(client(service).get("/runs", query=query)))


def test_runs_of_all_exports_stand_with_their_counts_and_exact_times(past: FakeService) -> None:
    text = page(client(past).get("/runs"))
    assert ROWS.findall(text) == [("second", "r3"), ("vips", "r2"), ("removed", "r1")]
    assert text.count('data-label="Added">2</td>') == 3
    assert text.count('data-show="exact"') == 3
    assert '<a href="/exports/second">Second thoughts</a>' in text
    assert '<a href="/exports/removed">' not in text, "what is gone has no page, its runs do"


ASKED = [
    ({"state": "failed"}, ["r3"]),
    ({"export": "vips"}, ["r2"]),
    ({"export": "removed"}, ["r1"]),
    ({"q": "thoughts"}, ["r3"]),
    ({"q": "lapsed"}, ["r3"]),
    ({"q": "thoughts", "export": "vips"}, []),
    ({"until": "2026-11-20"}, ["r2"]),
    ({"since": "2026-11-20"}, ["r3", "r1"]),
    ({"since": "no day"}, ["r3", "r2", "r1"]),
]


@pytest.mark.parametrize(("query", "runs"), ASKED)
def test_it_is_what_its_address_asks_for(past: FakeService, query: dict[str, str], runs: list[str]) -> None:
    assert [name for _, name in shown(past, **query)] == runs


def test_fifty_a_page_with_the_way_to_older_ones_and_back_that_asks_for_the_same(service: FakeService) -> None:
    service.past = [run(f"r{number}") for number in range(120)]
    text = page(client(service).get("/runs", query={"state": "well"}))
    assert len(ROWS.findall(text)) == 50
    assert 'href="/runs?state=well&amp;continue=50"' in text
    assert "Newest runs" not in text
    last = page(client(service).get("/runs", query={"state": "well", "continue": "100"}))
    assert len(ROWS.findall(last)) == 20
    assert "Older runs" not in last
    assert '<a class="button quiet" href="/runs?state=well">Newest runs</a>' in last


def test_a_look_that_ended_early_says_how_far_it_came(past: FakeService) -> None:
    past.looked_back_to = START
    text = page(client(past).get("/runs", query={"state": "blocked"}))
    assert "There is no such run." in text
    assert "1,000 runs were looked at, back to:" in text


def test_the_navigation_leads_there_and_says_where_one_is(service: FakeService) -> None:
    assert '<a href="/runs">Runs</a>' in page(client(service).get("/"))
    assert '<a href="/runs" aria-current="page">Runs</a>' in page(client(service).get("/runs"))
    assert "Nothing has run yet." in page(client(service).get("/runs"))


def test_whoever_may_see_runs_may_see_all_of_them(past: FakeService) -> None:
    assert client(past, "vera").get("/runs").status == 200
    assert client(past, "nora").get("/runs").status == 403
