"""Sessions: how long they last, who can read them, and what becomes of them when keys are rotated."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from shared.access.person import How, Person, Role
from shared.access.sealing import LOOK_AGAIN_SECONDS, Seal
from shared.access.sessions import IDLE_SECONDS, LONGEST_SECONDS, RENEW_SECONDS, SIGN_IN_SECONDS, Session, Sessions
from shared.errors import RetryAfter, UserMustAct
from tests.unit.access.conftest import MemoryVault

OLD, NEW = "o" * 40, "n" * 40
ADA = Person("ada-1", "Ada", frozenset({Role.ADMINISTRATOR, Role.VIEWER}), How.SESSION)


@pytest.fixture
def now() -> list[float]:
    return [1_000_000.0]


@pytest.fixture
def vault() -> MemoryVault:
    return MemoryVault({"session-key": OLD})


@pytest.fixture
def make(now: list[float], vault: MemoryVault) -> Callable[[], Sessions]:
    """Another instance of the app, with the same vault."""
    return lambda: Sessions(Seal(vault, "session-key", lambda: now[0]), secure=True, clock=lambda: now[0])


@pytest.fixture
def sessions(make: Callable[[], Sessions]) -> Sessions:
    return make()


def jar(cookie: str) -> dict[str, str]:
    name, _, value = cookie.partition(";")[0].partition("=")
    return {name: value}


def read(sessions: Sessions, cookie: str) -> Session:
    found = sessions.read(jar(cookie))
    assert found is not None
    return found


def test_any_instance_reads_a_session(sessions: Sessions, make: Callable[[], Sessions]) -> None:
    assert read(make(), sessions.begin(ADA)).person == ADA


def test_the_cookie_is_kept_from_scripts_other_sites_and_plain_http(sessions: Sessions) -> None:
    cookie = sessions.begin(ADA)
    assert cookie.startswith("__Host-")
    assert cookie.endswith(f"; Path=/; Max-Age={IDLE_SECONDS}; HttpOnly; SameSite=Lax; Secure")
    assert "Ada" not in cookie and "ada-1" not in cookie


def test_an_idle_session_ends(sessions: Sessions, now: list[float]) -> None:
    cookie = sessions.begin(ADA)
    now[0] += IDLE_SECONDS
    assert sessions.read(jar(cookie))
    now[0] += 1
    assert sessions.read(jar(cookie)) is None


def test_a_used_session_goes_on_but_not_for_ever(sessions: Sessions, now: list[float]) -> None:
    cookie, began = sessions.begin(ADA), now[0]
    csrf = read(sessions, cookie).csrf
    assert sessions.renewal(read(sessions, cookie)) == ""
    while sessions.read(jar(cookie)):
        now[0] += RENEW_SECONDS + 1
        if session := sessions.read(jar(cookie)):
            assert session.csrf == csrf
            cookie = sessions.renewal(session)
    assert LONGEST_SECONDS < now[0] - began <= LONGEST_SECONDS + RENEW_SECONDS + 1


def test_a_browser_keeps_the_cookie_no_longer_than_the_session_lasts(sessions: Sessions, now: list[float]) -> None:
    session = read(sessions, sessions.begin(ADA))
    now[0] = session.started + LONGEST_SECONDS - 60
    assert "; Max-Age=60;" in sessions.renewal(session)


def test_what_was_changed_is_nothing(sessions: Sessions) -> None:
    [(name, value)] = jar(sessions.begin(ADA)).items()
    middle = len(value) // 2
    other = "A" if value[middle] != "A" else "B"
    for forged in (value[:middle] + other + value[middle + 1 :], value[:-4], "", "x", "a.b", value.partition(".")[2]):
        assert sessions.read({name: forged}) is None


def test_a_sign_in_that_is_under_way_is_no_session_and_the_other_way_round(sessions: Sessions) -> None:
    waiting, session = jar(sessions.wait({"state": "s"}, "/x")), jar(sessions.begin(ADA))
    assert sessions.read(waiting) is None
    assert sessions.awaited(session) is None
    pending = sessions.awaited(waiting)
    assert pending and (pending.flow, pending.following) == ({"state": "s"}, "/x")


def test_a_sign_in_does_not_wait_for_ever(sessions: Sessions, now: list[float]) -> None:
    waiting = jar(sessions.wait({}, "/"))
    now[0] += SIGN_IN_SECONDS + 1
    assert sessions.awaited(waiting) is None


def test_a_key_is_rotated_without_anybody_noticing(
    make: Callable[[], Sessions], vault: MemoryVault, now: list[float]
) -> None:
    early, old = make(), make().begin(ADA)
    assert early.read(jar(old))
    vault.secrets["session-key"] = f"{NEW} {OLD}"
    late = make()
    new = late.begin(ADA)
    assert jar(new)[late.cookie_name].partition(".")[0] != jar(old)[late.cookie_name].partition(".")[0]
    assert late.read(jar(old)) and late.read(jar(new))
    assert early.read(jar(new)), "an instance that does not know the new key looks it up"
    vault.secrets["session-key"] = NEW
    now[0] += LOOK_AGAIN_SECONDS
    assert make().read(jar(old)) is None


def test_unknown_keys_make_nobody_ask_key_vault_without_end(sessions: Sessions, vault: MemoryVault) -> None:
    looks = [sessions.read({sessions.cookie_name: f"0000000{n}.x"}) for n in range(9)]
    assert looks == [None] * 9
    assert len(vault.gets) == 9 + 1


def test_a_missing_key_is_made(vault: MemoryVault, make: Callable[[], Sessions]) -> None:
    del vault.secrets["session-key"]
    assert make().read(jar(make().begin(ADA)))
    assert len(vault.secrets["session-key"]) >= 64


def test_a_weak_key_is_refused(vault: MemoryVault, sessions: Sessions) -> None:
    vault.secrets["session-key"] = "short"
    with pytest.raises(UserMustAct, match="random"):
        sessions.begin(ADA)


def test_known_keys_stay_good_while_key_vault_is_down(vault: MemoryVault, make: Callable[[], Sessions]) -> None:
    sessions = make()
    cookie = sessions.begin(ADA)
    vault.down = True
    assert sessions.read(jar(cookie))
    with pytest.raises(RetryAfter):
        make().begin(ADA)


def test_a_cookie_of_another_version_of_the_app_means_signing_in_again(sessions: Sessions, vault: MemoryVault) -> None:
    """Two versions answer side by side while one is deployed, and after a rollback."""
    ours = {"id": "ada-1", "name": "Ada", "roles": ["Viewer"], "csrf": "c", "started": 1_000_000.0, "seen": 1_000_000.0}
    seal = Seal(vault, "session-key")

    def found(values: object) -> Session | None:
        return sessions.read({sessions.cookie_name: seal.seal(json.dumps({"session": values}).encode())})

    assert found(ours) is not None
    assert found({**ours, "more": 1}) is not None, "a later version's field is left alone"
    for name in ours:
        assert found({key: value for key, value in ours.items() if key != name}) is None
    wrong: list[object] = [[], "x", {**ours, "seen": "soon"}]
    assert [found(each) for each in wrong] == [None, None, None]


def test_two_instances_that_both_find_no_key_end_with_one(vault: MemoryVault) -> None:
    vault.secrets.clear()
    other = Seal(vault, "session-key", pause=lambda seconds: None)
    sealed: list[str] = []
    # The other one makes its key while this one waits for such a thing to happen.
    first = Seal(vault, "session-key", pause=lambda seconds: sealed.append(made(vault, other)))
    mine = first.seal(b"mine")
    assert (first.open(sealed[0]), other.open(mine)) == (b"theirs", b"mine")


def made(vault: MemoryVault, seal: Seal) -> str:
    """What an instance seals that found no key at the same moment as another."""
    vault.secrets.clear()
    return seal.seal(b"theirs")
