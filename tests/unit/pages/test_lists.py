"""Lists of any length: what the address asks for is shown, fifty at a time, and what needs somebody stands first."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest

from shared.delivery.state.records import State
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import HTMX, client, page, post

NAMES = re.compile(r'<th scope="row"><a href="/exports/([a-z0-9-]+)"')


@pytest.fixture
def many(service: FakeService) -> FakeService:
    """The export of the fixture and 119 others, of which one failed, one waits, one runs and one has a schedule."""
    held = service.catalog.export("vips")
    for number in range(119):
        name = f"export-{number:03d}"
        changes = {"name": name, "display_name": f"Export {number:03d}", "tags": ("nordic",) if number % 2 else ()}
        service.catalog.exports.insert(held.item.model_copy(update=changes))
    service.past = [
        run("r3", State.FAILED, export="export-003", connection="marketing"),
        run("r2", State.BLOCKED, export="export-002", connection="marketing"),
        run("r1", State.RUNNING, export="export-001", connection="marketing"),
    ]
    return service


def shown(service: FakeService, **query: str) -> list[str]:
    return NAMES.findall(page(client(service).get("/exports", query=query)))


def test_fifty_exports_a_page_with_the_way_to_the_others(many: FakeService) -> None:
    first = page(client(many).get("/exports"))
    assert len(NAMES.findall(first)) == 50
    assert "120 in all" in first
    assert 'href="?page=2"' in first
    assert len(shown(many, page="3")) == 20
    assert len(shown(many, page="99")) == 20, "beyond the last page is the last page"


ASKED = [
    ({"q": "export 00 VIP"}, 11),
    ({"q": "nobody"}, 0),
    ({"tag": "nordic", "page": "2"}, 9),
    ({"state": "failed"}, 1),
    ({"state": "blocked"}, 1),
    ({"state": "running"}, 1),
    ({"state": "never", "page": "3"}, 17),
    ({"vendor": "letterbox", "q": "vips"}, 1),
    ({"vendor": "iterable"}, 0),
    ({"schedule": "cron"}, 0),
    ({"schedule": "manual", "owner": "ann", "page": "3"}, 20),
]


@pytest.mark.parametrize(("query", "count"), ASKED)
def test_a_list_is_what_its_address_asks_for(many: FakeService, query: dict[str, str], count: int) -> None:
    assert len(shown(many, **query)) == count


def test_a_list_is_sorted_by_any_column_both_ways(many: FakeService) -> None:
    assert shown(many)[0] == "export-000"
    assert shown(many, sort="-name")[0] == "vips"
    assert shown(many, sort="-run")[:3] == ["export-001", "export-002", "export-003"]
    text = page(client(many).get("/exports", query={"sort": "-run", "tag": "nordic"}))
    assert 'aria-sort="descending"' in text
    assert 'href="?tag=nordic&amp;sort=-run&amp;page=2"' in text, "the next page asks for the same"


def test_what_is_done_to_several_comes_back_to_the_same_list(many: FakeService) -> None:
    form = b"exports[]=export-000&do=pause"
    answer = client(many).send("POST", "/exports/several", raw=form, headers=HTMX, query={"q": "export 00"})
    assert len(NAMES.findall(page(answer))) == 11


def test_the_first_page_has_what_needs_somebody(many: FakeService) -> None:
    cron = {"kind": "cron", "expression": "0 6 * * *", "time_zone": "UTC"}
    many.world.save("nightly", schedule=cron, targets=[{"segments": ["blob/ci:Lapsed"]}])
    text = page(client(many).get("/"))
    for part, name in (("waiting", "002"), ("failed", "003"), ("running", "001")):
        lines = text.partition(f'id="{part}"')[2].partition("</section>")[0]
        assert f"Export {name}" in lines, part
        assert lines.count("<li>") == 1
    assert 'id="missed"' not in text
    assert "/exports/nightly" in text.partition('id="due"')[2]
    many.world.now = START + timedelta(days=2)
    assert "/exports/nightly" in page(client(many).get("/")).partition('id="missed"')[2].partition("</section>")[0]


def test_a_first_page_where_all_is_well_says_so(service: FakeService) -> None:
    assert "Nothing needs you" in page(client(service).get("/"))


def test_runs_have_counts_and_are_found_by_state_also_of_an_export_that_is_gone(service: FakeService) -> None:
    service.past = [run("r22", State.FAILED), run("r1"), run("old-1", export="gone")]
    text = page(client(service).get("/exports/vips/runs"))
    assert 'data-label="Added">3</td>' in text
    assert "/exports/vips/runs/r1" in text
    failed = page(client(service).get("/exports/vips/runs", query={"state": "failed"}))
    assert "/exports/vips/runs/r22" in failed
    assert "/exports/vips/runs/r1" not in failed
    assert "This export was removed." in page(client(service).get("/exports/gone/runs"))
    assert client(service).get("/exports/never/runs").status == 404


def test_a_removed_export_leaves_a_word_and_the_way_to_its_reports(service: FakeService) -> None:
    answer = post(client(service), "/exports/vips/remove")
    assert answer.headers["hx-redirect"] == "/exports?removed=vips"
    text = page(client(service).get("/exports", query={"removed": "vips"}))
    assert "The export vips was removed." in text
    assert "/exports/vips/runs" in text


def test_tags_are_typed_with_commas_and_lead_to_what_has_them(service: FakeService) -> None:
    service.world.save("tagged", tags=["Nordic", "2026"], targets=[{"segments": ["blob/ci:Lapsed"]}])
    assert 'value="Nordic, 2026"' in page(client(service).get("/exports/tagged/edit"))
    assert 'href="/exports?tag=Nordic"' in page(client(service).get("/exports/tagged"))
    assert shown(service, tag="Nordic") == ["tagged"]


def test_running_several_says_which_run_is_under_way_instead(service: FakeService) -> None:
    service.past = [run("r1", State.RUNNING)]
    text = page(post(client(service), "/exports/several", b"exports[]=vips&do=run"))
    assert "Nothing was started: its run of 2026-11-22 12:00 UTC is under way." in text


def test_an_exports_page_asks_for_the_people_of_its_segments_once_it_is_there(service: FakeService) -> None:
    text = page(client(service).get("/exports/vips"))
    assert 'hx-get="/exports/vips/rows" hx-trigger="load"' in text
    assert "3 rows" not in text, "which storage is looked through for"
    rows = page(client(service).get("/exports/vips/rows"))
    assert "3 rows" in rows
    assert "hx-get" not in rows, "it is asked for once"


CONNECTIONS = re.compile(r'<th scope="row"><a href="/connections/([a-z0-9-]+)"')
SEGMENTS = re.compile(r'<th scope="row"><a href="/segments/[^"]*">([A-Za-z0-9 ]+)</a>')


@pytest.fixture
def three_hundred(service: FakeService) -> FakeService:
    """300 connections, a third of them of another vendor, and 300 segments, each a minute older than the one before."""
    held = service.catalog.connection("marketing")
    for number in range(299):
        changes = {
            "name": f"account-{number:03d}",
            "display_name": f"Account {number:03d}",
            "vendor": "letterbox" if number % 3 else "plain",
        }
        service.catalog.connections.insert(held.item.model_copy(update=changes))
    first = service.found[0]
    assert first.snapshot
    service.found = []
    for number in range(300):
        name = f"Segment {number:03d}"
        snapshot = replace(first.snapshot, segment_id=f"blob/ci:{name}", taken_at=START - timedelta(minutes=number))
        service.found.append(replace(first, name=name, snapshot=snapshot))
    return service


def listed(service: FakeService, path: str, pattern: re.Pattern[str], **query: str) -> list[str]:
    return pattern.findall(page(client(service).get(path, query=query)))


CONNECTIONS_ASKED = [
    ({}, 50, "account-000"),
    ({"page": "6"}, 50, "account-250"),
    ({"page": "99"}, 50, "account-250"),
    ({"q": "account 00"}, 12, "account-000"),
    ({"q": "plain"}, 50, "account-000"),
    ({"vendor": "plain", "page": "2"}, 50, "account-150"),
    ({"vendor": "plain", "q": "account 00"}, 4, "account-000"),
    ({"sort": "-name"}, 50, "marketing"),
    ({"sort": "-name", "page": "2"}, 50, "account-249"),
    ({"q": "no such account"}, 0, ""),
]


@pytest.mark.parametrize(("query", "count", "first"), CONNECTIONS_ASKED)
def test_connections_are_found_filtered_sorted_and_cut_in_pages(
    three_hundred: FakeService, query: dict[str, str], count: int, first: str
) -> None:
    found = listed(three_hundred, "/connections", CONNECTIONS, **query)
    assert len(found) == count
    assert found[:1] == [first][:count]


SEGMENTS_ASKED = [
    ({}, 50, "Segment 000"),
    ({"page": "6"}, 50, "Segment 250"),
    ({"q": "segment 29"}, 13, "Segment 029"),
    ({"q": "29 segment"}, 13, "Segment 029"),
    ({"sort": "-name"}, 50, "Segment 299"),
    ({"sort": "age"}, 50, "Segment 299"),
    ({"sort": "-age"}, 50, "Segment 000"),
    ({"sort": "-age", "q": "segment 1", "page": "2"}, 50, "Segment 131"),
    ({"q": "nobody"}, 0, ""),
]


@pytest.mark.parametrize(("query", "count", "first"), SEGMENTS_ASKED)
def test_segments_are_found_sorted_and_cut_in_pages(
    three_hundred: FakeService, query: dict[str, str], count: int, first: str
) -> None:
    found = listed(three_hundred, "/segments", SEGMENTS, **query)
    assert len(found) == count
    assert found[:1] == [first][:count]


@pytest.mark.parametrize("path", ["/connections", "/segments"])
def test_the_next_page_of_such_a_list_asks_for_the_same(three_hundred: FakeService, path: str) -> None:
    text = page(client(three_hundred).get(path, query={"q": "t", "sort": "-name"}))
    assert 'href="?q=t&amp;sort=-name&amp;page=2"' in text
    assert 'aria-sort="descending"' in text
    assert 'value="t"' in text, "what is searched for stays in its field"
    assert 'rel="prev"' in page(client(three_hundred).get(path, query={"page": "2"}))
    assert "300 in all" in page(client(three_hundred).get(path))


def test_only_the_segments_of_the_page_are_counted(three_hundred: FakeService) -> None:
    asked: list[int] = []
    real = three_hundred.row_counts

    def counted(references: Sequence[str]) -> Mapping[str, int]:
        asked.append(len(references))
        return real(references)

    with mock.patch.object(three_hundred, "row_counts", counted):
        page(client(three_hundred).get("/segments"))
    assert sum(asked) == 50
