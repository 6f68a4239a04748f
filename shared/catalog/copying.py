"""Names for new things, and duplicates of exports. Pure."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection

from shared.catalog import companions
from shared.catalog.models import RESERVED, Also, AlsoTarget, Export, ExportInput, Target
from shared.catalog.targets import target_name

LONGEST = 63
_OTHERS = str.maketrans({"ß": "ss", "æ": "ae", "ø": "o", "đ": "d", "ł": "l"})


def slug(title: str, taken: Collection[str] = ()) -> str:
    """A name for addresses that looks like the title, and that nobody has yet: `newsletter`, `newsletter-2`."""
    plain = unicodedata.normalize("NFKD", title.lower().translate(_OTHERS)).encode("ascii", "ignore").decode()
    base = re.sub("[^a-z0-9]+", "-", plain).strip("-")[: LONGEST - 4].strip("-") or "unnamed"
    number, name = 1, base
    while name in taken or name in RESERVED:
        number += 1
        name = f"{base}-{number}"
    return name


def copy_of(export: Export, taken: Collection[str]) -> tuple[str, ExportInput]:
    """Name and definition of a duplicate: paused, closed to the function key's larger runs, and with lists of its own,
    since a list has one export."""
    title = f"{export.display_name[:90]} (copy)"
    values = {name: getattr(export, name) for name in ExportInput.model_fields}
    values |= {"display_name": title, "paused": True, "function_key_starts": ()}
    values |= {"targets": tuple(_own(target) for target in export.targets)}
    values |= {"also": tuple(_also(export, each) for each in export.also)}
    return slug(title, taken), ExportInput.model_validate(values)


def _also(export: Export, entry: Also) -> Also:
    own = [_own(target) for target in companions.targets(export, entry)]
    return entry.model_copy(update={"targets": tuple(AlsoTarget(list_name=each.list_name) for each in own)})


def _own(target: Target) -> Target:
    name = f"{target_name(target)[:190]} (copy)"
    return target.model_copy(update={"list_id": None, "existing": None, "list_name": name})
