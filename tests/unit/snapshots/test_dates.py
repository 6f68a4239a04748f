"""Which names of folders are dates, and which only look like one."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.snapshots.dates import dated, looks_like_a_date, run_folder_date, timestamp

WRITTEN = datetime(2026, 11, 22, 14, 33, tzinfo=UTC)
DAY = datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-22", DAY),
        ("20261122", DAY),
        ("2026_11_22", DAY),
        ("2026.11.22", DAY),
        ("dt=2026-11-22", DAY),
        ("snapshot_date=20261122", DAY),
        ("20261122T1433Z", WRITTEN),
        ("20261122_143300", WRITTEN),
        ("2026-11-22_14-33", WRITTEN),
        ("2026-11-22 14_33", WRITTEN),
        ("2026-11-22T14%3A33%3A00", WRITTEN),
        ("2026-11-22 14.33.00", WRITTEN),
        ("2026-11-22T14:33:00+00:00", WRITTEN),
        ("2026-11-22T15:33:00+01:00", WRITTEN),
        ("2026-11-22T09:33:00-0500", WRITTEN),
        ("1795357980", WRITTEN),
        ("ts=1795357980000", WRITTEN),
        ("2026-11-22T14:33:00.1234567Z", WRITTEN.replace(microsecond=123456)),
        ("2026-11-22T14:33:00.123Z", WRITTEN.replace(microsecond=123000)),
        ("2026-11-22-14-33-00-216", WRITTEN.replace(microsecond=216000)),
        ("20261122143305", WRITTEN.replace(second=5)),
        ("2026-11-22T14-33-05Z", WRITTEN.replace(second=5)),
        ("2026-13-22", None),
        ("2026-02-30", None),
        ("2026-11_22", None),
        ("2026-11-22T14:33:00+25:00", None),
        ("22-11-2026", None),
        ("1433", None),
        ("latest", None),
        ("v2026-11-22", None),
    ],
)
def test_which_folder_names_are_dates(text: str, expected: datetime | None) -> None:
    assert timestamp(text) == expected


@pytest.mark.parametrize(
    ("path", "segment", "folder", "moment"),
    [
        ("crm/loyal/2026-11-22", "crm/loyal", "crm/loyal/2026-11-22", DAY),
        ("loyal/2026/11/22", "loyal", "loyal/2026/11/22", DAY),
        ("loyal/2026/11/22/1433", "loyal", "loyal/2026/11/22/1433", WRITTEN),
        ("loyal/2026/11/22/14/33", "loyal", "loyal/2026/11/22/14/33", WRITTEN),
        ("loyal/year=2026/month=11/day=22", "loyal", "loyal/year=2026/month=11/day=22", DAY),
        ("loyal/y=2026/m=11/d=22/h=14/min=33", "loyal", "loyal/y=2026/m=11/d=22/h=14/min=33", WRITTEN),
        ("loyal/2026-11-22/tier=vip", "loyal", "loyal/2026-11-22", DAY),
        ("loyal/2026-11-22/2026-11-21", "loyal", "loyal/2026-11-22", DAY),
    ],
)
def test_a_date_may_be_spread_over_folders_and_the_outer_one_counts(
    path: str, segment: str, folder: str, moment: datetime
) -> None:
    found = dated(path, 1)
    assert found
    first, behind, taken_at = found
    parts = path.split("/")
    assert ("/".join(parts[:first]), "/".join(parts[:behind]), taken_at) == (segment, folder, moment)


@pytest.mark.parametrize("path", ["loyal", "2026-11-22", "a/2026/13/22", "a/2026/11", "a/year=2026/month=11"])
def test_elsewhere_there_is_none(path: str) -> None:
    assert dated(path, 1) is None


@pytest.mark.parametrize("name", ["2026-13-22", "22-11-2026", "dt=yesterday", "2026-11-22T14", "2026-11-22 (copy)"])
def test_people_would_take_these_for_a_date(name: str) -> None:
    assert looks_like_a_date(name)
    assert timestamp(name) is None


@pytest.mark.parametrize("name", ["loyal", "1433", "v1", "country=SE", "2026", "winners-2026-11-22"])
def test_and_these_not(name: str) -> None:
    assert not looks_like_a_date(name)


def test_the_date_in_a_run_folder_of_customer_insights() -> None:
    assert run_folder_date("x/Loyal/2026/11/22/1433/Loyal_1.csv") == WRITTEN
    assert run_folder_date("x/Loyal/2026/11/22/Loyal_1.csv") == DAY
    assert run_folder_date("x/Loyal/2026/99/22/1433/Loyal_1.csv") is None
    assert run_folder_date("x/Loyal/Loyal_1.csv") is None
