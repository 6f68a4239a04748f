from __future__ import annotations

import pytest

from shared.snapshots.model_json import BadModel
from shared.snapshots.places import Outside, Place, place

AZURE = "https://acct.blob.core.windows.net/"
LOCAL = "http://127.0.0.1:10000/devstoreaccount1"


def names(location: str, account: str = AZURE, folder: str = "ci/Export") -> tuple[str, ...]:
    return place(location, account_url=account, container="land", folder=folder).names


@pytest.mark.parametrize(
    ("account", "location"),
    [
        (AZURE, "https://acct.blob.core.windows.net/land/ci/A/1.csv"),
        (AZURE, "https://ACCT.blob.core.windows.net:443/land/ci/A/1.csv"),
        (AZURE, "http://acct.blob.core.windows.net/land/ci/A/1.csv"),
        (AZURE, "https://acct.dfs.core.windows.net/land/ci/A/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net/land/ci/A/1.csv?sv=2020&sig=abc%2F"),
        (LOCAL, "http://127.0.0.1:10000/devstoreaccount1/land/ci/A/1.csv"),
        (f"{LOCAL}/", "http://127.0.0.1:10000/devstoreaccount1/land/ci/A/1.csv"),
    ],
)
def test_an_absolute_location_in_the_same_container(account: str, location: str) -> None:
    assert names(location, account) == ("ci/A/1.csv",)


@pytest.mark.parametrize(
    ("account", "location"),
    [
        (AZURE, "https://other.blob.core.windows.net/land/ci/A/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net/landing/ci/A/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net/land/../other/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net/land/%2e%2e/other/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net.evil.example/land/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net@evil.example/land/1.csv"),
        (AZURE, "https://acct.blob.core.windows.net:8443/land/1.csv"),
        (LOCAL, "http://127.0.0.1:10001/devstoreaccount1/land/1.csv"),
        (LOCAL, "http://127.0.0.1:10000/otheraccount/land/1.csv"),
        (LOCAL, "http://127.0.0.1:10000/land/1.csv"),
        (AZURE, "../../../other/1.csv"),
    ],
)
def test_a_location_anywhere_else_is_refused(account: str, location: str) -> None:
    with pytest.raises(Outside):
        names(location, account)


def test_a_refusal_shows_no_signature() -> None:
    with pytest.raises(Outside) as caught:
        names("https://other.blob.core.windows.net/land/1.csv?sig=secret")
    assert "secret" not in str(caught.value)


def test_what_is_no_url_is_refused_too() -> None:
    with pytest.raises(BadModel, match=r"."):
        names("https://[broken/1.csv")


def test_a_relative_location_is_looked_for_beside_the_model_then_in_the_container() -> None:
    assert names("Loyal/1.csv") == ("ci/Export/Loyal/1.csv", "Loyal/1.csv")
    assert names("/Loyal/1.csv?sig=x") == ("ci/Export/Loyal/1.csv", "Loyal/1.csv")
    assert names("../Loyal/1.csv") == ("ci/Loyal/1.csv",)
    assert names("1.csv", folder="") == ("1.csv",)


def test_names_may_be_percent_encoded() -> None:
    assert names("https://acct.blob.core.windows.net/land/High%20Value/%C3%BC.csv") == ("High Value/ü.csv",)
    assert names("High%20Value.csv", folder="") == ("High Value.csv", "High%20Value.csv")


def test_a_blob_snapshot_can_be_pinned() -> None:
    found = place(
        f"{AZURE}land/a.csv?snapshot=2026-11-22T14%3A33%3A00.1234567Z", account_url=AZURE, container="land", folder=""
    )
    assert found == Place(("a.csv",), "2026-11-22T14:33:00.1234567Z")
