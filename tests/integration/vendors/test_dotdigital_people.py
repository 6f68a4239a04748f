"""Dotdigital's contacts from one run to the next: found by their id, and never made anew by a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from shared.delivery.state import vendor_ids
from shared.delivery.state.files import DataFile
from shared.delivery.state.records import State
from tests.contract.outcomes import accounted
from tests.integration.delivery.engine import Engine, Person, people
from tests.integration.vendors.conftest import Opened

WHO = "person3@example.com"
OTHERS = [each for each in people(5) if each.email != WHO]


def begin(engine: Engine) -> None:
    engine.land(people(5))
    engine.define()
    assert engine.run().state in (State.SUCCEEDED, State.WARNINGS)


def account_of(engine: Engine) -> Any:
    vendor: Any = engine.simulator.vendor
    return vendor.account()


def contacts(engine: Engine) -> dict[str, str]:
    account = account_of(engine)
    return {each.key: str(each.data.get("FIRSTNAME", "")) for each in account.contacts.values()}


@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_who_was_deleted_is_not_made_anew(opened: Opened, present: str) -> None:
    with opened("dotdigital") as engine:
        begin(engine)
        account = account_of(engine)
        account.delete(account.find("email", WHO))
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        run = engine.run()
        assert WHO not in contacts(engine)
        expected = {"change rejected": 1} if present == "changes" else {"remove accepted": 1}
        assert accounted(engine, run) == expected


@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_whose_address_was_changed_there_is_found_by_the_id(opened: Opened, present: str) -> None:
    with opened("dotdigital") as engine:
        begin(engine)
        account = account_of(engine)
        account.identify(account.find("email", WHO), "email", "new@example.com")
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        run = engine.run()
        assert WHO not in contacts(engine)
        assert "new@example.com" in contacts(engine)
        if present == "changes":
            assert accounted(engine, run) == {"change accepted": 1}
            assert contacts(engine)["new@example.com"] == "Changed"
        else:
            assert accounted(engine, run) == {"remove accepted": 1}
            assert "new@example.com" not in engine.members()


@pytest.mark.parametrize("present", ["changes", "leaves"])
def test_whose_id_was_lost_is_found_by_the_address(
    opened: Opened, present: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = vendor_ids.load

    def damaged(files: Any, database: Any, kept: Mapping[int, DataFile], where: Path) -> None:
        assert kept, "Dotdigital gives ids"
        real(files, database, {batch: replace(file, md5="0") for batch, file in kept.items()}, where)

    with opened("dotdigital") as engine:
        with monkeypatch.context() as patched:
            patched.setattr(vendor_ids, "load", damaged)
            begin(engine)
        engine.land([*OTHERS, Person(WHO, "Changed")] if present == "changes" else OTHERS)
        run = engine.run()
        assert accounted(engine, run) == ({"change accepted": 1} if present == "changes" else {"remove accepted": 1})
        assert len(contacts(engine)) == 5, "nobody is made anew"
        if present == "changes":
            assert contacts(engine)[WHO] == "Changed"
        else:
            assert WHO not in engine.members()
