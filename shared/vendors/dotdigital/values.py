"""A row's values in Dotdigital's form: data fields, and apart from them the consent column. Pure.

Facts: contract, sections 3 and 4. `status` is never written: `subscribed` would resubscribe people.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

import orjson

from shared.vendors.dotdigital.definition import OPT_IN

OPT_IN_TYPES = frozenset({"unknown", "single", "double"})
"""Not verifiedDouble: it makes Dotdigital mail the person."""

_EMPTY = "{}"
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Told:
    """What a row says: `fields` for dataFields (None: nothing), and the opt-in type.

    `odd` marks an opt-in type that is left out because it is none that may be written.
    """

    fields: Any = None
    opt_in: str | None = None
    odd: bool = False


def told(values: str, dates: Collection[str]) -> Told:
    """`values` is the plan's JSON object, `dates` names the fields of type date."""
    if values == _EMPTY:
        return Told()
    if not dates and f'"{OPT_IN}"' not in values:
        return Told(orjson.Fragment(values))
    fields = orjson.loads(values)
    given = fields.pop(OPT_IN, None)
    for name in dates:
        if isinstance(fields.get(name), str):
            fields[name] = _MOMENT.sub(r"\1T\2Z", fields[name])
    opt_in = given.strip().lower() if isinstance(given, str) else None
    if opt_in is not None and opt_in not in OPT_IN_TYPES:
        return Told(fields or None, odd=True)
    return Told(fields or None, opt_in)
