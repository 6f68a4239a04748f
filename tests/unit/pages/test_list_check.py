"""The page on which an export's lists are checked against their vendor, and mended."""

from __future__ import annotations

from typing import Any

import pytest

from shared.control.check_ups import CheckUpCost, CheckUpView, Doctor, Mendable
from shared.errors import Blocked
from shared.wording import say
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import client, page, post

NOT_YET = say("Check first.")
COST = CheckUpCost(count_requests=1, full_requests=1234, not_in_full="")


def checked(**changes: Any) -> CheckUpView:
    found: dict[str, Any] = {"members": 120, "listed": 118, "missing": 4, "strangers": 3, "lost": 2, "differs": 7}
    made = {"target": 0, "state": "ended", "full": True, "started_at": START, "started_by": "ann"}
    return CheckUpView.model_validate({**made, **found, "advice": ["Mend it."], **changes})


def shown(
    service: FakeService, monkeypatch: pytest.MonkeyPatch, latest: CheckUpView | None, repair: Mendable, **cost: Any
) -> str:
    service.world.save("vips")
    found = Doctor(cost=COST.model_copy(update=cost), latest=latest, repair=repair)
    monkeypatch.setattr(service, "doctor", lambda name, target: found)
    return page(client(service).get("/exports/vips/check"))


def test_what_a_check_found_is_shown_with_a_button_that_mends_it(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = shown(service, monkeypatch, checked(), Mendable(missing=4, lost=2, differs=7))
    for words, number in (
        ("On the record", "120"),
        ("On the list", "118"),
        ("Missing there", "4"),
        ("Lost track of", "2"),
        ("With other values", "7"),
        ("Not from this export", "1"),
    ):
        assert f"<dt>{words}</dt><dd>{number}</dd>" in text
    assert "Mend it." in text
    assert 'name="kind" value="repair"' in text
    assert "1,234 requests to the vendor" in text


def test_where_nothing_was_found_nothing_offers_to_mend_it(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    for repair in (Mendable(), Mendable(why_not=NOT_YET)):
        assert 'value="repair"' not in shown(service, monkeypatch, None, repair)


def test_one_that_is_under_way_is_looked_at_again(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(service, monkeypatch, checked(state="running"), Mendable(why_not=NOT_YET))
    assert 'hx-trigger="every 3s"' in text
    assert "Check the list</button>" not in text
    assert 'hx-trigger="every 3s"' not in shown(service, monkeypatch, checked(), Mendable())


def test_why_it_cannot_be_read_in_full_is_said_before(service: FakeService, monkeypatch: pytest.MonkeyPatch) -> None:
    text = shown(service, monkeypatch, None, Mendable(why_not=NOT_YET), not_in_full="Too many. Use full_resync.")
    assert "Too many. Use full_resync." in text
    assert "1 requests to the vendor" in text


def test_a_record_that_cannot_be_read_is_told_of(service: FakeService) -> None:
    service.world.save("vips")
    service.failure = Blocked("ledger_damaged", "The record is damaged.")
    assert "The record is damaged." in page(client(service).get("/exports/vips/check"))


def test_the_button_starts_a_check_in_full_where_that_can_be(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, bool]] = []

    def start(name: str, target: int, *, full: bool, by: str) -> CheckUpView:
        asked.append((target, full))
        return checked(state="running")

    service.world.save("vips")
    monkeypatch.setattr(service, "start_check_up", start)
    asking = client(service)
    for not_in_full in ("", "Too many."):
        found = Doctor(cost=COST.model_copy(update={"not_in_full": not_in_full}), latest=None)
        monkeypatch.setattr(service, "doctor", lambda name, target, found=found: found)
        answer = post(asking, "/exports/vips/check", b"target=0")
        assert answer.headers["hx-redirect"] == "/exports/vips/check"
    assert asked == [(0, True), (0, False)]
