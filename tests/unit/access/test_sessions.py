"""Sessions: how long they last, who can read them, and what becomes of them when keys are rotated."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field

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

    def made() -> Sessions:
        seal = Seal(vault, "session-key", lambda: now[0], pause=lambda seconds: None)
        return Sessions(seal, secure=True, clock=lambda: now[0])

    return made


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


@dataclass
class Remembering(MemoryVault):
    """A vault as one instance has it: what it read or wrote is remembered until it asks anew."""

    remembered: dict[str, str] = field(default_factory=dict)

    def get(self, name: str, *, fresh: bool = False) -> str:
        if fresh or name not in self.remembered:
            self.remembered[name] = super().get(name)
        return self.remembered[name]

    def put(self, name: str, value: str) -> None:
        self.remembered[name] = value
        super().put(name, value)


def test_whose_key_stayed_is_asked_of_key_vault_and_not_remembered() -> None:
    secrets: dict[str, str] = {}
    other = Seal(Remembering(secrets), "session-key", pause=lambda seconds: None)
    theirs: list[str] = []

    def meanwhile(seconds: float) -> None:
        secrets.clear()
        theirs.append(other.seal(b"theirs"))

    first = Seal(Remembering(secrets), "session-key", pause=meanwhile)
    assert other.open(first.seal(b"mine")) == b"mine"
    assert first.open(theirs[0]) == b"theirs"


def test_what_is_sealed_names_its_key_and_holds_what_cookies_may_hold(vault: MemoryVault) -> None:
    assert re.fullmatch(r"[0-9a-f]{8}\.[A-Za-z0-9_-]+=*", Seal(vault, "session-key").seal(b"x"))


HOUR, MINUTE = 3600, 60


def test_a_session_lasts_half_an_hour_unused_and_four_hours_at_the_most(sessions: Sessions, now: list[float]) -> None:
    cookie, began = sessions.begin(ADA), now[0]
    assert "Max-Age=1800;" in cookie
    now[0] = began + 30 * MINUTE
    assert sessions.read(jar(cookie)) is not None
    now[0] = began + 30 * MINUTE + 0.5
    assert sessions.read(jar(cookie)) is None
    now[0] = began + 4 * HOUR
    used = sessions.renewal(Session("a", "A", [], "c", began, began + 4 * HOUR - 6 * MINUTE))
    assert "Max-Age=0;" in used
    assert sessions.read(jar(used)) is not None
    now[0] += 0.5
    assert sessions.read(jar(used)) is None


def test_a_session_is_renewed_when_it_is_five_minutes_old(sessions: Sessions, now: list[float]) -> None:
    session = read(sessions, sessions.begin(ADA))
    now[0] += 5 * MINUTE
    assert sessions.renewal(session) == ""
    now[0] += 0.5
    assert "Max-Age=1800;" in sessions.renewal(session)
    assert "Max-Age=0;" in sessions.renewal(Session("a", "A", [], "c", now[0] - 5 * HOUR, now[0] - HOUR))


def test_a_sign_in_has_ten_minutes(sessions: Sessions, now: list[float]) -> None:
    cookie = sessions.wait({}, "/")
    assert "Max-Age=600;" in cookie
    now[0] += 10 * MINUTE
    assert sessions.awaited(jar(cookie)) is not None
    now[0] += 0.5
    assert sessions.awaited(jar(cookie)) is None


def test_without_https_the_cookie_has_no_prefix_that_browsers_would_refuse(vault: MemoryVault) -> None:
    plain = Sessions(Seal(vault, "session-key"), secure=False)
    cookie = plain.begin(ADA)
    assert cookie.startswith("segment-exports=")
    assert cookie.endswith("; HttpOnly; SameSite=Lax")
    assert ending(Sessions(Seal(vault, "session-key"), secure=True)) == "__Host-segment-exports="


def ending(sessions: Sessions) -> str:
    """How the cookie that ends a session begins."""
    cookie = sessions.end()
    assert cookie.endswith("=; Path=/; Max-Age=0; HttpOnly; SameSite=Lax; Secure")
    return cookie.partition(";")[0]


def test_the_roles_stand_in_one_order_and_each_session_has_a_token_of_its_own(sessions: Sessions) -> None:
    first, second = (read(sessions, sessions.begin(ADA)) for _ in range(2))
    assert first.roles == ["Administrator", "Viewer"]
    assert first.csrf != second.csrf
    assert len(first.csrf) == 32


def test_an_ended_session_stays_ended_and_others_go_on(sessions: Sessions, now: list[float]) -> None:
    ended, other = sessions.begin(ADA), sessions.begin(ADA)
    sessions.forget(jar(ended))
    assert sessions.read(jar(ended)) is None
    assert sessions.read(jar(other)) is not None
    sessions.forget({})
    now[0] += 4 * HOUR
    sessions.forget({})
    assert len(sessions._ended) == 1, "its cookie could still be read"
    now[0] += 0.5
    sessions.forget({})
    assert not sessions._ended, "what is over by itself is not kept in memory"


def test_a_new_key_is_looked_for_once_a_minute(vault: MemoryVault, now: list[float]) -> None:
    seal, other = (Seal(vault, "session-key", lambda: now[0]) for _ in range(2))
    seal.seal(b"x")
    found: list[bytes | None] = []
    stale = vault.get

    def get(name: str, *, fresh: bool = False) -> str:
        return stale(name) if fresh else OLD

    vault.get = get  # type: ignore[method-assign]  # what is remembered goes stale
    assert seal.open("unknown.x") is None
    vault.secrets["session-key"] = f"{NEW} {OLD}"
    del vault.__dict__["get"]
    sealed = other.seal(b"theirs")
    vault.get = get  # type: ignore[method-assign]
    for seconds in (0.0, 59.5, 0.5):
        now[0] += seconds
        found.append(seal.open(sealed))
    assert found == [None, None, b"theirs"]


def test_a_key_has_thirty_two_characters_at_least(vault: MemoryVault) -> None:
    vault.secrets["session-key"] = "k" * 31
    with pytest.raises(UserMustAct) as raised:
        Seal(vault, "session-key").seal(b"x")
    assert raised.value.code == "session_key_weak"
    vault.secrets["session-key"] = "k" * 32
    assert Seal(vault, "session-key").open(Seal(vault, "session-key").seal(b"x")) == b"x"


def test_a_key_is_named_by_eight_letters_and_made_of_sixty_four(vault: MemoryVault) -> None:
    vault.secrets.clear()
    waited: list[float] = []
    sealed = Seal(vault, "session-key", pause=waited.append).seal(b"x")
    assert len(sealed.partition(".")[0]) == 8
    assert len(vault.secrets["session-key"]) == 64
    assert waited == [2.0], "longer than another instance takes to write its own"


def test_another_trouble_of_the_vault_is_told_and_makes_no_key(vault: MemoryVault) -> None:
    def get(name: str, *, fresh: bool = False) -> str:
        raise UserMustAct("secret_forbidden", "The app may not read secrets.")

    vault.get = get  # type: ignore[method-assign]
    with pytest.raises(UserMustAct, match="may not read"):
        Seal(vault, "session-key").seal(b"x")
    assert vault.secrets == {"session-key": OLD}
