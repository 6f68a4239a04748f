"""Which tag a name makes. Pure. Facts: Omnisend contract, section 2.

Omnisend's own code accepts letters, digits, `_`, `-` and blanks, up to 128 of them. Whether the server tells capitals
from small letters is not published, so tags are small: two tags can then never turn out to be one.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata

LONGEST = 128
_SUFFIX = 8
_ALLOWED = re.compile(rf"[a-z0-9_\- ]{{1,{LONGEST}}}")
_OTHER = re.compile(r"[^a-z0-9_\- ]+")


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
