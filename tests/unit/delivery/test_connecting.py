"""Which secrets a vendor may be sent."""

from __future__ import annotations

from typing import cast

import pytest

from shared.cloud.blobs import Blobs
from shared.cloud.secrets import Secrets
from shared.cloud.settings import Settings, StorageAddress
from shared.delivery.connecting import Named
from shared.errors import UserMustAct


class Held:
    """Has a value for every name."""

    def get(self, name: str, *, fresh: bool = False) -> str:
        return f"value of {name}"


def named(secret: str) -> Named:
    settings = Settings(StorageAddress(), StorageAddress(), own_secrets=frozenset({"session-key"}))
    return Named(cast(Secrets, Held()), {"api_key": secret}, cast(Blobs, None), is_reserved=settings.owns)


def test_a_connection_reads_the_secret_that_it_names() -> None:
    assert named("iterable-key").get("api_key") == "value of iterable-key"


@pytest.mark.parametrize("secret", ["session-key", "Session-Key"])
def test_no_vendor_is_sent_a_secret_of_the_app_itself(secret: str) -> None:
    with pytest.raises(UserMustAct, match="belongs to the app itself") as refused:
        named(secret).get("api_key")
    assert refused.value.code == "secret_reserved"
