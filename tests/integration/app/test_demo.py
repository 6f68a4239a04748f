"""The demo, as `make demo` runs it, with fewer people."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from dev.demo.vendors import VENDORS
from tests.integration.app.conftest import REPOSITORY


def test_the_demo_ends_well() -> None:
    command = [sys.executable, "-m", "dev.demo", "--people", "3000"]
    ended = subprocess.run(command, cwd=REPOSITORY, capture_output=True, text=True, timeout=500)
    assert ended.returncode == 0, ended.stdout[-3000:] + ended.stderr[-3000:]
    assert ended.stdout.count("list equals the segment") == 2
    assert "triggered by the timer" in ended.stdout
    assert "would add 2,9" in ended.stdout and "looked up are new to Iterable" in ended.stdout, "the first run asks"
    assert ended.stdout.count("The answer: deliver.") == 1, "the second does not"
    assert "make serve" in ended.stdout
    assert "http://" not in ended.stdout.partition("All of it took")[2], "a link to what has ended is dead"


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_vendors_are_served_at_once_and_end_at_the_first_word() -> None:
    """Whoever ends it by SIGTERM, as a supervisor does, leaves no process behind."""
    command = [sys.executable, "-m", "dev.demo", "--serve", "--vendor", "all", "--people", "50"]
    with subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True) as served:
        assert served.stdout is not None
        told = []
        for line in served.stdout:
            told.append(line)
            if "Ctrl-C ends it." in line:
                break
        text = "".join(told)
        url = text.partition("The pages are at ")[2].split("/ ")[0]
        exports = requests.get(f"{url}/api/v1/exports", timeout=120).json() if url else []
        children = started_by(served.pid)
        served.send_signal(signal.SIGTERM)
        assert served.wait(timeout=300) == 0
    assert text.count("list equals the segment") == 2 * len(VENDORS), text[-3000:]
    assert len(exports) == len(VENDORS) and len(children) >= len(VENDORS) + 2
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []


@pytest.mark.slow
def test_the_first_ctrl_c_ends_what_is_served() -> None:
    """A terminal sends it to all that was started, at once."""
    command = [sys.executable, "-m", "dev.demo", "--serve", "--people", "50"]
    options: dict[str, Any] = {"stdout": subprocess.PIPE, "text": True, "start_new_session": True}
    with subprocess.Popen(command, cwd=REPOSITORY, **options) as served:
        assert served.stdout is not None
        assert any("Ctrl-C ends it." in line for line in served.stdout)
        children = started_by(served.pid)
        os.killpg(served.pid, signal.SIGINT)
        assert served.wait(timeout=300) == 0
    assert children and [child for child in children if Path(f"/proc/{child}").exists()] == []


def started_by(parent: int) -> list[int]:
    """Processes that a process started, and that those started."""
    found = [int(each) for each in Path(f"/proc/{parent}/task/{parent}/children").read_text().split()]
    return [*found, *(inner for child in found for inner in started_by(child))]
