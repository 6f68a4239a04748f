"""An OpenID provider for this machine, shaped like Microsoft Entra ID (v2.0): pick a person and their roles."""

from __future__ import annotations

from dev.identity.server import IdentityProvider

__all__ = ["IdentityProvider"]
