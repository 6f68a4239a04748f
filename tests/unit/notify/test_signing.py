"""Notifications are signed as the Standard Webhooks specification says."""

from __future__ import annotations

import pytest

from shared.cloud.settings import from_environment
from shared.errors import UserMustAct
from shared.notify import signing

BASE = {"AzureWebJobsStorage": "UseDevelopmentStorage=true", "NOTIFY_SECRET": "signing"}


def test_the_specifications_own_example() -> None:
    found = signing.headers(
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, b'{"test": 2432232314}'
    )
    assert found["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_plain_secret_is_taken_as_it_is_and_a_broken_one_refused() -> None:
    plain = signing.headers("plain words", "id", 1, b"{}")
    assert plain["webhook-signature"] != signing.headers("other words", "id", 1, b"{}")["webhook-signature"]
    with pytest.raises(UserMustAct) as refused:
        signing.headers("whsec_***", "id", 1, b"{}")
    assert "***" not in str(refused.value)


@pytest.mark.parametrize("url", ["https://hooks.example/a?b=c", "http://127.0.0.1:8080/x", "http://localhost/x", ""])
def test_receivers_that_may_be_named(url: str) -> None:
    assert from_environment(BASE | {"NOTIFY_URL": url}).notify_url == url


@pytest.mark.parametrize(
    "url", ["http://hooks.example/a", "ftp://x", "hooks.example", "https://user:hush@hooks.example/", "https://", "//x"]
)
def test_receivers_that_may_not(url: str) -> None:
    with pytest.raises(ValueError, match="NOTIFY_URL") as refused:
        from_environment(BASE | {"NOTIFY_URL": url})
    assert "hush" not in str(refused.value)


def test_a_receiver_needs_a_signing_secret() -> None:
    with pytest.raises(ValueError, match="NOTIFY_SECRET"):
        from_environment({"AzureWebJobsStorage": "x", "NOTIFY_URL": "https://hooks.example/"})
