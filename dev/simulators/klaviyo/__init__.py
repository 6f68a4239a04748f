"""Klaviyo, simulated from its published contract.

with serve(Simulator(Klaviyo())) as simulator:
    headers = {"Authorization": f"Klaviyo-API-Key {STANDARD_KEY}", "revision": REVISION}
    requests.get(f"{simulator.url}/api/accounts", headers=headers)
"""

from dev.simulators.klaviyo.settings import (
    ACCESS,
    ACCOUNT,
    FLOWS_KEY,
    READING_KEY,
    REVISION,
    STANDARD_KEY,
    Key,
    Settings,
)
from dev.simulators.klaviyo.vendor import Klaviyo

__all__ = ["ACCESS", "ACCOUNT", "FLOWS_KEY", "READING_KEY", "REVISION", "STANDARD_KEY", "Key", "Klaviyo", "Settings"]
