"""A connection by sign-in: which refusals are mended by a newer token, and what the others mean."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import pytest

from shared.errors import UserMustAct
from shared.vendors.campaign_monitor.definition import DEFINITION
from shared.vendors.contract import CheckResult
from shared.vendors.tokens import Pair, kept
from tests.unit.vendors.campaign_monitor.account import CLIENT, LIST, error, linked
from tests.unit.vendors.loopback import Reply, Seen, reply, serving

LISTS = reply([{"ListID": LIST, "Name": "Loyal"}])


@dataclass
class SignIn:
    """The credentials of a connection that somebody signed in."""

    value: str = field(default_factory=Pair("a+1==", "r+1==").secret)

    def has(self, name: str) -> bool:
        return name == "oauth_tokens"

    def get(self, name: str, *, fresh: bool = False) -> str:
        assert name == "oauth_tokens"
        return self.value

    def put(self, name: str, value: str) -> None:
        self.value = value

    @contextlib.contextmanager
    def alone(self, name: str) -> Iterator[None]:
        yield


@dataclass
class Service:
    """Answers `refusal` to the first access token; `renewal` is what the token endpoint answers."""

    refusal: Reply
    renewal: Reply = field(default_factory=lambda: reply({"access_token": "a+2==", "refresh_token": "r+2=="}))

    def __call__(self, seen: Seen) -> Reply:
        if seen.path == "/oauth/token":
            assert dict(parse_qsl(seen.body.decode())) == {"grant_type": "refresh_token", "refresh_token": "r+1=="}
            return self.renewal
        assert seen.path == f"/api/v3.3/clients/{CLIENT}/lists.json"
        return self.refusal if seen.headers["authorization"] == "Bearer a+1==" else LISTS


def check(service: Service, sign_in: SignIn) -> tuple[CheckResult, list[str]]:
    with serving(service) as server:
        vendor, _, link = linked(server.url, sign_in, {})
        found = vendor.check()
        link.transport.close()  # type: ignore[attr-defined]  # the default transport
        return found, [seen.path for seen in server.seen]


def test_a_token_that_is_taken_is_all_it_needs() -> None:
    found, paths = check(Service(LISTS), SignIn())
    assert (found.ok, len(paths)) == (True, 1)


@pytest.mark.parametrize("code", [120, 121, 122])
def test_a_token_that_is_not_taken_is_renewed_once(code: int) -> None:
    sign_in = SignIn()
    found, paths = check(Service(error(code, status=401)), sign_in)
    assert (found.ok, found.account, paths.count("/oauth/token")) == (True, f"campaign-monitor-{CLIENT}", 1)
    assert kept(sign_in.value, "x") == Pair("a+2==", "r+2==")


@pytest.mark.parametrize(
    ("code", "status", "meaning"),
    [
        (60, 401, "forbidden"),
        (102, 401, "client_unknown"),
        (403, 403, "forbidden"),
        (100, 401, "bad_credentials"),
        (77, 401, "forbidden"),
    ],
)
def test_what_is_not_about_the_token_renews_nothing(code: int, status: int, meaning: str) -> None:
    class Elsewhere(Service):
        def __call__(self, seen: Seen) -> Reply:
            return reply([]) if seen.path == "/api/v3.3/clients.json" else super().__call__(seen)

    sign_in = SignIn()
    found, paths = check(Elsewhere(error(code, status=status)), sign_in)
    assert (found.ok, found.code) == (False, meaning)
    assert "/oauth/token" not in paths


@pytest.mark.parametrize("status", [200, 400, 401])
def test_a_sign_in_that_was_revoked_is_said_in_words(status: int) -> None:
    gone = reply({"error": "invalid_grant", "error_description": "Specified code was invalid or expired"}, status)
    found, _ = check(Service(error(122, status=401), gone), SignIn())
    assert (found.ok, found.code) == (False, "authenticate_again")
    assert "choose 'Authenticate with Campaign Monitor' on the connection" in found.message


def test_a_new_token_that_is_refused_too_ends_it() -> None:
    class Stubborn(Service):
        def __call__(self, seen: Seen) -> Reply:
            return self.renewal if seen.path == "/oauth/token" else self.refusal

    found, paths = check(Stubborn(error(121, status=401)), SignIn())
    assert (found.code, paths.count("/oauth/token")) == ("authenticate_again", 1)


def test_a_secret_that_holds_no_tokens_is_not_sent() -> None:
    found, paths = check(Service(LISTS), SignIn("9f1b2c3d4e5f60718293a4b5c6d7e8f9"))
    assert (found.code, paths) == ("authenticate_again", [])


def test_a_connection_without_any_credential_says_what_to_do() -> None:
    class Nothing(SignIn):
        def has(self, name: str) -> bool:
            return False

        def get(self, name: str, *, fresh: bool = False) -> str:
            raise UserMustAct("secret_unnamed", "The connection has no credential yet.")

    found, paths = check(Service(LISTS), Nothing())
    assert (found.code, paths) == ("secret_unnamed", [])


def test_what_is_asked_for_is_what_exports_need() -> None:
    assert DEFINITION.oauth is not None
    assert set(DEFINITION.oauth.scopes) == {"ManageLists", "ImportSubscribers", "ViewSubscribersInReports"}
    assert DEFINITION.oauth.credential in {each.name for each in DEFINITION.credentials}
    assert DEFINITION.oauth.host in DEFINITION.hosts
