"""Whether the account has the fields of the data matching, and what to do about those that it lacks. Pure.

Facts: Dotdigital contract, section 3. A field that the account lacks would be refused or dropped with the import,
which of them is not documented; so it is found out before anyone is sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from shared.errors import UserMustAct
from shared.vendors.contract import FieldType
from shared.vendors.dotdigital.responses import FIELD_TYPES

_NAME = re.compile(r"[A-Z0-9_-]{1,20}")
_SPELLED: Mapping[FieldType, str] = {kind: name for name, kind in FIELD_TYPES.items()} | {FieldType.INTEGER: "Numeric"}


def missing(wanted: Mapping[str, FieldType], known: Mapping[str, str], *, create: bool) -> dict[str, str]:
    """Name -> Dotdigital's type of the fields to make.

    Raises UserMustAct: `fields_missing` where none may be made, `field_type` where a field has another type than the
    data matching has it, `field_name` for a name that no field can have.
    """
    _check_types(wanted, known)
    lacking = [name for name in wanted if name not in known]
    _check_spelling(lacking, known)
    if lacking and not create:
        raise UserMustAct(
            "fields_missing",
            f"The Dotdigital account has no data field {_listed(lacking)}: make it there, switch on 'Create missing "
            "data fields' for this export, or take it out of the data matching.",
        )
    if impossible := [name for name in lacking if not _NAME.fullmatch(name)]:
        raise UserMustAct(
            "field_name",
            f"Dotdigital can have no data field {_listed(impossible)}: a name has up to 20 capital letters, digits, "
            "hyphens and underscores.",
        )
    return {name: _SPELLED[wanted[name]] for name in lacking}


def _check_types(wanted: Mapping[str, FieldType], known: Mapping[str, str]) -> None:
    wrong = [name for name in wanted if known.get(name) in FIELD_TYPES and _SPELLED[wanted[name]] != known[name]]
    if wrong:
        types = _listed(f"{name} ({known[name]})" for name in wrong)
        raise UserMustAct(
            "field_type",
            f"The data matching has another type than the Dotdigital account for {types}: leave the type out of the "
            "data matching.",
        )


def _check_spelling(lacking: Iterable[str], known: Mapping[str, str]) -> None:
    """Dotdigital does not tell fields apart by case, so a second spelling is the same field, not a new one."""
    spelled = {name.casefold(): name for name in known}
    for name in lacking:
        if meant := spelled.get(name.casefold()):
            raise UserMustAct(
                "fields_missing", f"The data field {name} is spelled {meant} in Dotdigital: change the data matching."
            )


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)
