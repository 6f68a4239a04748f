"""What was measured, as a table and as JSON in `bench-results/`."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from dev.bench.options import Measured, Options
from dev.bench.processes import REPOSITORY

FOLDER = REPOSITORY / "bench-results"


def show(console: Console, title: str, measured: Measured) -> None:
    table = Table(title=title, show_header=False, title_justify="left")
    for name, text in measured.details.items():
        table.add_row(name, text)
    for name, value in measured.metrics.items():
        table.add_row(name, f"[bold]{value:,.4g}[/bold]")
    console.print(table)


def write(part: str, measured: Measured, options: Options, folder: Path = FOLDER) -> None:
    """Put a part's metrics into `latest.json`, one flat object, and all of it with date and machine into its own file.

    Metrics of parts that were not measured this time stay.
    """
    folder.mkdir(exist_ok=True)
    latest = folder / "latest.json"
    _write(latest, _read(latest) | {name: round(value, 4) for name, value in measured.metrics.items()})
    about = {
        "measured_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": machine(),
        "rows": options.rows,
        "seconds": options.seconds,
    }
    _write(folder / f"{part}.json", {**about, "metrics": dict(measured.metrics), "details": dict(measured.details)})


def machine() -> str:
    """Processor, cores and memory of this machine, and its Python."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    name = next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GB; Python {platform.python_version()}"


def _read(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text()) if path.exists() else {}


def _write(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")
