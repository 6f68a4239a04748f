"""The page of a rehearsal says what a run would come to, and how long that would take."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from shared.control.runs import RehearsalView
from shared.delivery.rehearse.foreseen import WORDS
from shared.delivery.state.transitions import RunKind
from shared.pages.labels import FORESEEN
from shared.vendors.registry import DEFINITIONS
from tests.unit.api.service import FakeService, run
from tests.unit.pages.asking import client, page

TOLD: dict[str, Any] = {
    "outcomes": {"joins": 1200, "left alone": 3},
    "reasons": [{"foreseen": "left alone", "code": "unsubscribed", "reason": "They said no.", "people": 3}],
    "requests": 14,
    "seconds": 95.0,
    "listed": 640,
    "unknown": ["Whom Letterbox refuses."],
}


def shown(service: FakeService, language: str = "en", **changes: Any) -> str:
    made = run("1", export="vips")
    target = made.targets[0].model_copy(update={"rehearsal": RehearsalView(**(TOLD | changes))})
    service.past = [made.model_copy(update={"targets": (target,), "kind": RunKind.REHEARSAL})]
    return page(client(service).get("/exports/vips/runs/1", headers={"cookie": f"language={language}"}))


def text(shown: str) -> str:
    return " ".join(re.sub("<[^>]+>", " ", unescape(shown)).split())


@pytest.mark.parametrize(
    ("language", "told"),
    [
        ("en", ("Would join 1,200", "Would be left alone 3 They said no. (3)", "It would take 14 requests")),
        ("ro", ("S-ar alătura 1.200", "Ar fi nevoie de 14 cereri")),
        ("sv", ("Skulle läggas till 1", "Det skulle ta 14 anrop")),
    ],
)
def test_what_is_foreseen_is_on_the_page(service: FakeService, language: str, told: tuple[str, ...]) -> None:
    found = text(shown(service, language))
    assert all(each in found for each in told), found


def test_it_leads_to_the_file_and_says_what_cannot_be_known(service: FakeService) -> None:
    found = shown(service)
    assert "/api/v1/exports/vips/runs/1/rehearsal.csv?target=0" in found
    assert "Whom Letterbox refuses." in found
    assert "640 people are on the list now" in text(found)
    assert "What the vendor said" not in found, "nothing was sent"


def test_of_a_list_too_long_and_jobs_not_known_it_says_so(service: FakeService) -> None:
    found = text(shown(service, listed=None, jobs_known=False))
    assert "The list has too many people to be read" in found
    assert "known after the first run" in found


def test_looks_at_jobs_and_jobs_known_of_smaller_runs_are_said(service: FakeService) -> None:
    found = text(shown(service, looks=3, jobs_known_to=50))
    assert "It would take 14 requests and 3 looks at what the vendor still works on" in found
    assert "known of smaller runs only" in found
    assert "looks at" not in text(shown(service))


def test_every_word_has_a_label_and_every_vendor_says_what_it_does_not_tell() -> None:
    assert tuple(FORESEEN) == WORDS
    assert all(each.unforeseen for each in DEFINITIONS.values())
