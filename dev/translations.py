"""python -m dev.translations: find the messages, bring the catalogues up to date, and compile them.

Translations are written into shared/locale/*/LC_MESSAGES/pages.po by hand; then run this again.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from shared.access.actions import Action
from shared.access.person import Role
from shared.delivery.state.records import State
from shared.vendors.contract import FieldType, Kind, Outcome, Retry
from shared.vendors.registry import DEFINITIONS
from shared.web.problems import KINDS
from shared.wording import DOMAIN, LANGUAGES, LOCALE

SHARED = Path(__file__).parents[1] / "shared"
TERMS = (*Action, *FieldType, *State, *Kind, *Outcome, *Retry, *Role)
"""Words that stand in messages and have a meaning for programs too."""
METHODS = [("**.py", "python"), ("**.html", "jinja2")]
KEYWORDS = {**DEFAULT_KEYWORDS, "say": None, "say_many": (1, 2), "NotFound": (1,), "linked": (3,), "Handed": (6,)}
DATE = datetime(2026, 1, 1, tzinfo=UTC)
"""In place of when it was made, so that the same messages make the same file."""


def template() -> Catalog:
    """All messages: of templates and tables, of the code (`say`), of vendors' definitions."""
    catalog = Catalog(domain=DOMAIN, fuzzy=False, creation_date=DATE, revision_date=DATE)
    options = {"**.html": {"newstyle_gettext": "true", "trimmed": "true"}}
    for name, _, message, _, _ in extract_from_dir(SHARED, METHODS, options_map=options, keywords=KEYWORDS):
        catalog.add(message, locations=[(f"shared/{name}", 1)])
    kinds = (kind.title for kind in KINDS.values())
    for message in dict.fromkeys([*_of_vendors(), *map(str, TERMS), *kinds]):
        if message not in catalog:
            catalog.add(message)
    return catalog


def _of_vendors() -> Iterator[str]:
    for definition in DEFINITIONS.values():
        for each in (*definition.credentials, *definition.settings, *definition.export_settings):
            yield each.label
            yield each.description
            yield from each.decisions.values()
        yield from (field.label for field in definition.fields)
        yield definition.target_word
        for question in definition.questions:
            yield from filter(None, (question.asks, question.not_tried))


def po_file(language: str) -> Path:
    """The catalogue that people write."""
    return LOCALE / language / "LC_MESSAGES" / f"{DOMAIN}.po"


def catalogue(language: str) -> Catalog:
    """The stored catalogue with today's messages."""
    path = po_file(language)
    found = read_po(BytesIO(path.read_bytes()), language, DOMAIN) if path.exists() else Catalog(language, DOMAIN)
    found.update(template(), no_fuzzy_matching=True)
    found.obsolete.clear()
    found.fuzzy, found.creation_date, found.revision_date = False, DATE, DATE
    found.project, found.version = "segment-exports", "1"
    return found


def compiled(catalog: Catalog) -> bytes:
    """What the app loads."""
    made = BytesIO()
    write_mo(made, catalog)
    return made.getvalue()


def _forms(string: object) -> tuple[object, ...]:
    return string if isinstance(string, tuple) else (string,)


def main() -> int:
    missing = 0
    for language in LANGUAGES:
        if language == "en":
            continue
        path, catalog = po_file(language), catalogue(language)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, width=120, no_location=True, omit_header=True, sort_output=True)
        path.with_suffix(".mo").write_bytes(compiled(catalog))
        untranslated = [message.id for message in catalog if message.id and not all(_forms(message.string))]
        missing += len(untranslated)
        print(f"{language}: {len(catalog)} messages, {len(untranslated)} untranslated")
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
