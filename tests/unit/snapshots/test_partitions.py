from __future__ import annotations

import pytest

from shared.snapshots.partitions import columns_of, values_of
from tests.unit.snapshots.listed import blob, seen, verdict

S = "s/2026-11-22"


@pytest.mark.parametrize(
    ("folder", "columns"),
    [
        ("", ()),
        ("country=SE", ("country",)),
        ("country=SE/tier=vip", ("country", "tier")),
        ("K%C3%B6=1", ("Kö",)),
        ("old", None),
        ("country=SE/old", None),
        ("=SE", None),
    ],
)
def test_columns_in_the_names_of_folders(folder: str, columns: tuple[str, ...] | None) -> None:
    assert columns_of(folder) == columns


def test_their_values() -> None:
    path = "s/dt=2026-11-22/country=C%3A%5C/tier=__HIVE_DEFAULT_PARTITION__/part-0.csv"
    assert values_of(path, ("country", "tier")) == (("country", "C:\\"), ("tier", None))


def test_all_files_have_to_have_them() -> None:
    [segment] = seen(f"{S}/country=SE/a.csv", f"{S}/country=RO/b.csv")
    assert segment.folders[0].partitioned == ("country",)
    assert verdict(f"{S}/country=SE/a.csv", f"{S}/country=RO/b.csv") is None
    assert "values of country in the names of folders" in str(verdict(f"{S}/country=SE/a.csv", f"{S}/b.csv"))
    assert "_temporary" in str(verdict(f"{S}/country=SE/a.csv", blob(f"{S}/_temporary/0/country=SE/b.csv")))
