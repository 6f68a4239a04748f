"""The docs as files: what they link to is there, nothing is left unfound, and pictures stay small."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest

from tests.files import files

REPOSITORY = Path(__file__).parents[3]
README = REPOSITORY / "README.md"
PAGES = files(REPOSITORY / "docs", "*.md")
EVERYTHING = [README, *files(REPOSITORY / "docs", "**/*.md"), REPOSITORY / "dev" / "simulators" / "README.md"]
PICTURES = REPOSITORY / "docs" / "pictures"
MOST_BYTES = 200_000

_FENCED = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`[^`\n]*`")
_LINK = re.compile(r"\]\(<?([^)>\s]+)>?(?:\s+\"[^\"]*\")?\)")
_HEADING = re.compile(r"^#+ +(.+)$", re.MULTILINE)
_NO_ANCHOR = re.compile(r"[^\w\- ]")


def links(text: str) -> list[str]:
    """Where a page leads inside the repository."""
    found = _LINK.findall(_CODE.sub("", _FENCED.sub("", text)))
    return [link for link in found if not re.match(r"[a-z]+:", link)]


def anchors(page: Path) -> set[str]:
    """What the headings of a page are called in addresses."""
    headings = _HEADING.findall(_FENCED.sub("", page.read_text(encoding="utf-8")))
    return {_NO_ANCHOR.sub("", heading.lower()).replace(" ", "-") for heading in headings}


def broken(page: Path) -> Iterator[str]:
    for link in links(page.read_text(encoding="utf-8")):
        path, _, anchor = unquote(link).partition("#")
        target = (page.parent / path).resolve() if path else page
        if not target.exists() or (anchor and target.suffix == ".md" and anchor not in anchors(target)):
            yield link


def pictures(page: Path) -> set[str]:
    return {link.rpartition("/")[2] for link in links(page.read_text(encoding="utf-8")) if link.endswith(".png")}


@pytest.mark.parametrize("page", EVERYTHING, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_what_a_page_links_to_is_there(page: Path) -> None:
    assert list(broken(page)) == []


def test_the_readme_leads_to_every_page() -> None:
    linked = {(REPOSITORY / link.partition("#")[0]).resolve() for link in links(README.read_text(encoding="utf-8"))}
    assert [page.name for page in PAGES if page not in linked] == []


@pytest.mark.parametrize("name", ["for-marketers.md", "for-administrators.md"])
def test_a_page_for_people_who_click_shows_what_they_see(name: str) -> None:
    assert len(pictures(REPOSITORY / "docs" / name)) >= 3


def test_every_picture_is_shown_and_taken_by_a_browser_test() -> None:
    tests = "".join(path.read_text(encoding="utf-8") for path in files(REPOSITORY / "tests" / "browser", "test_*.py"))
    kept = {path.name for path in files(PICTURES, "*")}
    assert kept == set().union(*(pictures(page) for page in PAGES))
    assert kept == {f"{name}.png" for name in re.findall(r'\.excerpt\(\s*"([^"]+)"', tests)}


def test_pictures_are_small() -> None:
    assert {path.name: path.stat().st_size for path in files(PICTURES, "*") if path.stat().st_size > MOST_BYTES} == {}
