"""How large the package is that is deployed: packed by the deployment's own command."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from pathlib import Path

from dev.bench.options import Measured, Options
from dev.bench.processes import REPOSITORY

_LIBRARIES = ".python_packages/lib/site-packages/"
_SHOWN = 5
_PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"


def measure(options: Options) -> Measured:
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        package = Path(name) / "app.zip"
        command = [sys.executable, "-m", "dev.package", "--python", _PYTHON, "--output", str(package)]
        subprocess.run(command, cwd=REPOSITORY, check=True, stdout=subprocess.DEVNULL)
        size = package.stat().st_size
        with zipfile.ZipFile(package) as archive:
            sizes = _by_library(archive)
    own = sizes.pop("", 0)
    largest = ", ".join(f"{library} {packed / 1e6:.1f} MB" for library, packed in sizes.most_common(_SHOWN))
    return Measured(
        {"package.zip_mb": size / 1e6},
        {"package": f"{size / 1e6:.1f} MB, of which {own / 1e6:.2f} MB are the app", "largest, packed": largest},
    )


def _by_library(archive: zipfile.ZipFile) -> Counter[str]:
    """Packed bytes by library; "" is the app itself."""
    sizes: Counter[str] = Counter()
    for entry in archive.infolist():
        inside = entry.filename.startswith(_LIBRARIES)
        sizes[entry.filename.removeprefix(_LIBRARIES).partition("/")[0] if inside else ""] += entry.compress_size
    return sizes
