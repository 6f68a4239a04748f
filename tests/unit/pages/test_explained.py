"""One person explained on a page: a verdict, and what happened as sentences with their times."""

from __future__ import annotations

from shared.wording import say
from tests.unit.api.service import FakeService, run
from tests.unit.pages.asking import client, page, post

TARGET = {
    "target": "list:VIP",
    "verdict": say("On the list, and in the segment."),
    "segments": [],
    "ledger": {"changed_at": "2026-11-20 06:00:00", "status": "member"},
    "receipts": [],
    "story": [
        {"at": "", "run": "", "text": say("%(segment)s could not be looked into: %(why)s", segment="VIP", why="Gone.")},
        {"at": "2026-11-20T06:00:00+00:00", "run": "r1", "text": say("Added to the list.")},
    ],
}


def explained(service: FakeService, **headers: str) -> str:
    service.past = [run("r1")]
    service.explained = [TARGET]
    return page(post(client(service, **headers), "/exports/vips/runs/r1/explain", b"address=ada%40example.com"))


def test_a_person_is_explained_in_sentences_with_times_and_the_way_to_each_run(service: FakeService) -> None:
    text = explained(service)
    assert "<strong>On the list, and in the segment.</strong>" in text
    assert "VIP could not be looked into: Gone." in text
    added = text.partition('datetime="2026-11-20T06:00:00+00:00"')[2].partition("</li>")[0]
    assert "Added to the list." in added
    assert 'href="/exports/vips/runs/r1"' in added
    for data in ("changed_at", "status", "member", "example.com"):
        assert data not in text


def test_the_sentences_are_in_the_readers_language(service: FakeService) -> None:
    assert "Tillagd på listan." in explained(service, **{"accept-language": "sv"})
