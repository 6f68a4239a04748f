"""The demo, as `make demo` runs it, with fewer people."""

from __future__ import annotations

import subprocess
import sys

from tests.integration.app.conftest import REPOSITORY


def test_the_demo_ends_well() -> None:
    command = [sys.executable, "-m", "dev.demo", "--people", "3000"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=110)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert ended.stdout.count("list equals the segment") == 2
    assert "triggered by the timer" in ended.stdout
