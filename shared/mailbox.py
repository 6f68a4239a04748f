"""One form of an e-mail address for everything that compares addresses. Pure.

Blanks and characters that nobody sees are no part of an address, letters are small, and a domain is spelled as mail
servers know it: `Info@Müller.de` and `info@xn--mller-kva.de` are one mailbox.
"""

from __future__ import annotations

import idna

BLANKS = "".join(
    map(chr, (*range(9, 14), *range(28, 33), 133, 160, 5760, *range(8192, 8203), 8232, 8233, 8239, 8287, 12288))
)
"""Every space and line end of Unicode."""

ZERO_WIDTH = "".join(
    map(chr, (173, 847, 1564, 6158, *range(8203, 8208), *range(8288, 8294), *range(8298, 8304), 65279))
)
"""Characters without a shape of their own, wherever in an address they stand."""
INVISIBLE = ZERO_WIDTH + "".join(map(chr, (*range(8234, 8239), *range(8294, 8298))))
"""And those that turn the direction of writing: at an end they do nothing, but inside they make one address look like
another, so that there they are not passed over."""

_NOTHING = dict.fromkeys(map(ord, ZERO_WIDTH))


def normalised(address: str) -> str:
    """The address in this form. What is no address comes back in some form, and the same always."""
    text = address.strip().lower()
    if text.isascii():
        return text
    return with_ascii_domain(text.strip(BLANKS + INVISIBLE).translate(_NOTHING))


def spellings(address: str) -> tuple[str, ...]:
    """A normalised address, and the same with its domain in letters where it has others than those of ASCII."""
    local, _, domain = address.rpartition("@")
    if "xn--" not in domain:
        return (address,)
    try:
        return address, f"{local}@{idna.decode(domain)}"
    except idna.IDNAError:
        return (address,)


def with_ascii_domain(address: str) -> str:
    """The address with the ASCII form of its domain (the A-label of IDNA). What is no domain stays as it is."""
    local, _, domain = address.rpartition("@")
    if domain.isascii():
        return address
    try:
        return f"{local}@{idna.encode(domain, uts46=True).decode()}"
    except idna.IDNAError:
        return address
