"""Programs with a token of Microsoft Entra ID: one of this tenant, for this app, whole and in time, is believed."""

from __future__ import annotations

import base64
import hmac
import json
import re
import time
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization

from dev.identity import IdentityProvider
from dev.identity.signing import SigningKeys
from shared.access.signing_in import LIMIT
from shared.access.tokens import AT_MOST_EVERY_SECONDS, KEPT_SECONDS, PublishedKeys
from shared.cloud.outage import SECONDS as FAILED_SECONDS
from shared.errors import RetryAfter
from tests.unit.access.browser import Browser
from tests.unit.api.asgi import Answer

ME = "/api/v1/me"


def ask(browser: Browser, token: str, path: str = ME, **options: Any) -> Answer:
    return browser.send("GET", path, headers={"authorization": f"Bearer {token}"}, **options)


def test_a_program_is_known_by_its_token(browser: Browser, identity: IdentityProvider) -> None:
    me = ask(browser, identity.access_token("Contributor")).json
    assert (me["how"], me["roles"]) == ("bearer", ["Contributor"])
    assert me["name"] == "app 77777777-0000-4000-8000-000000000001"


def test_a_person_may_use_a_program(browser: Browser, identity: IdentityProvider) -> None:
    token = identity.access_token(
        "Viewer", name="Vera Viewer", scp="access", aud=f"api://{identity.registration.client_id}"
    )
    assert ask(browser, token).json["name"] == "Vera Viewer"


def test_a_token_needs_no_page_and_no_csrf_token(browser: Browser, identity: IdentityProvider) -> None:
    headers = {"authorization": f"Bearer {identity.access_token('Administrator')}"}
    assert browser.send("POST", "/api/v1/connections/marketing/check", headers=headers).status == 200


def test_a_token_without_roles_lets_in_to_nothing(browser: Browser, identity: IdentityProvider) -> None:
    assert ask(browser, identity.access_token(), "/api/v1/exports").status == 403
    assert ask(browser, identity.access_token("Owner"), "/api/v1/exports").status == 403


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": "somebody-else"},
        {"iss": "https://login.microsoftonline.com/other/v2.0"},
        {"exp": time.time() - 120},
        {"nbf": time.time() + 86_400},
        {"exp": None},
        {"iat": None},
        {"sub": None},
        {"azp": None},
        {"nonce": "of-an-id-token"},
    ],
    ids=" ".join,
)
def test_a_token_that_is_not_for_us_or_not_now_is_refused(
    browser: Browser, identity: IdentityProvider, claims: dict[str, Any]
) -> None:
    answer = ask(browser, identity.access_token("Administrator", **claims))
    assert (answer.status, answer.json["code"]) == (401, "sign_in_needed")


def test_a_token_signed_by_somebody_else_is_refused(browser: Browser, identity: IdentityProvider) -> None:
    token = identity.access_token("Administrator")
    claims, kid = jwt.decode(token, options={"verify_signature": False}), jwt.get_unverified_header(token)["kid"]
    assert ask(browser, SigningKeys().sign(claims, kid=kid)).status == 401
    header, payload, signature = token.split(".")
    assert ask(browser, f"{header}.{payload}.{signature[:-8]}AAAAAAAA").status == 401


def base64url(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def encoded(part: dict[str, Any]) -> str:
    return base64url(json.dumps(part).encode())


def test_no_other_algorithm_is_taken(browser: Browser, identity: IdentityProvider) -> None:
    token = identity.access_token("Administrator")
    claims, kid = jwt.decode(token, options={"verify_signature": False}), jwt.get_unverified_header(token)["kid"]
    unsigned = jwt.encode(claims, "", algorithm="none", headers={"kid": kid})
    public = jwt.PyJWK(identity.keys.published()["keys"][0], "RS256").key
    pem = public.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    signed = f"{encoded({'alg': 'HS256', 'kid': kid})}.{encoded(claims)}"
    confused = f"{signed}.{base64url(hmac.digest(pem, signed.encode(), 'sha256'))}"
    assert ask(browser, unsigned).status == ask(browser, confused).status == 401


@pytest.mark.parametrize("header", ["Bearer", "Bearer x", "Bearer a.b.c", "Basic YTpi", "bearer  ", "Bearer ä"])
def test_what_is_no_token_is_refused(browser: Browser, header: str) -> None:
    assert browser.get(ME, headers={"authorization": header}).status == 401


def test_keys_may_rotate(browser: Browser, identity: IdentityProvider, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.access.tokens.AT_MOST_EVERY_SECONDS", 0)
    before = identity.access_token("Viewer")
    assert ask(browser, before).status == 200
    identity.keys.rotate()
    assert ask(browser, identity.access_token("Viewer")).status == 200
    assert ask(browser, before).status == 200
    identity.keys.forget_old()
    identity.keys.rotate()
    assert ask(browser, identity.access_token("Viewer")).status == 200
    assert ask(browser, before).status == 401


def test_unknown_keys_make_nobody_ask_the_provider_without_end(browser: Browser, identity: IdentityProvider) -> None:
    assert ask(browser, identity.access_token("Viewer")).status == 200
    asked = identity.requests.count("GET /keys")
    for number in range(LIMIT):
        ask(browser, identity.access_token("Viewer", header={"kid": f"unknown-{number}"}))
    assert identity.requests.count("GET /keys") == asked


def test_a_token_under_another_scheme_is_none(browser: Browser, identity: IdentityProvider) -> None:
    header = f"Basic {identity.access_token('Viewer')}"
    assert browser.get(ME, headers={"authorization": header}).status == 401


def test_why_a_token_is_not_accepted_is_told(browser: Browser, caplog: pytest.LogCaptureFixture) -> None:
    answer = ask(browser, "x").json
    assert answer["code"] == "sign_in_needed"
    said = re.fullmatch(r"The bearer token is not accepted \((.+)\)\.", answer["detail"])
    assert said
    assert f"A sign-in failed: bearer token, {said[1]}." in caplog.text


def test_bad_tokens_are_limited(browser: Browser, identity: IdentityProvider) -> None:
    for _ in range(LIMIT):
        assert ask(browser, "x").status == 401
    assert ask(browser, "x").status == 429
    assert ask(browser, identity.access_token("Viewer")).status == 200, "a good token is looked at first"


def test_a_token_that_was_good_once_is_no_guess(browser: Browser, identity: IdentityProvider) -> None:
    for _ in range(2 * LIMIT):
        assert ask(browser, identity.access_token("Viewer", exp=1_000_000_000)).status == 401
    assert ask(browser, "x").status == 401


def published() -> dict[str, Any]:
    return SigningKeys().published()


def test_keys_are_asked_for_once_a_day_and_for_new_ones_once_a_minute() -> None:
    now, fetched = [0.0], []
    document = published()

    def fetch() -> Any:
        fetched.append(now[0])
        return document

    keys = PublishedKeys(fetch, lambda: now[0])
    known = document["keys"][0]["kid"]
    assert keys.get(known) and keys.get(known) and not keys.get("new")
    assert len(fetched) == 1
    now[0] += AT_MOST_EVERY_SECONDS
    assert not keys.get("new") and len(fetched) == 2
    now[0] += KEPT_SECONDS
    assert keys.get(known) and len(fetched) == 3


def test_known_keys_stay_good_while_the_provider_is_down() -> None:
    now, document = [0.0], published()
    answers: list[Any] = [document]

    def fetch() -> Any:
        if not answers:
            raise RetryAfter(30, "It does not answer.")
        return answers.pop()

    keys = PublishedKeys(fetch, lambda: now[0])
    known = document["keys"][0]["kid"]
    assert keys.get(known)
    now[0] += KEPT_SECONDS
    assert keys.get(known)
    with pytest.raises(RetryAfter):
        PublishedKeys(fetch, lambda: now[0]).get(known)


def test_a_provider_that_does_not_answer_is_asked_again_after_half_a_minute() -> None:
    clock, asked = [0.0], []

    def fetch() -> Any:
        asked.append(clock[0])
        raise RetryAfter(30, "The sign-in provider does not answer.")

    keys = PublishedKeys(fetch, lambda: clock[0])
    for clock[0] in (0.0, 1.0, FAILED_SECONDS - 1, FAILED_SECONDS):
        with pytest.raises(RetryAfter):
            keys.get("a")
    assert asked == [0.0, FAILED_SECONDS]


def test_only_signing_keys_are_taken() -> None:
    [key] = published()["keys"]
    others = [{**key, "kid": "e", "use": "enc"}, {"kty": "oct", "k": "AAAA", "kid": "s"}, {**key, "kid": None}]
    keys = PublishedKeys(lambda: {"keys": [key, *others]})
    assert keys.get(key["kid"])
    assert not any(keys.get(name) for name in ("e", "s", "None", ""))
