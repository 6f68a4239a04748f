"""Which tag an export puts on people, and which names its fields may have. Pure. Facts: contract, sections 2 and 3."""

from __future__ import annotations

import re
from collections.abc import Iterable

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.contract import TargetFound, TargetWanted
from shared.vendors.omnisend.definition import CUSTOM_NAME, DEFINITION
from shared.vendors.omnisend.tags import tag_of
from shared.wording import say

_CUSTOM_NAME = re.compile(CUSTOM_NAME)
_KNOWN_FIELDS = frozenset(each.name for each in DEFINITION.fields)


def wanted_tag(wanted: TargetWanted) -> str:
    """The tag given, or else made from the name."""
    return wanted.list_id or tag_of(wanted.name)


def first_use(wanted: TargetWanted, *, taken: bool) -> TargetFound:
    """A tag that the export never used, with a word to the person who chose it. `taken`: contacts have it already."""
    tag, name = wanted_tag(wanted), wanted.list_id or wanted.name
    shown = excerpt(tag, 128)
    if taken:
        warning = say(
            "Contacts in Omnisend have the tag '%(tag)s' already: those outside the segment keep it.", tag=shown
        )
    else:
        warning = say(
            "The tag in Omnisend is '%(tag)s'. Automations there that wait for this tag start for everyone added.",
            tag=shown,
        )
    return TargetFound(tag, name, created=not taken, warnings=(warning,))


def check_names(fields: Iterable[str]) -> None:
    """Raises UserMustAct `field_refused` for a custom property whose name Omnisend does not take."""
    for name in fields:
        if name not in _KNOWN_FIELDS and not _CUSTOM_NAME.fullmatch(name):
            raise UserMustAct(
                "field_refused",
                say(
                    "Omnisend does not take the name %(name)s: custom properties are named with letters "
                    "without accents, digits and underscores. Rename the field in the data matching.",
                    name=excerpt(name, 80),
                ),
            )
