"""Opt-outs on the form and the page of a connection."""

from __future__ import annotations

from dataclasses import replace
from html import unescape
from urllib.parse import urlencode

from shared.catalog.opt_outs import OptOutsWanted
from shared.delivery.opt_outs import collecting
from shared.delivery.opt_outs.model import Part
from shared.delivery.opt_outs.record import OptOutReading, ReadingState
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import client, page, post

ONE = "/connections/marketing"


def form(service: FakeService, **fields: str) -> bytes:
    """The form of the connection with these fields changed."""
    shown = page(client(service).get(f"{ONE}/edit"))
    version = unescape(shown.partition('name="version" value="')[2].partition('"')[0])
    kept = {"credentials.key.how": "kept", "credentials.key.secret": "letterbox-key"}
    usual = {"display_name": "Marketing", "vendor": "letterbox", "settings.region": "eu", "agreed": "on"}
    return urlencode({**usual, **kept, "version": version, "opt_outs_location": "", **fields}).encode()


def wanted(service: FakeService) -> OptOutsWanted | None:
    return service.catalog.connection("marketing").item.opt_outs


def landed(service: FakeService, **changes: object) -> None:
    service.world.connect(opt_outs=OptOutsWanted(location="lake/opt-outs"))
    reading = OptOutReading(mark="ab", started=START.timestamp(), started_by="Ben", **changes)  # type: ignore[arg-type]
    fresh = collecting.blank(service.catalog.connection("marketing").item)
    service.landed = replace(fresh, parts=(Part(1, 1234, "x"),), reading=reading)


def test_the_form_says_what_the_vendor_tells_and_saves_what_is_chosen(service: FakeService) -> None:
    assert "unsubscribed, bounced." in page(client(service).get(f"{ONE}/edit"))
    chosen = form(service, opt_outs_location=" lake/opt-outs ", opt_outs_exclude="on")
    assert "Saved." in page(post(client(service), ONE, chosen))
    assert wanted(service) == OptOutsWanted(location="lake/opt-outs", daily=False, exclude=True)
    shown = page(client(service).get(f"{ONE}/edit"))
    assert 'value="lake/opt-outs"' in shown
    assert 'name="opt_outs_exclude" value="on" checked' in shown
    assert 'name="opt_outs_daily" value="on">' in shown


def test_without_a_place_nobody_comes_back(service: FakeService) -> None:
    landed(service)
    assert "Saved." in page(post(client(service), ONE, form(service, opt_outs_daily="on")))
    assert wanted(service) is None
    assert "do not come back" in page(client(service).get(ONE))


def test_a_place_that_is_none_is_said_at_its_field(service: FakeService) -> None:
    answer = post(client(service), ONE, form(service, opt_outs_location="lake"))
    assert answer.status == 422
    assert "Write a container and a folder in it" in page(answer)
    assert 'id="f-opt_outs-location"' in page(answer)
    assert wanted(service) is None


def test_a_vendor_that_tells_nobody_offers_nothing(service: FakeService) -> None:
    service.world.connect("plain", vendor="plain", settings={}, secrets={})
    assert "Opt-outs" not in page(client(service).get("/connections/plain/edit"))
    assert "Opt-outs" not in page(client(service).get("/connections/plain"))


def test_the_page_says_how_many_there_are_and_what_is_new(service: FakeService) -> None:
    landed(service, state=ReadingState.ENDED, found={"bounced": 2}, lost=("list-7",))
    shown = page(client(service).get(ONE))
    for words in ("lake/opt-outs", "1,234", "bounced", "list-7", "Every day", "Read now", "Ben"):
        assert words in shown, words


def test_while_it_is_read_the_page_looks_again_and_nobody_starts_another(service: FakeService) -> None:
    landed(service)
    shown = page(client(service).get(ONE))
    assert 'hx-select="#opt-outs"' in shown
    assert "Read now" not in shown


def test_reading_is_started_by_a_button(service: FakeService) -> None:
    service.world.connect(opt_outs=OptOutsWanted(location="lake/opt-outs"))
    assert "Running" in page(post(client(service), f"{ONE}/opt-outs"))
    assert post(client(service, "carl"), f"{ONE}/opt-outs").status == 403


def test_reading_afresh_is_a_button_of_its_own_once_there_are_rows(service: FakeService) -> None:
    landed(service, state=ReadingState.ENDED)
    assert "Read afresh" in page(client(service).get(ONE))
    post(client(service), f"{ONE}/opt-outs", b"afresh=on")
    assert service.landed is not None and service.landed.reading is not None
    assert service.landed.reading.afresh


def test_why_a_reading_failed_is_said(service: FakeService) -> None:
    landed(service, state=ReadingState.FAILED, message="The key is wrong.")
    assert "The key is wrong." in page(client(service).get(ONE))
