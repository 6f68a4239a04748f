"""Sign-ins under way: what a state stands for, and how often."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.access.person import How, Person, Role
from shared.catalog.authorizations import LASTS, Authorizations
from shared.errors import Forbidden, Unprocessable
from tests.unit.catalog.samples import ADMIN, START
from tests.unit.catalog.tables import MemoryTable

OTHER = Person("other", ADMIN.name, frozenset({Role.ADMINISTRATOR}), How.SESSION)


class Now:
    at: datetime = START

    def __call__(self) -> datetime:
        return self.at


def test_a_state_stands_for_what_was_begun() -> None:
    states = Authorizations(MemoryTable(), Now())
    state, begun = states.begin("cm", ADMIN, "https://app.example/oauth/callback")
    assert (begun.connection, begun.expires_at) == ("cm", START + LASTS)
    assert states.redeem(state, ADMIN) == begun


def test_no_two_states_are_alike() -> None:
    states = Authorizations(MemoryTable(), Now())
    assert len({states.begin("cm", ADMIN, "x")[0] for _ in range(100)}) == 100


def test_of_two_who_come_at_the_same_time_one_goes_on() -> None:
    class Slow(MemoryTable):
        """Somebody else is faster between reading and writing."""

        def replace(self, entity: dict[str, Any], etag: str) -> str:
            super().replace(entity, etag)
            return super().replace(entity, etag)

    states = Authorizations(Slow(), Now())
    state, _ = states.begin("cm", ADMIN, "x")
    with pytest.raises(Unprocessable) as error:
        states.redeem(state, ADMIN)
    assert error.value.code == "state_used"


def test_a_name_is_not_enough_to_be_who_began() -> None:
    states = Authorizations(MemoryTable(), Now())
    state, _ = states.begin("cm", ADMIN, "x")
    with pytest.raises(Forbidden):
        states.redeem(state, OTHER)


def test_what_ran_out_is_swept_away_by_the_next() -> None:
    table, now = MemoryTable(), Now()
    states = Authorizations(table, now)
    states.begin("cm", ADMIN, "x")
    now.at += LASTS - timedelta(seconds=1)
    states.begin("cm", ADMIN, "x")
    assert len(table.rows) == 2
    now.at += timedelta(seconds=1)
    states.begin("cm", ADMIN, "x")
    assert len(table.rows) == 2
