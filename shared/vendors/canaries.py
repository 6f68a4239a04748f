"""Names that a probe gives to what it makes, so that people, and later probes, know it when they see it."""

from __future__ import annotations

import re
from dataclasses import dataclass

NAME = "segment-exports probe"
"""What every list of a probe is called, followed by the probe's mark."""

_OURS = re.compile(rf"{NAME} [0-9a-f]{{6}}(?: x*)?")
_CANARY = re.compile(r"(?:.+\+)?segment-exports-probe-[0-9a-f]{6}-\d+@.+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Canaries:
    """Addresses of one probe: plus-addresses of the address `base`, or made-up ones at the domain `base`."""

    base: str
    mark: str

    def __getitem__(self, number: int) -> str:
        local, at, domain = self.base.strip().lower().rpartition("@")
        name = f"segment-exports-probe-{self.mark}-{number}"
        return f"{local}+{name}@{domain}" if at else f"{name}@{domain}"

    @property
    def list_name(self) -> str:
        return f"{NAME} {self.mark}"


def is_ours(list_name: str) -> bool:
    """Some probe made the list of this name."""
    return _OURS.fullmatch(list_name) is not None


def is_canary(address: str) -> bool:
    return _CANARY.fullmatch(address) is not None
