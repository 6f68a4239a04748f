"""Where the Bicep compiler is, and what to say where it is nowhere."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

HOW_TO_GET_ONE = (
    "Run `az bicep install`, or get one from https://github.com/Azure/bicep/releases and say BICEP=/path/to/it."
)


def find(environment: Mapping[str, str], checkout: Path) -> Path | None:
    """In BICEP, on PATH, where `az bicep install` puts it, in ../shared/tools beside the checkout. None: nowhere.

    Raises FileNotFoundError where BICEP names no program: a mistake there must not fall back to another compiler.
    """
    if named := environment.get("BICEP"):
        if not _runs(Path(named)):
            raise FileNotFoundError(f"BICEP is {named}, and that is no program.")
        return Path(named)
    on_path = shutil.which("bicep", path=environment.get("PATH", ""))
    home = Path(environment.get("AZURE_CONFIG_DIR") or Path(environment.get("HOME", "/")) / ".azure")
    places = [*([Path(on_path)] if on_path else []), home / "bin/bicep", checkout.parent / "shared/tools/bicep"]
    return next((place for place in places if _runs(place)), None)


def _runs(path: Path) -> bool:
    return path.is_file() and os.access(path, os.X_OK)
