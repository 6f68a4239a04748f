"""Dotdigital, simulated from its published contract.

with serve(Simulator(Dotdigital())) as simulator:
    requests.get(f"{simulator.url}/r1/v2/account-info", auth=(USER_R1, PASSWORD))
"""

from dev.simulators.dotdigital.settings import ACCOUNT, PASSWORD, USER_R1, USER_R2, USER_R3, ApiUser, Settings
from dev.simulators.dotdigital.vendor import Dotdigital

__all__ = ["ACCOUNT", "PASSWORD", "USER_R1", "USER_R2", "USER_R3", "ApiUser", "Dotdigital", "Settings"]
