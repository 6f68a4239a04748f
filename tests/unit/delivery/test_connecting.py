"""Which secrets a vendor may be sent, and which connections exports may run with."""

from __future__ import annotations

from typing import cast

import pytest

from shared.cloud.blobs import Blobs
from shared.cloud.secrets import Secrets
from shared.cloud.settings import Settings, StorageAddress
from shared.delivery.account.connecting import Named, usable
from shared.errors import UserMustAct
from shared.vendors.contract import SWITCHED, CheckResult
from tests.unit.catalog.samples import World


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


def test_no_export_runs_before_somebody_says_which_account_it_is() -> None:
    world = World()
    held = world.connect()
    assert usable(held.item, "marketing") is held.item
    asked = world.catalog.record_check(held, CheckResult(False, "Which?", code=SWITCHED))
    with pytest.raises(UserMustAct) as refused:
        usable(asked.item, "marketing")
    assert refused.value.code == "account_switched"
