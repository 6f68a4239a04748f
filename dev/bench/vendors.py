"""The vendors of the benchmarks: as the demo knows them, with the settings under which they are measured."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dev.demo.vendors import VENDORS, DemoVendor

COLUMN_FIELDS = ("FirstName", "LastName", "City", "PostalCode", "Country", "LoyaltyTier", "DateOfBirth", "Points")
"""Columns that are sent beside the address; at Campaign Monitor these are the fields' names too."""

WITHOUT_LIMITS: Mapping[str, DemoVendor] = {
    "iterable": replace(
        VENDORS["iterable"],
        settings={"data_center": "us", "subscribe_rate": 1000},
        matching={name[0].lower() + name[1:]: name for name in COLUMN_FIELDS},
        simulator={"journal": "counts", "rates": {}},
    ),
    "campaign-monitor": replace(
        VENDORS["campaign-monitor"],
        settings={**VENDORS["campaign-monitor"].settings, "import_rate": 1000, "removal_rate": 10_000},
        matching={name: name for name in COLUMN_FIELDS},
        simulator={"journal": "counts", "rates": {}},
    ),
    "dotdigital": replace(
        VENDORS["dotdigital"],
        settings={"calls_per_minute": 10_000},
        matching={name.upper(): name for name in COLUMN_FIELDS},
        simulator={"journal": "counts", "rates": {}, "tiers": {"low": {"calls": 1_000_000, "seconds": 60}}},
    ),
}
"""As fast as the service itself can go: rates far above what it reaches, simulators that limit nothing."""
