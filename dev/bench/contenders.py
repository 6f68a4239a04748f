"""Who is measured side by side at Campaign Monitor: each sends the same segment, in one process, to the same simulator.

Every contender's time begins with everything imported and ends with its last answer: ours from the request for the run
to its committed end.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dev.bench.people import SEGMENT
from dev.bench.processes import REPOSITORY, SimulatorProcess, cpu_seconds
from dev.bench.stage import CONTAINER, Storage
from dev.bench.vendors import COLUMN_FIELDS

PEERS: Mapping[str, str] = {
    "createsend_loop": "createsend_loop.py",
    "dlt": "dlt_pipeline.py",
    "singer": "singer_target.py",
}
_PYTHON = REPOSITORY / ".venv-bench" / "bin" / "python"
_SCRIPTS = Path(__file__).parent / "peers"


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of a contender: by the clock, of its processor time, and of the simulator's in the meantime."""

    seconds: float
    cpu: float
    simulator_cpu: float


def peer(name: str, storage: Storage, vendor: SimulatorProcess, list_id: str, api_key: str) -> Took:
    """Let one peer send the newest snapshot. Raises RuntimeError where it fails."""
    task = {
        "storage": storage.services.connection_string,
        "container": CONTAINER,
        "prefix": f"{SEGMENT}/{storage.at:%Y%m%dT%H%M%SZ}/",
        "vendor": vendor.url,
        "api_key": api_key,
        "list_id": list_id,
        "columns": COLUMN_FIELDS,
    }
    command = [str(_PYTHON), str(_SCRIPTS / PEERS[name]), json.dumps(task)]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        _expect("ready", name, process)
        before, simulator_before = cpu_seconds(process.pid), cpu_seconds(vendor.process)
        started = time.monotonic()
        print(file=process.stdin, flush=True)
        _expect("done", name, process)
        seconds = time.monotonic() - started
        cpu = cpu_seconds(process.pid) - before
        return Took(seconds, cpu, cpu_seconds(vendor.process) - simulator_before)


def _expect(word: str, name: str, process: subprocess.Popen[str]) -> None:
    assert process.stdout is not None
    if process.stdout.readline().strip() != word:
        process.kill()
        raise RuntimeError(f"the peer {name} failed before it was {word}")
