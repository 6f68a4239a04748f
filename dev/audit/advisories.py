"""Known holes of the deployed libraries, as pip-audit finds them; and the difference between none and not looked up."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

SECONDS = 240


@dataclass(frozen=True, slots=True)
class Verdict:
    """`holes` are found ones, `checked` packages that the source knows; `failure` is why nobody answered."""

    holes: tuple[str, ...] = ()
    checked: frozenset[str] = frozenset()
    failure: str = ""

    def unchecked(self, names: Iterable[str]) -> list[str]:
        """Those of these packages about which nothing was said."""
        return sorted({*names} - self.checked)


def audit(program: Path, lock: Path) -> Verdict:
    """Ask pip-audit about everything in the lock."""
    command = [str(program), "--requirement", str(lock), "--disable-pip", "--no-deps", "--format", "json"]
    command += ["--progress-spinner", "off", "--timeout", "20"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return Verdict(failure=type(error).__name__)
    return verdict(done.stdout, done.stderr)


def verdict(output: str, errors: str = "") -> Verdict:
    """What pip-audit's JSON says; anything else is a failure, never a clean result."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(failure=(errors.strip().splitlines() or ["no answer"])[-1][:200])
    holes = [
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for each in packages
        for hole in each.get("vulns", [])
    ]
    known = frozenset(canonicalize_name(each["name"]) for each in packages if "skip_reason" not in each)
    return Verdict(tuple(holes), known)
