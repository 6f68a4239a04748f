"""`python -m dev.simulators VENDOR --port N [--faults FILE]`: one vendor on this machine."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

from dev.simulators.campaign_monitor import CampaignMonitor
from dev.simulators.common.inspection import Start
from dev.simulators.common.serving import serve_until_signal
from dev.simulators.common.settings import changed
from dev.simulators.common.simulator import AnyVendor, Simulator
from dev.simulators.dotdigital import Dotdigital
from dev.simulators.iterable import Iterable
from dev.simulators.klaviyo import Klaviyo
from dev.simulators.mailchimp import Mailchimp
from dev.simulators.omnisend import Omnisend

VENDORS: dict[str, Callable[[], AnyVendor]] = {
    "campaign-monitor": CampaignMonitor,
    "dotdigital": Dotdigital,
    "iterable": Iterable,
    "klaviyo": Klaviyo,
    "mailchimp": Mailchimp,
    "omnisend": Omnisend,
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.simulators", description="One simulated vendor.")
    parser.add_argument("vendor", choices=sorted(VENDORS))
    parser.add_argument("--port", type=int, required=True, help="0 takes a free port")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--faults", type=Path, help='JSON file: {"settings": {...}, "faults": [...]}')
    options = parser.parse_args()
    simulator = _simulator(VENDORS[options.vendor](), options.faults)
    serve_until_signal(
        simulator,
        options.host,
        options.port,
        ready=lambda: print(f"listening on {simulator.url}", flush=True),
    )


def _simulator(vendor: AnyVendor, file: Path | None) -> Simulator[AnyVendor]:
    start = Start.model_validate_json(file.read_bytes()) if file else Start()
    vendor.settings = changed(vendor.settings, start.settings)
    return Simulator(vendor, start.faults)


if __name__ == "__main__":
    main()
