"""The processes of a benchmark, and what they use: processor time, peak memory, local disk. Reads /proc, so Linux."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import orjson
import requests

REPOSITORY = Path(__file__).parents[2]
SAMPLE_SECONDS = 0.02
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_seconds(process: int) -> float:
    """Processor time that a process has used so far, its kernel time too."""
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def peak_mb(process: int) -> float:
    """The most memory that a process has had since it began, or since `forget_peak`; the kernel keeps count."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024


def forget_peak(process: int) -> None:
    """Begin to count the peak anew."""
    Path(f"/proc/{process}/clear_refs").write_text("5")


class DiskWatch:
    """Looks at a folder many times a second while the block runs; `peak_mb` is the most that its files took."""

    def __init__(self, folder: Path) -> None:
        self.peak_mb = 0.0
        self._folder = folder
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._ended.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._ended.wait(SAMPLE_SECONDS):
            self.peak_mb = max(self.peak_mb, _size(self._folder) / 1e6)


def _size(folder: Path) -> int:
    """Bytes on disk of everything in a folder that is changing."""
    total = 0
    for path, _, names in os.walk(folder):
        for name in names:
            try:
                total += Path(path, name).stat().st_blocks * 512
            except FileNotFoundError:
                continue
    return total


@dataclass(frozen=True, slots=True)
class SimulatorProcess:
    """A vendor in a process of its own."""

    url: str
    process: int

    def get(self, path: str) -> Any:
        return requests.get(f"{self.url}/_simulator/{path}", timeout=60).json()

    def post(self, path: str, body: Any) -> Any:
        answer = requests.post(f"{self.url}/_simulator/{path}", json=body, timeout=60)
        answer.raise_for_status()
        return answer.json()

    def entries(self) -> list[dict[str, Any]]:
        """The latest 100,000 requests."""
        lines = requests.get(f"{self.url}/_simulator/requests/entries", timeout=60).content.splitlines()
        return [orjson.loads(line) for line in lines]


@contextmanager
def simulator(vendor: str, settings: Mapping[str, Any], *, lean: bool = False) -> Iterator[SimulatorProcess]:
    module = "dev.bench.lean" if lean else "dev.simulators"
    command = [sys.executable, "-m", module, vendor, "--port", "0"]
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise RuntimeError(f"the {vendor} simulator did not start (exit status {process.wait()})")
        running = SimulatorProcess(line.split()[-1], process.pid)
        running.post("settings", dict(settings))
        yield running
    finally:
        process.terminate()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()
