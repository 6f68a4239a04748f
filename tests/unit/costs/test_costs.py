"""Counting and deriving costs."""

from __future__ import annotations

from pathlib import Path

import pytest

from dev.costs import month
from dev.costs.counting import VENDOR, operation
from dev.costs.day import TICK
from dev.costs.deriving import Day, line, minutes, per_minute
from dev.costs.month import Month
from shared.vendors.contract import Rate
from shared.vendors.registry import DEFINITIONS

PORTS = {1: "blob", 2: "queue", 3: "table"}


@pytest.mark.parametrize(
    ("method", "url", "expected"),
    [
        ("PUT", "http://127.0.0.1:1/a/c/b?comp=block", "blob write"),
        ("GET", "http://127.0.0.1:1/a/c/b", "blob read"),
        ("GET", "http://127.0.0.1:1/a/c?restype=container&comp=list", "blob list"),
        ("PUT", "http://127.0.0.1:1/a/c/b?comp=lease", "blob other"),
        ("DELETE", "http://127.0.0.1:1/a/c/b", "blob other"),
        ("POST", "http://127.0.0.1:2/a/q/messages", "queue write"),
        ("POST", "http://127.0.0.1:3/a/$batch", "table write"),
        ("GET", "http://127.0.0.1:9/api/lists", VENDOR),
    ],
)
def test_operations_are_told_apart(method: str, url: str, expected: str) -> None:
    assert operation(method, url, PORTS) == expected


def test_a_line_goes_through_both_points() -> None:
    found = line((20_000, 50), (100_000, 130))
    assert (found.fixed, found.per_thousand) == (30, 1)
    assert found.at(1_000_000) == 1030


def test_only_published_rates_are_cut_by_the_budget() -> None:
    assert per_minute(Rate(("a",), 4, 1.0, published=False)) == pytest.approx(4 * 60)
    assert per_minute(Rate(("a",), 4, 1.0)) == pytest.approx(4 * 60 * 0.75)


def test_minutes_follow_the_narrowest_rate() -> None:
    iterable = DEFINITIONS["iterable"]
    rate = next(rate for rate in iterable.rates if rate.setting == "subscribe_rate")
    assert minutes(iterable, rate.endpoints[0], 1_000_000, rows_per_request=1000) == pytest.approx(1000 / 240)
    assert minutes(iterable, "no such endpoint", 1000, rows_per_request=1) == 0


def test_runs_of_one_account_wait_for_one_another() -> None:
    together, apart = Day(10, 1_000_000, 300, accounts=1), Day(10, 1_000_000, 300, accounts=10)
    assert apart.waits == 0
    assert together.waits == 9 * together.slices
    assert apart.executions == 10 * 2 + 1440


def test_a_tick_reads_more_only_where_its_index_has_more_than_a_page() -> None:
    few, many = Month(10).operations["table read"], Month(500).operations["table read"]
    runs = few - 30 * 24 * 60 * TICK["table read"]
    assert many == pytest.approx(few + 49 * runs), "500 exports are a page of 1,000 rows"
    assert Month(501).operations["table read"] - many == pytest.approx(30 * 24 * 60 + runs / 10)


def test_the_grant_is_taken_off_once_and_never_below_nothing() -> None:
    small, large = Month(10).rows(), Month(5_000).rows()
    assert small["executions, of them billed"].endswith(", 0")
    billed = Month(5_000).executions - 250_000
    assert large["executions, of them billed"].endswith(f", {billed:,}")


def test_the_document_has_the_months_table(capsys: pytest.CaptureFixture[str]) -> None:
    month.main()
    document = (Path(__file__).parents[3] / "docs" / "cost-and-scale.md").read_text()
    assert capsys.readouterr().out in document
