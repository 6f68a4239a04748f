"""Which access a deployment has: people sign in, or it is one machine, or nobody comes in."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from shared.access.sealing import Vault
from shared.access.settings import from_environment, on_one_machine
from shared.access.visitors import Access, LocalAccess, NoAccess

_log = logging.getLogger(__name__)


def choose(environment: Mapping[str, str], vault: Vault) -> Access:
    """Never raises: a deployment whose sign-in is configured wrongly is closed, and the log says why."""
    try:
        settings = from_environment(environment)
    except ValueError as error:
        _log.error("Nobody is let in. %s", error)
        return NoAccess()
    if settings:
        from shared.access.signing_in import SigningIn

        return SigningIn(settings, vault)
    return LocalAccess() if on_one_machine(environment) else NoAccess()
