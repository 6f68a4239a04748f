"""Rolls of people who said no: pages by place, what vendors' words mean, and what each vendor's answers are read as."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date

import pytest

from shared.errors import ExportError
from shared.vendors.answers import Answer, Request
from shared.vendors.iterable import opt_outs as iterable
from shared.vendors.omnisend import opt_outs as omnisend
from shared.vendors.opt_outs import OptOut, OptOutKind, day_before, kind_of, page_at


class Roll:
    """People by number, who come and go between two pages."""

    def __init__(self, people: int, *, leaving: Sequence[int] = (), joining: int = 0) -> None:
        self.people = [f"person{number}" for number in range(people)]
        self.leaving = list(leaving)
        self.joining = joining
        self.asked = 0

    def page(self, first: int, size: int) -> list[str]:
        if self.asked and self.leaving:
            self.people.remove(f"person{self.leaving.pop(0)}")
        if self.asked and self.joining:
            self.joining -= 1
            self.people.insert(0, f"newcomer{self.joining}")
        self.asked += 1
        return self.people[first : first + size]

    def read(self, size: int = 4) -> list[str]:
        """Everybody, as a reader finds them who keeps nothing but the place."""
        found, place = list[str](), ""
        while True:
            page, after = page_at(lambda first: self.page(first, size), size, place, str)
            found += page
            if after is None:
                return found
            assert "person" not in after
            place = after


@pytest.mark.parametrize("people", [0, 1, 3, 4, 5, 7, 8, 20])
def test_everybody_is_read_once_where_nobody_moves(people: int) -> None:
    roll = Roll(people)
    assert roll.read() == roll.people


def test_a_page_costs_one_question_where_nobody_moves() -> None:
    roll = Roll(20)
    roll.read()
    assert roll.asked == 7, "three new people a page, and the one before"


def places(begin: int, gone: int, size: int = 4) -> list[int]:
    """Where the reader looks that was at `begin` of a hundred people when the first `gone` left, and the last it met
    stays."""
    people, asked = [f"person{number}" for number in range(100)], list[int]()
    _, place = page_at(lambda first: people[first : first + size], size, f"{begin}:", str)
    del people[:gone]

    def ask(first: int) -> list[str]:
        asked.append(first)
        return people[first : first + size]

    found, _ = page_at(ask, size, str(place), str)
    assert found[0] == f"person{begin + size}", "nobody is missed"
    return asked


def test_the_further_people_moved_the_longer_are_the_steps_back() -> None:
    assert places(60, 0) == [63]
    assert places(60, 2) == [63, 60]
    assert places(60, 8) == [63, 60, 54]
    assert places(60, 20) == [63, 60, 54, 42]


def test_what_is_landed_calls_people_by_these_words() -> None:
    assert [*OptOutKind] == ["unsubscribed", "bounced", "complained", "suppressed", "deleted"]


@pytest.mark.parametrize("leaving", [[0], [0, 1, 2], [3], [2, 3], [3, 6, 0, 1]])
def test_nobody_is_missed_when_others_leave(leaving: list[int]) -> None:
    roll = Roll(20, leaving=leaving)
    assert set(roll.read()) >= set(roll.people)


def test_nobody_is_missed_when_others_come() -> None:
    roll = Roll(20, joining=3)
    assert set(roll.read()) >= {f"person{number}" for number in range(20)}


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("Unsubscribed", OptOutKind.UNSUBSCRIBED),
        ("UNSUBSCRIBE", OptOutKind.UNSUBSCRIBED),
        ("HardBounced", OptOutKind.BOUNCED),
        ("HARD_BOUNCE", OptOutKind.BOUNCED),
        ("IspComplained", OptOutKind.COMPLAINED),
        ("SPAM_COMPLAINT", OptOutKind.COMPLAINED),
        ("Marked as spam", OptOutKind.COMPLAINED),
        ("Deleted", OptOutKind.DELETED),
        ("USER_SUPPRESSED", OptOutKind.SUPPRESSED),
        ("MailBlocked", OptOutKind.SUPPRESSED),
        ("", OptOutKind.SUPPRESSED),
    ],
)
def test_a_vendors_word_has_a_meaning(reason: str, kind: OptOutKind) -> None:
    assert kind_of(reason) is kind


@pytest.mark.parametrize(
    ("moment", "day"),
    [("2026-11-20 10:28:00", "2026-11-19"), ("2026-03-01T00:00:00Z", "2026-02-28"), ("", ""), ("0001-01-01", "")],
)
def test_reading_begins_the_day_before(moment: str, day: str) -> None:
    assert day_before(moment) == day


def answer(body: bytes, status: int = 200) -> Answer:
    return Answer(status, {}, body)


def lines(*events: dict[str, object]) -> Answer:
    return answer("\n".join(json.dumps(each) for each in events).encode())


AT: dict[str, object] = {"email": "ann@example.com", "createdAt": "2026-11-22 10:00:00 +00:00"}


def test_iterables_events_tell_when_and_why() -> None:
    found = iterable.told("emailUnSubscribe", lines({**AT, "channelIds": [1], "unsubSource": "EmailLink"}))
    assert found == [OptOut("ann@example.com", OptOutKind.UNSUBSCRIBED, "2026-11-22T10:00:00+00:00", "EmailLink")]


def test_leaving_a_list_alone_is_no_opt_out_in_iterable() -> None:
    assert iterable.told("emailUnSubscribe", lines({**AT, "emailListIds": [7]})) == []
    both = iterable.told("emailUnSubscribe", lines({**AT, "emailListIds": [7], "messageTypeIds": [1]}))
    assert len(both) == 1
    assert len(iterable.told("emailUnSubscribe", lines({**AT, "emailListIds": [7], "channelIds": [1]}))) == 1


def test_iterables_own_words_are_the_reason_as_far_as_it_has_some() -> None:
    bounce: dict[str, object] = {**AT, "recipientState": "HardBounce" + "x" * 100}
    [told] = iterable.told("emailBounce", lines(bounce))
    assert (told.kind, told.reason[:10], len(told.reason)) == (OptOutKind.BOUNCED, "HardBounce", 60)
    [told] = iterable.told("emailComplaint", lines(AT))
    assert (told.kind, told.reason) == (OptOutKind.COMPLAINED, "emailComplaint")


def test_what_iterable_leaves_out_is_left_out() -> None:
    assert iterable.told("emailBounce", lines({"createdAt": "x"}, {"email": "", "createdAt": "x"})) == []
    [told] = iterable.told("emailBounce", lines({"email": "ann@example.com"}))
    assert told.at == ""
    [told] = iterable.told("emailBounce", lines({"email": "ann@example.com", "createdAt": "2026-11-22"}))
    assert told.at == "2026-11-22"


@pytest.mark.parametrize(("state", "counts"), [("HardBounce", 1), ("SoftBounce", 0), (None, 1)])
def test_mail_that_may_arrive_yet_did_not_bounce(state: str | None, counts: int) -> None:
    assert len(iterable.told("emailBounce", lines({**AT, "recipientState": state}))) == counts


@pytest.mark.parametrize("odd", [answer(b"", 500), answer(b"<html>"), answer(b"[1]"), answer(b'{"email": ')])
def test_an_odd_answer_of_iterables_is_no_empty_roll(odd: Answer) -> None:
    with pytest.raises(ExportError):
        iterable.told("emailBounce", odd)


class Windows:
    """Stands for Iterable, and keeps which windows were asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str]] = []

    def ask(self, request: Request, parse: object) -> list[OptOut]:
        self.asked.append((request.query["startDateTime"][:10], request.query["endDateTime"][:10]))
        return []

    def read(self, since: str, today: date) -> list[tuple[str, str]]:
        [roll, *_] = iterable.rolls(self, lambda: today)  # type: ignore[arg-type]  # asks in the client's place
        place: str | None = ""
        while place is not None:
            place = roll.read(since, place).after
        return self.asked


def test_iterables_windows_follow_each_other_up_to_today() -> None:
    assert Windows().read("2026-09-15T10:00:00+00:00", date(2026, 11, 30)) == [
        ("2026-09-14", "2026-10-14"),
        ("2026-10-14", "2026-11-13"),
        ("2026-11-13", "2026-12-13"),
    ]


def test_a_window_that_ends_today_does_not_hold_today() -> None:
    assert Windows().read("2026-11-01T10:00:00+00:00", date(2026, 11, 30)) == [
        ("2026-10-31", "2026-11-30"),
        ("2026-11-30", "2026-12-30"),
    ]


def test_iterable_is_read_two_years_back_at_first() -> None:
    asked = Windows().read("", date(2026, 11, 30))
    assert (asked[0], len(asked)) == (("2024-12-10", "2025-01-09"), 25)


def test_each_type_of_event_is_a_roll_of_its_own() -> None:
    names = [each.name for each in iterable.rolls(Windows())]  # type: ignore[arg-type]  # nothing is asked
    assert names == ["emailUnSubscribe", "emailBounce", "emailComplaint"]


def test_omnisend_tells_since_when_by_the_channel() -> None:
    contact = {
        "email": "ann@example.com",
        "statuses": [
            {"channel": "sms", "status": "unsubscribed", "statusChangedAt": "2026-01-01T00:00:00Z"},
            {"channel": "email", "status": "unsubscribed", "statusChangedAt": "2026-11-22T10:00:00Z"},
        ],
    }
    body = {"contacts": [contact], "paging": {"hasMore": True, "cursors": {"after": "next"}}}
    people, after = omnisend.told(answer(json.dumps(body).encode()))
    assert people == [OptOut("ann@example.com", OptOutKind.UNSUBSCRIBED, "2026-11-22T10:00:00Z", "unsubscribed")]
    assert after == "next"
