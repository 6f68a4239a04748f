"""Which tag an export puts on people, and which names its fields may have. Pure. Facts: contract, sections 2 and 3.

Omnisend's own code accepts letters, digits, `_`, `-` and blanks, up to 128 of them. Whether the server tells capitals
from small letters is not published, so tags are small: two tags can then never turn out to be one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.contract import TargetFound, TargetWanted
from shared.vendors.omnisend.definition import DEFINITION
from shared.wording import say

LONGEST = 128
_SUFFIX = 8
_ALLOWED = re.compile(rf"[a-z0-9_\- ]{{1,{LONGEST}}}")
_OTHER = re.compile(r"[^a-z0-9_\- ]+")
CUSTOM_NAME = re.compile(r"[A-Za-z0-9_]{1,128}")
_KNOWN_FIELDS = frozenset(each.name for each in DEFINITION.fields)


def tag_of(name: str) -> str:
    """The tag of a name, always the same one.

    A name that loses more than capitals and surplus blanks ends in a part of its hash, so that "Café" and "Cafe!"
    become two tags. Names that differ in nothing else have one tag, and a tag has one export.
    """
    plain = " ".join(name.casefold().split())
    if _ALLOWED.fullmatch(plain):
        return plain
    letters = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    words = " ".join(_OTHER.sub(" ", letters).split())[: LONGEST - _SUFFIX - 1].strip(" -")
    return f"{words or 'segment'}-{hashlib.sha256(plain.encode()).hexdigest()[:_SUFFIX]}"


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
        if name not in _KNOWN_FIELDS and not CUSTOM_NAME.fullmatch(name):
            raise UserMustAct(
                "field_refused",
                say(
                    "Omnisend does not take the name %(name)s: custom properties are named with letters "
                    "without accents, digits and underscores. Rename the field in the data matching.",
                    name=excerpt(name, 80),
                ),
            )
