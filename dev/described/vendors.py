"""Which files describe a vendor, and how they are to be read. They are the vendors' own, and no part of the project."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from dev.described.descriptions import load
from dev.described.judging import Judge, Rules


class Described(NamedTuple):
    """Names of files in the folder of descriptions, the one that goes first first."""

    files: tuple[str, ...]
    rules: Rules = Rules()


VENDORS: Mapping[str, Described] = {
    "dotdigital": Described(
        (
            "dotdigital-contacts-service.json",
            "Dotdigital-dotdigital-lists-address-books-2.0.0-resolved.yaml",
            "Dotdigital-dotdigital-contact-data-fields-2.0.0-resolved-1.yaml",
            "accounts-and-utilities.yaml",
            "dotdigital-v2-api-swagger.json",
        ),
        # Of people who said no the description shows nothing, of a removal's progress it has both spellings, and of a
        # contact's id it says in one place that it is a number and in another that it is text.
        Rules(
            prefix=r"^/r[123](?=/)",
            allowed=(
                r"^answer 200 \(whole\): type$",
                r"answer 200 \(whole\): additionalProperties \['Id', 'Status'\]",
                r"^call, body contacts/\*/identifiers/contactId: type$",
            ),
        ),
    ),
    "iterable": Described(
        ("iterable-swagger-1.8.json",), Rules(allowed=(r"^answer 200, content type: text/plain is not described$",))
    ),
    "klaviyo": Described(
        ("klaviyo-2026-07-15-reduced.json",),
        # Recorded answers end the pages with null, where the description says text.
        Rules(cut=("fields[",), allowed=(r"answer 200 links/(next|prev): type",)),
    ),
    "mailchimp": Described(
        ("mailchimp-3.0-reduced.json",),
        # The contract has an empty text until a batch has ended, where the description says a moment.
        Rules(
            prefix=r"^/[a-z]{2}\d{1,3}(?=/)",
            cut=("fields", "exclude_fields"),
            allowed=(r"answer 200 (batches/\*/)?completed_at: format",),
        ),
    ),
}


def missing(vendor: str, folder: Path) -> list[str]:
    return [name for name in VENDORS[vendor].files if not (folder / name).is_file()]


def judge(vendor: str, folder: Path, *allowed: str) -> Judge:
    """`allowed` are further patterns of what may differ. Ends the program, in words, where a file is not there."""
    if absent := missing(vendor, folder):
        raise SystemExit(f"not in the folder of descriptions: {', '.join(absent)}")
    rules = VENDORS[vendor].rules
    description = load([folder / name for name in VENDORS[vendor].files])
    return Judge(description, rules._replace(allowed=(*rules.allowed, *allowed)))
