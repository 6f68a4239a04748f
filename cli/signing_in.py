"""Who asks: a bearer token of Microsoft Entra ID, or nobody (an app on this machine).

As a `requests` authenticator in either case, since without one a `.netrc` would have its say.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping

from requests import PreparedRequest
from requests.auth import AuthBase

from cli.failures import Exit, Failure

_EARLY_SECONDS = 300
HOW = (
    "Set SEGMENT_EXPORTS_CLIENT_ID to the client id of the app's registration and sign in to Azure (az login), or set "
    "SEGMENT_EXPORTS_TOKEN to an access token."
)


class Nobody(AuthBase):
    """Sends no sign-in at all."""

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        return request


class Bearer(AuthBase):
    """Sends the token that `token` gives."""

    def __init__(self, token: Callable[[], str]) -> None:
        self._token = token

    def __call__(self, request: PreparedRequest) -> PreparedRequest:
        request.headers["Authorization"] = f"Bearer {self._token()}"
        return request


def sign_in(environment: Mapping[str, str], client_id: str) -> AuthBase:
    """A token that is at hand, or Entra's for the registration `client_id`, or nobody."""
    if token := environment.get("SEGMENT_EXPORTS_TOKEN", "").strip():
        return Bearer(lambda: token)
    return Bearer(_Entra(client_id)) if client_id else Nobody()


class _Entra:
    """Tokens from azure-identity, which knows az, managed identities, workload identities and service principals."""

    def __init__(self, client_id: str) -> None:
        self._scope = f"api://{client_id}/.default"
        self._token, self._until = "", 0.0

    def __call__(self) -> str:
        if time.time() > self._until - _EARLY_SECONDS:
            self._token, self._until = self._ask()
        return self._token

    def _ask(self) -> tuple[str, float]:
        try:
            from azure.core.exceptions import ClientAuthenticationError
            from azure.identity import DefaultAzureCredential
        except ModuleNotFoundError:
            raise _refused("The library azure-identity is missing: pip install azure-identity.") from None
        # It says again in the log what it raises.
        logging.getLogger("azure").addHandler(logging.NullHandler())
        try:
            found = DefaultAzureCredential().get_token(self._scope)
        except (ClientAuthenticationError, ValueError) as error:
            raise _refused(f"Microsoft Entra ID gave no token. {error}") from None
        return found.token, found.expires_on


def _refused(message: str) -> Failure:
    return Failure("sign_in_failed", message, exit_status=Exit.NOT_ALLOWED)
