"""Where the time of a full run goes: the slice's own thread, sampled from outside while it works."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from dev.bench import runs, stage
from dev.bench.options import Measured, Options
from dev.bench.people import Day
from dev.bench.processes import REPOSITORY
from dev.bench.vendors import WITHOUT_LIMITS

VENDOR = WITHOUT_LIMITS["campaign-monitor"]
SAMPLES_PER_SECOND = 100
_SAMPLER = REPOSITORY / ".venv-bench" / "bin" / "py-spy"
_SLICE = "carry_out (shared/delivery/slices.py"
_START_SECONDS = 2.0

STAGES: Sequence[tuple[str, Sequence[str]]] = (
    ("read, match, judge, stage", ("_stage (shared/delivery/plan/staging.py",)),
    ("plan: read the ledger", ("load (shared/delivery/state/ledger.py",)),
    (
        "plan: write plan files",
        ("keep (shared/delivery/state/files.py", "plan_part (shared/delivery/plan/operations.py"),
    ),
    ("plan: deduplicate, compare, count", ("plan_part (shared/delivery/plan/operations.py",)),
    ("plan: everything else", ("plan (shared/delivery/plan/step.py",)),
    ("prepare the list", ("prepare (shared/delivery/send/step.py",)),
    ("send: write the journal", ("_flush (shared/delivery/send/batches.py",)),
    ("send: read plan files", ("_batches (shared/delivery/send/batches.py",)),
    ("send: wait for requests under way", ("_collect (shared/delivery/send/batches.py",)),
    ("send: wait for requests under way", ("_drain (shared/delivery/send/batches.py",)),
    ("send: everything else", ("deliver (shared/delivery/send/step.py",)),
    ("commit: fold the journal", ("fold (shared/delivery/state/journal.py",)),
    ("commit: outcomes of operations", ("load (shared/delivery/commit/became.py",)),
    ("commit: new ledger", ("_write_ledger (shared/delivery/commit/new_ledger.py",)),
    ("commit: everything else", ("commit (shared/delivery/commit/step.py",)),
    ("lease, rows in tables", (_SLICE,)),
)
"""The first whose functions are all in a sample's stack gets it. One label may stand there twice."""


def measure(options: Options) -> Measured:
    with stage.storage() as storage, tempfile.TemporaryDirectory(prefix="bench-") as folder:
        storage.land(Day(options.rows))
        with runs.setting(VENDOR, options.rows, storage) as setting:
            record = Path(folder) / "samples"
            with _sampled(setting.app.process, record):
                ran = setting.run()
            counts = _by_stage(record.read_text().splitlines())
    total = sum(counts.values()) or 1
    labels = dict.fromkeys(label for label, _ in STAGES)
    table = {
        label: f"{counts[label] / SAMPLES_PER_SECOND:6.2f} s {counts[label] / total:6.1%}"
        for label in labels
        if counts[label]
    }
    return Measured({}, {"the whole run": f"{ran.seconds:.1f} s, processor {ran.cpu:.1f} s", **table})


class _sampled:  # noqa: N801 - reads as a block
    """Samples all threads of a process while the block runs; idle ones too, since waiting is time."""

    def __init__(self, process: int, record: Path) -> None:
        options = ["--format", "raw", "--idle", "--rate", str(SAMPLES_PER_SECOND)]
        self._command = [str(_SAMPLER), "record", "--pid", str(process), "--output", str(record), *options]

    def __enter__(self) -> None:
        self._process = subprocess.Popen(self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        time.sleep(_START_SECONDS)

    def __exit__(self, *error: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait()


def _by_stage(lines: Iterable[str]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for line in lines:
        stack, _, samples = line.rpartition(" ")
        if _SLICE in stack:
            label = next(label for label, functions in STAGES if all(each in stack for each in functions))
            counts[label] += int(samples)
    return counts
