"""Known holes of the deployed libraries, as pip-audit finds them; and the difference between none and not checked."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 240
HOLED = ("pyyaml", "5.3")
"""A library with known holes, which is not deployed. A source that names none of them has no advisories at all, such as
a mirror that serves files only: its "no known holes" would say nothing."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """Holes that were found; libraries that nobody could say anything about, and why."""

    holes: tuple[str, ...] = ()
    unchecked: tuple[str, ...] = ()
    why: str = ""


def audit(program: Path, locks: Sequence[Path], names: Collection[str], service: str) -> Verdict:
    """Ask pip-audit about everything in the locks, which hold `names`."""
    command = [str(program), "--disable-pip", "--no-deps", "--format", "json", "--progress-spinner", "off"]
    command += ["--timeout", "20", "--vulnerability-service", service]
    with tempfile.TemporaryDirectory() as folder:
        holed = Path(folder, "requirements.txt")
        # Nothing is downloaded, so any hash will do; but where one requirement has a hash, all must.
        holed.write_text(f"{'=='.join(HOLED)} --hash=sha256:{'0' * 64}")
        for path in (*locks, holed):
            command += ["--requirement", str(path)]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        except (OSError, subprocess.TimeoutExpired) as error:
            return Verdict(unchecked=tuple(sorted(names)), why=f"pip-audit could not be run: {type(error).__name__}")
    return verdict(done.stdout, done.stderr, names)


def verdict(output: str, errors: str, names: Collection[str]) -> Verdict:
    """What pip-audit's JSON says of `names`. A library counts as checked only where the answer says so."""
    everything = tuple(sorted(names))
    try:
        answers = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        return Verdict(unchecked=everything, why=(errors.strip().splitlines() or ["pip-audit said nothing"])[-1][:200])
    answered = [each for each in answers if "skip_reason" not in each]
    holed = {each["name"] for each in answered if each["vulns"]}
    holes = tuple(
        f"{each['name']} {each['version']}: {hole['id']}, mended in {', '.join(hole['fix_versions']) or 'no version'}"
        for each in answered
        for hole in each["vulns"]
        if each["name"] in names
    )
    if HOLED[0] not in holed:
        return Verdict(holes, everything, f"the source has no advisories, not even those of {' '.join(HOLED)}")
    unchecked = tuple(sorted(set(names) - {each["name"] for each in answered}))
    return Verdict(holes, unchecked, "the source of advisories does not know them" if unchecked else "")
