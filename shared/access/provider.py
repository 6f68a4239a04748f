"""The sign-in itself (authorization code, PKCE, state, nonce), by msal; and what the provider publishes."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from functools import cached_property, partial
from threading import Lock
from typing import TYPE_CHECKING, Any

import requests

from shared.access.sealing import Vault
from shared.access.settings import SignInSettings
from shared.errors import RetryAfter
from shared.wording import say

if TYPE_CHECKING:
    import msal  # type: ignore[import-untyped]  # it has no types

CALLBACK = "/auth/callback"
TIMEOUT = (10, 30)


class SignInFailed(Exception):
    """The provider, or what came back from it, says no; the message is the provider's word, such as access_denied."""


class Provider:
    """One OpenID provider, asked on first use."""

    def __init__(self, settings: SignInSettings, vault: Vault) -> None:
        self._settings = settings
        self._vault = vault
        self._http = _session(settings)
        self._client: tuple[str, Any] = ("", None)
        self._lock = Lock()

    def begin(self) -> dict[str, Any]:
        """A flow to be kept until the answer comes; `auth_uri` is where the person goes."""
        client = self._msal()
        with warnings.catch_warnings():
            # msal would rather have the code posted, but no SameSite=Lax cookie comes along with a foreign page's form;
            # a code in an address is worth nothing without PKCE's verifier, and the address is left at once.
            warnings.simplefilter("ignore", UserWarning)
            flow: dict[str, Any] = client.initiate_auth_code_flow([], redirect_uri=self._settings.origin + CALLBACK)
        return flow

    def complete(self, flow: dict[str, Any], answer: Mapping[str, str]) -> str:
        """The id token for the code that came back. Raises SignInFailed."""
        try:
            result = self._msal().acquire_token_by_auth_code_flow(flow, dict(answer))
        except (ValueError, RuntimeError):
            # Another state, or an id token that msal itself does not take; its words hold claims.
            raise SignInFailed("not the answer to this request") from None
        except requests.RequestException as error:
            raise RetryAfter(
                30, say("The sign-in provider does not answer (%(error)s).", error=type(error).__name__)
            ) from None
        if "id_token" not in result:
            raise SignInFailed(str(result.get("error", "no id token"))[:60])
        return str(result["id_token"])

    def keys(self) -> Any:
        """The JWKS document. Raises RetryAfter."""
        return self._get(self._metadata["jwks_uri"])

    @property
    def sign_out_url(self) -> str:
        """Where the session at the provider ends; empty where it offers that not, or does not answer."""
        try:
            return str(self._metadata.get("end_session_endpoint", ""))
        except RetryAfter:
            return ""

    @cached_property
    def _metadata(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._get(f"{self._settings.issuer}/.well-known/openid-configuration")
        if found.get("issuer") != self._settings.issuer:
            raise RetryAfter(300, say("The sign-in provider names another issuer than the app setting SIGN_IN_ISSUER."))
        return found

    def _get(self, url: str) -> Any:
        try:
            answer = self._http.get(url, allow_redirects=False)
            answer.raise_for_status()
            return answer.json()
        except requests.RequestException as error:
            raise RetryAfter(
                30, say("The sign-in provider does not answer (%(error)s).", error=type(error).__name__)
            ) from None

    def _msal(self) -> msal.ConfidentialClientApplication:
        """Made anew when the client secret is rotated."""
        secret = self._vault.get(self._settings.secret)
        with self._lock:
            if self._client[0] != secret:
                self._client = (secret, _application(self._settings, secret, self._http))
            return self._client[1]


def _session(settings: SignInSettings) -> requests.Session:
    session = requests.Session()
    if settings.certificate:
        # One machine only; the environment's own certificates would replace this one.
        session.verify, session.trust_env = str(settings.certificate), False
    session.request = partial(session.request, timeout=TIMEOUT)  # type: ignore[method-assign]  # as msal itself does
    return session


def _application(settings: SignInSettings, secret: str, http: requests.Session) -> msal.ConfidentialClientApplication:
    import msal

    cache = msal.TokenCache()
    # People's tokens are used once and kept nowhere.
    cache.add = lambda *_, **__: None
    try:
        return msal.ConfidentialClientApplication(
            settings.client_id,
            client_credential=secret,
            oidc_authority=settings.issuer,
            exclude_scopes=["offline_access"],
            token_cache=cache,
            http_client=http,
        )
    except (ValueError, requests.RequestException) as error:
        raise RetryAfter(
            30, say("The sign-in provider cannot be used (%(error)s).", error=type(error).__name__)
        ) from None
