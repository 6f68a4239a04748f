"""Signs a notification the way of the Standard Webhooks specification, so that receivers need no code of ours.

| header | holds |
| --- | --- |
| `webhook-id` | the notice's id, the same however often it is sent: a receiver drops what it has seen |
| `webhook-timestamp` | when this attempt was sent, in seconds since 1970: a receiver refuses old ones |
| `webhook-signature` | `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body` |
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

from shared.errors import UserMustAct
from shared.wording import say

_ENCODED = "whsec_"


def headers(secret: str, notice_id: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The three headers. A secret of the form `whsec_…` is base64 behind that prefix, any other is taken as it is.

    Raises UserMustAct for a `whsec_` that is not base64.
    """
    signed = b".".join([notice_id.encode(), str(timestamp).encode(), body])
    digest = hmac.new(_key(secret), signed, hashlib.sha256).digest()
    return {
        "webhook-id": notice_id,
        "webhook-timestamp": str(timestamp),
        "webhook-signature": f"v1,{base64.b64encode(digest).decode()}",
    }


def _key(secret: str) -> bytes:
    if not secret.startswith(_ENCODED):
        return secret.encode()
    try:
        return base64.b64decode(secret.removeprefix(_ENCODED), validate=True)
    except binascii.Error:
        raise UserMustAct(
            "bad_signing_secret", say("The signing secret begins with whsec_ and is not base64.")
        ) from None
