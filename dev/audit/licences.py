"""Licences of the deployed libraries, as their own metadata states them, against those that may be passed on."""

from __future__ import annotations

import re
from collections.abc import Iterable
from importlib.metadata import PackageMetadata, metadata

ALLOWED = frozenset(
    {
        "apache-2.0",
        "bsd",
        "bsd-2-clause",
        "bsd-3-clause",
        "isc",
        "mit",
        "mit-0",
        "mpl-2.0",  # certifi: a list of certificates, passed on unchanged
        "psf-2.0",
        "unlicense",
    }
)
"""SPDX identifiers in lower case, and `bsd` for metadata that says no more."""

_WORDS = {
    "apache license 2.0": "apache-2.0",
    "apache license, version 2.0": "apache-2.0",
    "apache software license": "apache-2.0",
    "apache 2.0": "apache-2.0",
    "apache license": "apache-2.0",
    "bsd license": "bsd",
    "bsd": "bsd",
    "isc license (iscl)": "isc",
    "mit license": "mit",
    "mozilla public license 2.0 (mpl 2.0)": "mpl-2.0",
    "python software foundation license": "psf-2.0",
    "the unlicense (unlicense)": "unlicense",
}
"""What older metadata calls a licence -> its SPDX identifier."""


def problems(names: Iterable[str]) -> list[str]:
    """Installed packages whose licence is not allowed, or not known. Raises PackageNotFoundError."""
    found = {name: licences(metadata(name)) for name in names}
    return [
        f"{name}: {' and '.join(sorted(given)) or 'states no licence'}"
        for name, given in sorted(found.items())
        if not given or not given <= ALLOWED
    ]


def licences(stated: PackageMetadata) -> set[str]:
    """SPDX identifiers of a package, in lower case: from its expression, else its classifiers, else its free text."""
    if expressions := stated.get_all("License-Expression"):
        return _choice(expressions[0])
    classifiers = [each.rpartition(" :: ")[2] for each in stated.get_all("Classifier") or [] if "License ::" in each]
    words = [each for each in classifiers if each != "OSI Approved"] or stated.get_all("License") or []
    return {_WORDS.get(word.lower(), word.lower().strip()) for word in words if word.strip()}


def _choice(expression: str) -> set[str]:
    """Identifiers that have to be allowed; of an `OR` the allowed side is taken."""
    sides = [{part.lower() for part in re.split(r"\s+AND\s+", side)} for side in re.split(r"\s+OR\s+", expression)]
    cleaned = [{part.strip("() ") for part in side} for side in sides]
    return next((side for side in cleaned if side <= ALLOWED), set().union(*cleaned))
