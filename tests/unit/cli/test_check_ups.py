"""The doctor's look at lists, over an app that is told what to answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from cli.api import Answer, Api
from cli.check_ups import Wanted, compared
from cli.doctor import examine
from cli.failures import Exit, Failure
from cli.findings import Finding

ENDED: dict[str, Any] = {
    "state": "ended",
    "full": False,
    "message": "",
    "members": 10,
    "maybe": 0,
    "counted": 10,
    "listed": None,
    "missing": None,
    "strangers": None,
    "returned": None,
    "lost": None,
    "differs": None,
    "advice": ["As the vendor says."],
}
RUNNING = ENDED | {"state": "running"}


@dataclass
class Scripted:
    """In place of Api. Looks at a target are answered one after the other, the last one for ever."""

    exports: Mapping[str, int]
    """Export -> number of its targets."""
    looks: list[dict[str, Any] | Failure]
    refusals: dict[bool, Failure] = field(default_factory=dict)
    """What starting a check-up, in full or not, is refused with."""
    started: list[tuple[str, int, bool]] = field(default_factory=list)

    def get(self, address: str, query: Mapping[str, Any] | None = None) -> Answer:
        name = address.split("/")[4] if address.count("/") > 3 else None
        if not address.endswith("/doctor"):
            views = [{"name": each, "last_run": {}, "targets": [{}] * count} for each, count in self.exports.items()]
            return Answer(views[0] if name else views)
        look = self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]
        if isinstance(look, Failure):
            raise look
        return Answer({"latest": look})

    def send(self, method: str, address: str, body: Any) -> Answer:
        if refusal := self.refusals.get(body["full"]):
            raise refusal
        self.started.append((address.split("/")[4], body["target"], body["full"]))
        return Answer(RUNNING)


@pytest.fixture(autouse=True)
def in_no_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.check_ups.time.sleep", lambda seconds: None)


def look(app: Scripted, wanted: Wanted | None = None) -> list[Finding]:
    check = compared(wanted or Wanted(), lambda text: None)
    return list(check(cast(Api, app)))


def one(*looks: dict[str, Any] | Failure) -> Finding:
    [finding] = look(Scripted({"vips": 1}, list(looks)))
    return finding


def test_a_list_that_fits_its_record_is_well() -> None:
    found = one(RUNNING, RUNNING, ENDED)
    assert (found.state, found.message) == ("ok", "Expected 10, counted 10. As the vendor says.")


@pytest.mark.parametrize(
    ("counted", "maybe", "state", "words", "difference"),
    [
        (8, 0, "warning", "Expected 10, counted 8, 2 fewer.", -2),
        (13, 0, "warning", "Expected 10, counted 13, 3 more.", 3),
        (11, 1, "ok", "Expected 10 (and 1 perhaps), counted 11.", 0),
        (13, 1, "warning", "Expected 10 (and 1 perhaps), counted 13, 2 more.", 2),
        (None, 0, "ok", "Expected 10, counted not told.", None),
    ],
)
def test_a_difference_is_said_in_words_and_numbers(
    counted: int | None, maybe: int, state: str, words: str, difference: int | None
) -> None:
    found = one(ENDED | {"counted": counted, "maybe": maybe})
    assert (found.state, found.message) == (state, f"{words} As the vendor says.")
    assert (found.numbers["counted"], found.numbers["difference"]) == (counted, difference)


def test_in_full_as_many_missing_as_strangers_are_no_agreement() -> None:
    found = one(ENDED | {"full": True, "listed": 10, "missing": 2, "strangers": 2, "returned": 1})
    assert (found.state, found.numbers["difference"], found.numbers["strangers"]) == ("warning", 0, 2)
    other_values = one(ENDED | {"full": True, "listed": 10, "differs": 3})
    assert (other_values.state, other_values.numbers["differs"]) == ("warning", 3)


def test_every_target_of_every_export_is_started_before_any_is_waited_for() -> None:
    app = Scripted({"vips": 2, "others": 1}, [ENDED])
    assert [each.subject for each in look(app)] == ["vips/0", "vips/1", "others"]
    assert app.started == [("vips", 0, False), ("vips", 1, False), ("others", 0, False)]


def test_a_list_too_long_to_be_read_is_counted_instead() -> None:
    refusal = Failure("too_many_members", "Only their number can be compared.", status=422)
    app = Scripted({"vips": 1}, [ENDED], {True: refusal})
    [found] = look(app, Wanted("vips", full=True))
    assert (found.state, found.numbers["counted"]) == ("warning", 10)
    assert found.message.endswith("Only their number can be compared.")


@pytest.mark.parametrize(
    ("refusal", "state"),
    [
        (Failure("run_under_way", "Later.", status=409), "warning"),
        (Failure("nothing_delivered", "Run it.", status=422), "warning"),
        (Failure("forbidden", "Not you.", exit_status=Exit.NOT_ALLOWED, status=403), "warning"),
        (Failure("unexpected", "Broken.", status=500), "failed"),
    ],
)
def test_who_may_not_or_cannot_now_has_found_nothing_wrong(refusal: Failure, state: str) -> None:
    [found] = look(Scripted({"vips": 1}, [ENDED], {False: refusal}))
    assert (found.state, found.message) == (state, refusal.message)


def test_a_check_up_that_failed_is_a_failure() -> None:
    found = one(ENDED | {"state": "failed", "message": "The key is wrong."})
    assert (found.state, found.message) == ("failed", "The key is wrong.")


def test_an_app_that_is_away_for_a_moment_is_waited_for() -> None:
    away = Failure("unreachable", "Nobody answers.", exit_status=Exit.UNREACHABLE)
    assert one(away, away, ENDED).state == "ok"


def test_patience_ends() -> None:
    [found] = look(Scripted({"vips": 1}, [RUNNING]), Wanted(patience=-1))
    assert (found.state, found.message) == ("warning", "The check-up is still under way.")


def test_nobody_who_answers_ends_the_look() -> None:
    refusal = Failure("unreachable", "Nobody answers.", exit_status=Exit.UNREACHABLE)
    app = Scripted({"vips": 1}, [ENDED], {False: refusal})
    found, status = examine(cast(Api, app), (compared(Wanted(), lambda text: None),))
    assert (found[0].state, status) == ("failed", Exit.UNREACHABLE)
