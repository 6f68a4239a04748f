"""Omnisend, simulated from its published contract.

with serve(Simulator(Omnisend())) as simulator:
    headers = {"Authorization": f"Omnisend-API-Key {STANDARD_KEY}", "Omnisend-Version": VERSION}
    requests.get(f"{simulator.url}/api/brands/current", headers=headers)
"""

from dev.simulators.omnisend.settings import BRAND, CONTACTS_KEY, READING_KEY, STANDARD_KEY, VERSION, Key, Settings
from dev.simulators.omnisend.vendor import Omnisend

__all__ = ["BRAND", "CONTACTS_KEY", "READING_KEY", "STANDARD_KEY", "VERSION", "Key", "Omnisend", "Settings"]
