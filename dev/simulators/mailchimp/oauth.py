"""OAuth on the login host: a code, a token that never expires, and where it belongs (contract section 1)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from urllib.parse import parse_qsl, urlencode

from dev.simulators.common.vendor import Answer, Call, json_answer
from dev.simulators.mailchimp.settings import Key, Settings

AUTHORIZE, TOKEN, METADATA = "/oauth2/authorize", "/oauth2/token", "/oauth2/metadata"
_FORM = "application/x-www-form-urlencoded"
_SCHEME = "OAuth "


class Desk:
    """The codes that are about; each opens once. Whoever is asked at `AUTHORIZE` says yes."""

    def __init__(self) -> None:
        self.exchanges = 0
        self._codes: dict[str, tuple[str, str]] = {}

    def authorize(self, call: Call, settings: Settings) -> Answer:
        """There are neither scopes nor PKCE."""
        given = call.query
        client, back = given.get("client_id", ""), given.get("redirect_uri", "")
        if given.get("response_type") != "code" or client not in settings.applications or not back:
            return _refused("invalid_request")
        code = secrets.token_hex(16)
        self._codes[code] = (client, back)
        query = {"code": code, **({"state": given["state"]} if "state" in given else {})}
        joint = "&" if "?" in back else "?"
        return Answer(302, b"", headers=(("location", f"{back}{joint}{urlencode(query)}"),))

    def exchange(self, call: Call, settings: Settings) -> Answer:
        """`expires_in` is 0, which means never; there is nothing to refresh."""
        if not call.headers.get("content-type", "").startswith(_FORM):
            return _refused("invalid_request")
        form: Mapping[str, str] = dict(parse_qsl(call.body.decode("latin-1"), keep_blank_values=True))
        application = settings.applications.get(form.get("client_id", ""))
        if application is None or application.secret != form.get("client_secret"):
            return _refused("invalid_client")
        if form.get("grant_type") != "authorization_code":
            return _refused("unsupported_grant_type")
        if self._codes.pop(form.get("code", ""), None) != (form.get("client_id"), form.get("redirect_uri")):
            return _refused("invalid_grant")
        self.exchanges += 1
        token = secrets.token_hex(16)
        settings.tokens = {**settings.tokens, token: application.grants}
        return json_answer({"access_token": token, "expires_in": 0, "scope": None})

    def metadata(self, call: Call, settings: Settings) -> Answer:
        """A bad token is told with 200."""
        given = call.headers.get("authorization", "")
        key: Key | None = settings.tokens.get(given.removeprefix(_SCHEME)) if given.startswith(_SCHEME) else None
        if key is None or key.disabled:
            return json_answer({"error": "invalid_token"})
        return json_answer(
            {
                "dc": key.data_centre,
                "role": key.role,
                "accountname": "Contoso Coffee",
                "login": {"email": "hello@contoso.example"},
                "login_url": "https://login.mailchimp.com",
                "api_endpoint": f"https://{key.data_centre}.api.mailchimp.com",
            }
        )


def _refused(error: str) -> Answer:
    return json_answer({"error": error}, 400)
