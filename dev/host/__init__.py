"""The function app on one machine: Azurite, a Key Vault stand-in, and Microsoft's worker library with a small host."""

from __future__ import annotations

from dev.host.azurite import Azurite, AzuriteError
from dev.host.client import FunctionFailed, HostClient, Status
from dev.host.host_process import HostError, HostProcess
from dev.host.key_vault import FORBIDDEN, THROTTLED, KeyVault
from dev.host.local_host import LocalHost
from dev.host.services import LocalServices
from dev.host.settings import SettingsError
from dev.host.worker import AppError

__all__ = [
    "FORBIDDEN",
    "THROTTLED",
    "AppError",
    "Azurite",
    "AzuriteError",
    "FunctionFailed",
    "HostClient",
    "HostError",
    "HostProcess",
    "KeyVault",
    "LocalHost",
    "LocalServices",
    "SettingsError",
    "Status",
]
