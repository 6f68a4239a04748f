"""A run's page says what was found at the vendor after the delivery."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from shared.control.runs import Verification
from shared.wording import Message, say, together
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import client, page

SEEN: dict[str, Any] = {
    "verdict": "differs",
    "message": "Letterbox counts 3 people fewer on the list than this export has put there.",
    "at": START,
    "looks": 3,
    "expected": 1200,
    "counted": 1197,
    "difference": -3,
    "sample": {"looked_at": 20, "different": 2, "missing": 2},
}


def verified(service: FakeService, language: str = "en", **changes: Any) -> str:
    """The page of a run that was verified, without its markup."""
    made = run("1", export="vips")
    target = made.targets[0].model_copy(update={"verification": Verification(**(SEEN | changes))})
    service.past = [made.model_copy(update={"targets": (target,)})]
    shown = page(client(service).get("/exports/vips/runs/1", headers={"cookie": f"language={language}"}))
    return " ".join(re.sub("<[^>]+>", " ", unescape(shown)).split())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        (
            "en",
            "Differs Should be there 1,200 Counted there 1,197 Difference -3 "
            "Looked up one by one 20 Of them different 2",
        ),
        ("ro", "Diferă Ar trebui să fie acolo 1.200"),
        ("sv", "Avviker Ska finnas där 1"),
    ],
)
def test_what_was_found_at_the_vendor_afterwards_is_on_the_page(service: FakeService, language: str, told: str) -> None:
    assert told in verified(service, language)


def test_what_could_not_be_verified_says_why_and_shows_no_numbers(service: FakeService) -> None:
    unknown: dict[str, Any] = dict.fromkeys(("expected", "counted", "difference"))
    shown = verified(service, verdict="not verified", message="Letterbox offers no way.", sample={}, **unknown)
    assert "Not verified Letterbox offers no way." in shown
    assert "Should be there" not in shown


def test_a_run_that_nobody_looked_at_yet_says_nothing_of_it(service: FakeService) -> None:
    service.past = [run("1", export="vips")]
    assert "Looked up at the vendor" not in page(client(service).get("/exports/vips/runs/1"))


def test_a_run_of_two_targets_is_told_without_a_mixture_and_a_vendors_words_are_marked(service: FakeService) -> None:
    gone = say("The list %(list)s does not exist in %(vendor)s.", list="4411201", vendor="Iterable")
    refused = say("Iterable refuses the request: %(why)s", why=Message("<b>Nope</b>"))
    made = run("1", export="vips")
    target = made.targets[0].model_copy(update={"warnings": (refused,)})
    told = together([gone, say("The run was cancelled.")])
    service.past = [made.model_copy(update={"message": told, "targets": (target,)})]
    shown = page(client(service).get("/exports/vips/runs/1", headers={"cookie": "language=sv"}))
    assert "<p>Listan 4411201 finns inte i Iterable. Körningen avbröts.</p>" in shown
    assert 'Iterable avvisar förfrågan: <span lang="en">&lt;b&gt;Nope&lt;/b&gt;</span>' in shown
