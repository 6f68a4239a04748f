"""Mailchimp's Marketing API 3.0, simulated from its published contract.

with serve(Simulator(Mailchimp())) as simulator:
    requests.get(f"{simulator.url}/us6/3.0/lists/{AUDIENCE}", auth=("any", STANDARD_KEY))
"""

from dev.simulators.mailchimp.settings import (
    ACCESS,
    ACCOUNT,
    AUDIENCE,
    OTHER_KEY,
    STANDARD_KEY,
    VIEWER_KEY,
    Application,
    Key,
    Settings,
)
from dev.simulators.mailchimp.vendor import Mailchimp

__all__ = [
    "ACCESS",
    "ACCOUNT",
    "AUDIENCE",
    "OTHER_KEY",
    "STANDARD_KEY",
    "VIEWER_KEY",
    "Application",
    "Key",
    "Mailchimp",
    "Settings",
]
