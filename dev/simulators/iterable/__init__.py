"""Iterable, simulated from its published contract.

with serve(Simulator(Iterable())) as simulator:
    requests.get(f"{simulator.url}/api/lists", headers={"Api-Key": STANDARD_KEY})
"""

from dev.simulators.iterable.settings import EU_KEY, MOBILE_KEY, PROJECT, STANDARD_KEY, Key, Settings
from dev.simulators.iterable.vendor import Iterable

__all__ = ["EU_KEY", "MOBILE_KEY", "PROJECT", "STANDARD_KEY", "Iterable", "Key", "Settings"]
