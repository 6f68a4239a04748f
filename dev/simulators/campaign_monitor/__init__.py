"""Campaign Monitor, simulated from its published contract.

with serve(Simulator(CampaignMonitor())) as simulator:
    requests.get(f"{simulator.url}/api/v3.3/clients.json", auth=(ACCOUNT_KEY, "x"))
"""

from dev.simulators.campaign_monitor.settings import (
    ACCESS_TOKEN,
    ACCOUNT,
    ACCOUNT_KEY,
    APPLICATION,
    APPLICATION_SECRET,
    CLIENT,
    CLIENT_KEY,
    OTHER_CLIENT,
    OTHER_KEY,
    OUTLET_CLIENT,
    REFRESH_TOKEN,
    Application,
    ClientSettings,
    Key,
    Settings,
)
from dev.simulators.campaign_monitor.vendor import CampaignMonitor

__all__ = [
    "ACCESS_TOKEN",
    "ACCOUNT",
    "ACCOUNT_KEY",
    "APPLICATION",
    "APPLICATION_SECRET",
    "CLIENT",
    "CLIENT_KEY",
    "OTHER_CLIENT",
    "OTHER_KEY",
    "OUTLET_CLIENT",
    "REFRESH_TOKEN",
    "Application",
    "CampaignMonitor",
    "ClientSettings",
    "Key",
    "Settings",
]
