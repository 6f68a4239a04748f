"""App settings that have a form of their own."""

from __future__ import annotations

import pytest

from shared.cloud.settings import Location, OAuthApp, Settings, from_environment

STORAGE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true"}


def read(**settings: str) -> Settings:
    return from_environment(STORAGE | settings)


def test_registrations_at_vendors() -> None:
    found = read(OAUTH_APPS="campaign-monitor=128431:cm-app, other= 7 : other-app").oauth_apps
    assert found == {"campaign-monitor": OAuthApp("128431", "cm-app"), "other": OAuthApp("7", "other-app")}
    assert read().oauth_apps == {}


@pytest.mark.parametrize("text", ["campaign-monitor", "campaign-monitor=128431", "campaign-monitor=:s", "a=b:"])
def test_a_registration_that_is_not_one_is_said_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="OAUTH_APPS"):
        read(OAUTH_APPS=text)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (
            {"PUBLIC_URL": "https://exports.example/", "WEBSITE_HOSTNAME": "app.azurewebsites.net"},
            "https://exports.example",
        ),
        ({"WEBSITE_HOSTNAME": "app.azurewebsites.net"}, "https://app.azurewebsites.net"),
        ({"WEBSITE_HOSTNAME": "localhost:7071"}, ""),
        ({}, ""),
    ],
)
def test_the_apps_own_address_is_told_by_a_setting_or_the_platform(settings: dict[str, str], expected: str) -> None:
    assert read(**settings).public_url == expected


def test_the_apps_own_secrets_are_known() -> None:
    own = read(OAUTH_APPS="campaign-monitor=1:cm-app", SIGN_IN_SECRET="entra", NOTIFY_SECRET="hook").own_secrets
    assert {"cm-app", "entra", "hook", "session-key"} <= own


def test_addresses_in_vendors_places() -> None:
    assert read(VENDOR_HOSTS="api.a.com=http://127.0.0.1:1/, b.com=http://x").vendor_hosts == {
        "api.a.com": "http://127.0.0.1:1",
        "b.com": "http://x",
    }
    with pytest.raises(ValueError, match="VENDOR_HOSTS"):
        read(VENDOR_HOSTS="api.a.com")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("segments", Location("segments")),
        ("land/crm/daily/", Location("land", "crm/daily")),
        ("land/crm?columns=EMail|First%2C name", Location("land", "crm", ("EMail", "First, name"))),
        ("land?columns=EMail|City&delimiter=;", Location("land", "", ("EMail", "City"), ";")),
        ("land?columns=EMail&delimiter=%09", Location("land", "", ("EMail",), "\t")),
    ],
)
def test_a_place_of_segments_may_say_which_columns_its_files_have(text: str, expected: Location) -> None:
    assert from_environment(STORAGE | {"SEGMENT_LOCATIONS": f"other, {text}"}).segment_locations[1] == expected


@pytest.mark.parametrize("text", ["a?colums=x", "a?columns=x||y", "a?columns=x|x", "a?columns=x&delimiter=--"])
def test_a_place_that_is_misspelt_is_said_by_name(text: str) -> None:
    with pytest.raises(ValueError, match="SEGMENT_LOCATIONS"):
        from_environment(STORAGE | {"SEGMENT_LOCATIONS": text})


def test_what_makes_a_folder_complete_is_a_setting() -> None:
    usual = from_environment(STORAGE)
    assert (usual.segment_marks, usual.settle_minutes) == (("_SUCCESS",), 10)
    told = from_environment(STORAGE | {"SEGMENT_MARKS": "*.done, manifest.json", "SEGMENT_SETTLE_MINUTES": "2.5"})
    assert (told.segment_marks, told.settle_minutes) == (("*.done", "manifest.json"), 2.5)


@pytest.mark.parametrize(
    "wrong",
    [{"SEGMENT_MARKS": " , "}, {"SEGMENT_MARKS": "*"}, {"SEGMENT_MARKS": "a/b"}, {"SEGMENT_SETTLE_MINUTES": "0"}],
)
def test_a_rule_that_nothing_would_keep_is_refused_by_name(wrong: dict[str, str]) -> None:
    [name] = wrong
    with pytest.raises(ValueError, match=name):
        from_environment(STORAGE | wrong)
