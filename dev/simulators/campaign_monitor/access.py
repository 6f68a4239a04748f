"""Who calls, and may they: API keys, access tokens, permissions (contract section 1)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping

from dev.simulators.campaign_monitor.answers import refused
from dev.simulators.campaign_monitor.oauth import Tokens
from dev.simulators.campaign_monitor.settings import PERMISSIONS, Settings
from dev.simulators.common.vendor import Answer, Call

READS = "reads"  # in place of the permission that reading people takes, which a setting names


def account_of(call: Call, settings: Settings, tokens: Tokens, needed: Mapping[str, str], now: float) -> str | Answer:
    """The account, or the one client, that the call's credentials belong to, or the refusal.

    `needed` is endpoint -> permission; a call may do what is not in it with any credentials.
    """
    scheme, _, rest = call.headers.get("authorization", "").partition(" ")
    match scheme.lower():
        case "basic":
            return _by_key(rest, settings)
        case "bearer":
            grant = tokens.grant_of(rest.strip(), now)
            if isinstance(grant, int):
                return refused(grant)
            return grant.account if _allowed(call, grant.permissions, settings, needed) else refused(60)
    return refused(50)


def _by_key(credentials: str, settings: Settings) -> str | Answer:
    try:
        name = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return refused(50)
    key = settings.keys.get(name)
    return refused(100) if key is None else key.client or key.account


def _allowed(call: Call, granted: frozenset[str], settings: Settings, needed: Mapping[str, str]) -> bool:
    permission = needed.get(call.endpoint)
    if permission == READS:
        permission = settings.reads_permission
    return permission is None or permission in granted & PERMISSIONS
