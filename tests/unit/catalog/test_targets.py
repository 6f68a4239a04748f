"""One export owns a target, under whichever name it is given."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.catalog.models import Target
from shared.catalog.targets import Owned, TargetStore, table_key, target_key, target_name
from shared.errors import Conflict
from tests.unit.catalog.samples import START
from tests.unit.catalog.tables import MemoryTable

FORBIDDEN = set("/\\#?") | {chr(code) for code in [*range(0x20), *range(0x7F, 0xA0)]}


@pytest.fixture
def store() -> TargetStore:
    return TargetStore(MemoryTable())


def owner(store: TargetStore, key: str) -> str | None:
    claim = store.owner("acc", key)
    return claim.export if claim else None


def test_the_key_is_the_lists_id_or_name() -> None:
    assert target_key(Target(segments=("a/VIP",), list_id="42")) == "id:42"
    assert target_key(Target(segments=("a/VIP",), list_name="Best people")) == "name:Best people"
    assert target_key(Target(segments=("data/ci:VIP", "data:Other"))) == "name:VIP"
    assert target_key(Target(segments=("data:Other", "data/ci:VIP"))) == "name:Other"
    assert target_name(Target(segments=("VIP",))) == "VIP"


@given(st.text(max_size=300))
def test_keys_hold_nothing_that_a_table_forbids(text: str) -> None:
    key = table_key(text)
    assert not FORBIDDEN & set(key)
    assert len(key) <= 250


@given(st.text(max_size=300), st.text(max_size=300))
def test_different_names_have_different_keys(one: str, other: str) -> None:
    assert (table_key(one) == table_key(other)) == (one == other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("a/b", "a~2f~b"), ("a#", "a?"), ("x" * 201, "x" * 202), ("VIP", "vip"), ("/" * 90, "/" * 91), ("~", "~~")],
)
def test_names_that_are_alike_have_different_keys(one: str, other: str) -> None:
    assert table_key(one) != table_key(other)


def test_the_first_to_claim_owns_it(store: TargetStore) -> None:
    assert store.claim("acc", "name:VIP", "first", START).fresh
    with pytest.raises(Owned) as refusal:
        store.claim("acc", "name:VIP", "second", START)
    assert refusal.value.export == "first"
    assert owner(store, "name:VIP") == "first"


def test_claiming_again_keeps_it_and_what_is_known(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    store.remember("acc", "name:VIP", "first", {"list_id": "7"}, START)
    again = store.claim("acc", "name:VIP", "first", START + timedelta(days=1))
    assert not again.fresh
    assert again.memory == {"list_id": "7"}


def test_another_account_has_targets_of_its_own(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    assert store.claim("other", "name:VIP", "second", START).fresh


def test_a_released_target_is_free_and_its_next_owner_knows_what_was_known(store: TargetStore) -> None:
    claim = store.claim("acc", "name:VIP", "first", START)
    claim = store.remember("acc", "name:VIP", "first", {"list_id": "7", "ledger": "ledgers/x/"}, START)
    assert store.release(claim, START)
    assert owner(store, "name:VIP") == ""
    assert store.claim("acc", "name:VIP", "second", START).memory == {"list_id": "7", "ledger": "ledgers/x/"}


def test_a_release_of_what_changed_since_does_nothing(store: TargetStore) -> None:
    claim = store.claim("acc", "name:VIP", "first", START)
    store.claim("acc", "name:VIP", "first", START)
    assert not store.release(claim, START)
    assert owner(store, "name:VIP") == "first"


@pytest.mark.parametrize(("by_name", "by_id"), [("name:VIP", "id:7"), ("id:7", "name:VIP")])
def test_a_list_has_one_owner_under_both_its_names(store: TargetStore, by_name: str, by_id: str) -> None:
    store.claim("acc", by_name, "first", START)
    store.remember("acc", by_name, "first", {"list_id": "7", "list_name": "VIP"}, START)
    with pytest.raises(Owned) as refusal:
        store.claim("acc", by_id, "second", START)
    assert refusal.value.export == "first"
    assert owner(store, by_id) == ""


def test_an_export_may_give_its_list_by_the_other_name_and_goes_on_with_what_is_known(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    store.remember("acc", "name:VIP", "first", {"list_id": "7", "ledger": "x"}, START)
    assert store.claim("acc", "id:7", "first", START).memory == {"list_id": "7", "ledger": "x"}


def test_the_latest_word_on_a_list_is_what_is_handed_on(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    old = store.remember("acc", "name:VIP", "first", {"list_id": "7", "ledger": "old"}, START)
    store.release(old, START)
    store.claim("acc", "id:7", "first", START)
    new = store.remember("acc", "id:7", "first", {"list_id": "7", "list_name": "VIP", "ledger": "new"}, START)
    store.release(new, START + timedelta(hours=1))
    assert store.claim("acc", "name:VIP", "second", START).memory["ledger"] == "new"


def test_only_the_owner_may_remember(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    with pytest.raises(Owned) as refusal:
        store.remember("acc", "name:VIP", "second", {}, START)
    assert refusal.value.export == "first"
    with pytest.raises(Owned):
        store.remember("acc", "name:Unclaimed", "second", {}, START)


def test_two_claims_that_turn_out_to_be_one_list_are_told_apart_when_delivery_learns_it(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    store.claim("acc", "id:7", "second", START)
    with pytest.raises(Owned) as refusal:
        store.remember("acc", "name:VIP", "first", {"list_id": "7"}, START)
    assert refusal.value.export == "second"


def test_a_list_that_was_renamed_at_the_vendor_is_still_one_list(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    store.claim("acc", "name:Best", "second", START)
    store.remember("acc", "name:VIP", "first", {"list_id": "7", "list_name": "VIP"}, START)
    with pytest.raises(Owned) as refusal:
        store.remember("acc", "name:Best", "second", {"list_id": "7", "list_name": "Best"}, START)
    assert refusal.value.export == "first"


def test_a_refused_claim_takes_nothing_away(store: TargetStore) -> None:
    store.claim("acc", "name:VIP", "first", START)
    store.claim("acc", "id:7", "second", START)
    with pytest.raises(Owned):
        store.remember("acc", "name:VIP", "first", {"list_id": "7"}, START)
    for key, export in (("name:VIP", "first"), ("id:7", "second")):
        with pytest.raises(Owned):
            store.claim("acc", key, export, START)
        assert owner(store, key) == export


class Interrupted(MemoryTable):
    """Somebody else writes in between: `before_write` runs once, ahead of the next write."""

    before_write: Callable[[], Any] | None = None

    def replace(self, entity: dict[str, Any], etag: str) -> str:
        self._interrupt()
        return super().replace(entity, etag)

    def insert(self, entity: dict[str, Any]) -> str:
        self._interrupt()
        return super().insert(entity)

    def _interrupt(self) -> None:
        interruption, self.before_write = self.before_write, None
        if interruption:
            interruption()


def test_of_two_who_claim_at_the_same_time_one_is_refused() -> None:
    table = Interrupted()
    store = TargetStore(table)
    table.before_write = lambda: store.claim("acc", "name:VIP", "faster", START)
    with pytest.raises(Owned) as refusal:
        store.claim("acc", "name:VIP", "slower", START)
    assert refusal.value.export == "faster"


def test_delivery_remembers_although_the_claim_is_refreshed_meanwhile() -> None:
    table = Interrupted()
    store = TargetStore(table)
    store.claim("acc", "name:VIP", "first", START)
    table.before_write = lambda: store.claim("acc", "name:VIP", "first", START)
    assert store.remember("acc", "name:VIP", "first", {"list_id": "7"}, START).memory == {"list_id": "7"}
    kept = store.owner("acc", "name:VIP")
    assert kept is not None
    assert kept.memory == {"list_id": "7"}


class Contended(MemoryTable):
    """Every replacement finds that somebody was faster."""

    def replace(self, entity: dict[str, Any], etag: str) -> str:
        raise Conflict("changed")


def test_endless_contention_ends_as_a_conflict() -> None:
    store = TargetStore(Contended())
    store.claim("acc", "name:VIP", "first", START)
    with pytest.raises(Conflict):
        store.claim("acc", "name:VIP", "first", START)
    with pytest.raises(Conflict):
        store.remember("acc", "name:VIP", "first", {}, START)
