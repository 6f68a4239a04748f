"""Who unsubscribed under another spelling of the address gets no consent by it."""

from __future__ import annotations

import json

import pytest

from shared.errors import RetryAfter
from shared.vendors.contract import Kind, Row
from shared.vendors.omnisend.responses import ContactsPage
from shared.vendors.omnisend.spellings import LEFT_ALONE, TOO_MANY, OtherSpellings
from tests.unit.vendors.omnisend.brand import TARGET, Brand, receipts, world
from tests.unit.vendors.omnisend.test_staging import settled

CONSENT = json.dumps({"emailConsentAt": "2020-01-01"}, separators=(",", ":"))


@pytest.mark.parametrize("spelling", ["Ann.Lee@Example.com", "ANN.LEE@EXAMPLE.COM", "ann.lee@example.COM"])
@pytest.mark.parametrize("kind", [Kind.ADD, Kind.CHANGE])
def test_a_change_of_case_subscribes_nobody(spelling: str, kind: Kind) -> None:
    brand = Brand(unsubscribed={spelling, "Bo@example.com"}, contacts={"cy@example.com": {}})
    people = [Row("ann.lee@example.com", CONSENT), Row("cy@example.com", CONSENT)]
    with world(brand) as here:
        found = receipts(settled(here, brand, kind, people), 2)
    assert found[0] == LEFT_ALONE
    assert (found[0].outcome, found[0].code) == ("skipped", "unsubscribed")
    assert found[1].outcome == "accepted"
    assert brand.contacts.keys() == {"cy@example.com"}
    assert brand.contacts["cy@example.com"]["identifiers"][0]["channels"]


def test_a_domain_in_letters_is_the_same_mailbox() -> None:
    brand = Brand(unsubscribed={"info@müller.de"})
    with world(brand) as here:
        assert receipts(settled(here, brand, Kind.ADD, [Row("info@xn--mller-kva.de", CONSENT)]), 1) == [LEFT_ALONE]


def test_the_vendors_own_spelling_goes_to_omnisend_which_looks_at_the_date() -> None:
    brand = Brand(unsubscribed={"ann.lee@example.com"})
    with world(brand) as here:
        settled(here, brand, Kind.ADD, [Row("ann.lee@example.com", CONSENT)])
    assert brand.contacts["ann.lee@example.com"]["identifiers"][0]["channels"]


@pytest.mark.parametrize(
    ("kind", "row"),
    [
        (Kind.ADD, Row("ann.lee@example.com", '{"city":"Ulm"}')),
        (Kind.ADD, Row("ann.lee@example.com", CONSENT, returning=True)),
        (Kind.REMOVE, Row("ann.lee@example.com")),
    ],
)
def test_where_no_consent_is_sent_nothing_is_read(kind: Kind, row: Row) -> None:
    brand = Brand(unsubscribed={"Ann.Lee@Example.com"})
    with world(brand) as here:
        settled(here, brand, kind, [row])
        assert not [seen for seen in here.asked("GET", "contacts") if "status=" in seen.path]


def test_it_is_read_once_page_by_page_and_goes_on_where_it_was_interrupted() -> None:
    asked: list[str | None] = []

    def ask(after: str | None) -> ContactsPage:
        asked.append(after)
        if len(asked) == 2:
            raise RetryAfter(30, "Requests have to wait.")
        return ContactsPage([f"P{after}@x.com"], None if after == "2" else str(int(after or 0) + 1))

    spellings = OtherSpellings(ask)
    rows = [Row("p2@x.com", CONSENT), Row("p9@x.com", CONSENT)]
    with pytest.raises(RetryAfter):
        spellings.among(rows)
    assert spellings.among(rows) == {0: LEFT_ALONE}
    assert spellings.among(rows) == {0: LEFT_ALONE}
    assert asked == [None, "1", "1", "2"]


@pytest.mark.parametrize(("count", "fits"), [(100_000, True), (100_001, False)])
def test_a_hundred_thousand_people_are_read_and_no_more(count: int, fits: bool) -> None:
    def ask(after: str | None) -> ContactsPage:
        start = int(after or 0)
        stop = min(start + 250, count)
        return ContactsPage(["Ann@x.com"] * (stop - start), None if stop == count else str(stop))

    found = OtherSpellings(ask).among([Row("ann@x.com", CONSENT)])
    assert found == ({0: LEFT_ALONE} if fits else None)


def test_with_too_many_to_read_nobody_gets_consent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shared.vendors.omnisend.spellings.MOST_PAGES", 2)
    brand = Brand(unsubscribed={f"Person{number}@example.com" for number in range(600)})
    with world(brand) as here:
        people = [Row("cy@example.com", CONSENT)]
        assert here.vendor.deliver(TARGET, Kind.ADD, people).warnings == (TOO_MANY,)
        found = settled(here, brand, Kind.ADD, people)
        assert len(here.asked("GET", "contacts")) == 2
    assert found.default.outcome == "accepted"
    assert "channels" not in brand.contacts["cy@example.com"]["identifiers"][0]
