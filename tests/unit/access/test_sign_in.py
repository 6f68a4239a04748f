"""Signing in and out, against a provider that checks what it is sent."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from dev.identity import IdentityProvider
from dev.identity.signing import SigningKeys
from shared.access.signing_in import LIMIT, Failures, SigningIn
from shared.access.visitors import TooManyFailures
from shared.web.sign_in import LONGEST_FOLLOWING
from tests.unit.access.browser import HTML, Browser

ME = "/api/v1/me"


def test_a_person_signs_in_and_is_known(browser: Browser) -> None:
    assert browser.get(ME).status == 401
    back = browser.sign_in(following="/api/docs?x=1")
    assert (back.status, back.headers["location"]) == (303, "/api/docs?x=1")
    me = browser.get(ME).json
    assert (me["name"], me["roles"], me["how"]) == ("Ada Administrator", ["Administrator"], "session")


@pytest.mark.parametrize("role", ["Administrator", "Contributor", "Viewer"])
def test_roles_come_from_the_token(browser: Browser, role: str) -> None:
    browser.sign_in("Nora Nobody", role)
    assert browser.get(ME).json["roles"] == [role]


def test_who_has_no_role_does_not_come_in_and_reads_why(browser: Browser) -> None:
    answer = browser.get(browser.choose(browser.begin(), "Nora Nobody"))
    assert answer.status == 403
    assert b"no role" in answer.body
    assert browser.get(ME).status == 401


def test_a_page_leads_to_sign_in_and_back(browser: Browser) -> None:
    answer = browser.get("/api/docs?a=b", headers=HTML)
    assert (answer.status, answer.headers["location"]) == (303, "/auth/login?next=%2Fapi%2Fdocs%3Fa%3Db")
    assert browser.get(ME, headers=HTML).status == 401


def test_a_part_of_a_page_has_the_whole_page_go_and_sign_in(browser: Browser) -> None:
    headers = {"hx-request": "true", "hx-current-url": "https://exports.example/exports?q=1"}
    answer = browser.get("/api/docs", headers=headers)
    assert (answer.status, answer.headers["hx-redirect"]) == (401, "/auth/login?next=%2Fexports")
    odd = browser.send("GET", "/", headers=headers | {"hx-current-url": "https://["})
    assert (odd.status, odd.headers["hx-redirect"]) == (401, "/auth/login?next=%2F")


def test_the_api_says_401_in_its_own_way(browser: Browser) -> None:
    answer = browser.send("PUT", "/api/v1/exports/a", body={})
    assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
    assert (answer.json["code"], answer.headers["www-authenticate"]) == ("sign_in_needed", "Bearer")


def test_the_request_to_the_provider_has_all_that_protects_it(browser: Browser) -> None:
    asked = browser.begin()
    assert (asked["response_type"], asked["code_challenge_method"]) == ("code", "S256")
    assert asked["redirect_uri"] == "https://exports.example/auth/callback"
    assert len(asked["state"]) > 10 and len(asked["nonce"]) > 10 and len(asked["code_challenge"]) > 40
    assert "offline_access" not in asked["scope"]


def test_a_code_of_another_sign_in_is_refused(browser: Browser, identity: IdentityProvider) -> None:
    """Its PKCE challenge is not the one that this browser's verifier answers."""
    mine, stranger = browser.begin(), Browser(browser.client, identity)
    code = stranger.choose(stranger.begin(), "Vera Viewer", "Viewer").partition("code=")[2].partition("&")[0]
    answer = browser.get("/auth/callback", query={"code": code, "state": mine["state"]})
    assert answer.status == 400
    assert b"invalid_grant" in answer.body
    assert browser.get(ME).status == 401


def test_an_answer_with_another_state_is_refused(browser: Browser) -> None:
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator", state="forged")
    assert browser.get(back).status == 400
    assert browser.get(ME).status == 401


def test_a_token_for_another_request_is_refused(browser: Browser) -> None:
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator", nonce="replayed")
    assert browser.get(back).status == 400
    assert browser.get(ME).status == 401


def test_a_code_works_once(browser: Browser) -> None:
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator")
    waiting = dict(browser.cookies)
    assert browser.get(back).status == 303
    browser.cookies = waiting
    assert browser.get(back).status == 400


def test_an_answer_nobody_waits_for_is_refused(browser: Browser) -> None:
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator")
    browser.cookies.clear()
    assert browser.get(back).status == 400


def test_a_refusal_of_the_provider_is_shown(browser: Browser) -> None:
    answer = browser.get(browser.choose(browser.begin(), "nobody at all"))
    assert answer.status == 400
    assert b"access_denied" in answer.body


def test_what_comes_from_outside_is_no_html(browser: Browser) -> None:
    asked = browser.begin()
    query = {"error": "<script>alert(1)</script>", "state": asked["state"]}
    assert b"<script" not in browser.get("/auth/callback", query=query).body


@pytest.mark.parametrize(
    "following",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "\\\\evil.example", "javascript:alert(1)",
     "/x\r\nSet-Cookie: a=b", "/\t/evil.example", "", "evil"],
)  # fmt: skip
def test_nobody_is_sent_elsewhere_after_signing_in(browser: Browser, following: str) -> None:
    assert browser.sign_in(following=following).headers["location"] == "/"
    assert browser.get("/auth/login", query={"next": following}).headers["location"] == "/"


def test_signing_out_ends_the_session_here_and_at_the_provider(
    browser: Browser, identity: IdentityProvider, access: SigningIn
) -> None:
    browser.sign_in()
    session = access.sessions.read(browser.cookies)
    assert session is not None
    assert browser.send("POST", "/auth/logout").status == 403
    answer = browser.send("POST", "/auth/logout", headers={"x-csrf-token": session.csrf})
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"{identity.issuer}/logout?post_logout_redirect_uri=https%3A%2F%2F")
    assert browser.cookies == {}
    assert browser.get("/auth/signed-out").status == 200


def test_failed_sign_ins_from_one_address_are_limited(browser: Browser) -> None:
    attacker, other = {"x-forwarded-for": "forged, 203.0.113.7:50123"}, {"x-forwarded-for": "198.51.100.1"}
    for _ in range(LIMIT):
        asked = browser.begin()
        guess = {"code": "x", "state": asked["state"]}
        assert browser.get("/auth/callback", query=guess, headers=attacker).status == 400
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator")
    waiting = dict(browser.cookies)
    stopped = browser.get(back, headers=attacker | {"x-forwarded-for": "other, 203.0.113.7:50124"})
    assert stopped.status == 429
    assert 0 < int(stopped.headers["retry-after"]) <= 300
    browser.cookies = waiting
    assert browser.get(back, headers=other).status == 303


def test_answers_that_nobody_waits_for_lock_nobody_out(browser: Browser, identity: IdentityProvider) -> None:
    network = {"x-forwarded-for": "203.0.113.7"}
    for _ in range(2 * LIMIT):
        assert browser.get("/auth/callback", query={"code": "x", "state": "y"}, headers=network).status == 400
    back = browser.choose(browser.begin(), "Ada Administrator", "Administrator")
    assert browser.get(back, headers=network).status == 303


def test_an_answer_that_nobody_waits_for_leaves_a_session_alone(browser: Browser) -> None:
    browser.sign_in()
    answer = browser.get("/auth/callback", query={"code": "x", "state": "y"})
    assert (answer.status, answer.headers["location"]) == (303, "/")
    assert browser.get("/api/v1/me").status == 200


def test_a_session_does_not_work_after_signing_out(browser: Browser, access: SigningIn) -> None:
    browser.sign_in()
    kept, session = dict(browser.cookies), access.sessions.read(browser.cookies)
    assert session is not None
    browser.send("POST", "/auth/logout", headers={"x-csrf-token": session.csrf})
    browser.cookies = kept
    assert browser.get("/api/v1/me").status == 401


def test_a_long_way_back_makes_no_cookie_that_browsers_drop(browser: Browser) -> None:
    answer = browser.get("/auth/login", query={"next": "/" + "x" * 6000})
    assert len(answer.headers["set-cookie"]) < 4096
    assert browser.sign_in(following="/" + "x" * 6000).headers["location"] == "/"
    longest = "/" + "x" * (LONGEST_FOLLOWING - 1)
    assert len(browser.get("/auth/login", query={"next": longest}).headers.get("set-cookie", "")) < 4096
    browser.cookies.clear()
    assert browser.sign_in(following=longest).headers["location"] == longest


def test_behind_a_proxy_the_address_that_it_saw_is_counted() -> None:
    failures = Failures(proxies=1)
    attacker, person = ("forged, 203.0.113.7, 10.0.0.1", "198.51.100.1, 10.0.0.1")
    for _ in range(LIMIT):
        failures.count(_from(attacker))
    with pytest.raises(TooManyFailures):
        failures.check(_from(attacker))
    failures.check(_from(person))


def _from(hops: str) -> Request:
    return Request({"type": "http", "headers": [(b"x-forwarded-for", hops.encode())], "client": None})


def test_a_page_that_signs_out_by_htmx_is_told_where_to_go(browser: Browser, access: SigningIn) -> None:
    browser.sign_in()
    session = access.sessions.read(browser.cookies)
    assert session is not None
    answer = browser.send("POST", "/auth/logout", headers={"x-csrf-token": session.csrf, "hx-request": "true"})
    assert answer.status == 204
    assert answer.headers["hx-redirect"].startswith(browser.identity.issuer)
    assert browser.cookies == {}


def test_an_id_token_that_somebody_else_signed_is_refused(
    browser: Browser, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """msal believes what comes over TLS; the app does not."""
    stranger, kid = SigningKeys(), identity.keys.published()["keys"][0]["kid"]
    monkeypatch.setattr(identity.keys, "sign", lambda claims: stranger.sign(claims, kid=kid))
    assert browser.sign_in().status == 400
    assert browser.get(ME).status == 401
