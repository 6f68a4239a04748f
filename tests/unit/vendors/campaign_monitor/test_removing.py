"""Removals against a scripted server: one request each, states respected, nothing done twice in vain."""

from __future__ import annotations

import itertools
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from shared.errors import LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.vendors.campaign_monitor.receipts import rejected
from shared.vendors.campaign_monitor.removing import GROUP, LANES, Turns, remove
from shared.vendors.contract import Kind, Receipt, Retry, Row
from tests.unit.vendors.campaign_monitor.account import (
    BAD_KEY,
    CLIENT,
    EMPTY,
    FAILED,
    KEY,
    LIST,
    OTHER,
    TARGET,
    Account,
    error,
    hang_up,
    receipts,
    rows,
    world,
)
from tests.unit.vendors.loopback import Raw, Reply, Seen, reply

REMOVAL = f"/subscribers/{LIST}"


def on_removal(answer: Callable[[Seen], Reply | Raw | None]) -> Callable[[Seen, str], Reply | Raw | None]:
    return lambda seen, path: answer(seen) if path == REMOVAL and seen.method == "DELETE" else None


def active(count: int) -> dict[str, str]:
    return {row.address: "Active" for row in rows(count)}


def test_people_are_deleted_from_the_list_one_by_one() -> None:
    account = Account(people=active(200) | {"stays@example.com": "Active"})
    with world(account, removal_rate=10_000.0) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(200))
        assert (found.default.outcome, found.others, found.requests) == ("accepted", {}, 200)
        assert [each for each, state in account.people.items() if state == "Active"] == ["stays@example.com"]
        assert account.suppressed == []
        assert here.removed() == sorted(row.address for row in rows(200))
        assert here.calls()[:3] == [
            f"GET lists/{LIST}/unsubscribed",
            f"GET lists/{LIST}/bounced",
            f"GET clients/{CLIENT}/suppressionlist",
        ]


def test_states_at_the_vendor_are_not_forgotten_by_a_removal() -> None:
    account = Account(people=active(5) | {"p1@example.com": "Unsubscribed", "p2@example.com": "Bounced"})
    account.suppressed = ["P3@example.com"]
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(5))
        assert receipts(found, 5) == [
            "accepted",
            "skipped unsubscribed",
            "skipped bounced",
            "skipped suppressed",
            "accepted",
        ]
        assert here.removed() == ["p0@example.com", "p4@example.com"]
        assert account.people["p1@example.com"] == "Unsubscribed"


def test_who_unsubscribed_since_the_last_batch_is_seen() -> None:
    account = Account(people=active(4))
    with world(account) as here:
        here.vendor.deliver(TARGET, Kind.REMOVE, rows(2))
        account.people["p3@example.com"] = "Unsubscribed"
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(4)[2:])
        assert receipts(found, 2) == ["accepted", "skipped unsubscribed"]


def test_where_everybody_is_left_alone_nobody_is_removed() -> None:
    with world(Account(suppressed=[row.address for row in rows(3)])) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
        assert receipts(found, 3) == ["skipped suppressed"] * 3
        assert here.removed() == []


def test_without_the_vendors_states_nobody_is_removed() -> None:
    account = Account(people=active(3), other={f"/clients/{CLIENT}/suppressionlist": Reply(200, b"{}")})
    with world(account) as here:
        with pytest.raises(RetryAfter):
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
        assert here.removed() == []


def test_a_removal_that_is_repeated_finds_the_work_done() -> None:
    account = Account(people=active(3))
    with world(account) as here:
        for expected in ("accepted", "accepted not_on_list"):
            assert receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(3)), 3) == [expected] * 3


def test_a_404_is_a_person_who_is_gone_while_the_list_is_there() -> None:
    account = Account(meddle=on_removal(lambda seen: Reply(404, b"")))
    with world(account) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(20)), 20) == ["accepted not_found"] * 20
        assert 1 <= here.calls().count(f"GET lists/{LIST}") <= LANES


@pytest.mark.parametrize("answer", [Reply(404, b""), error(101), error(102, status=401)])
def test_a_list_that_is_gone_needs_a_person(answer: Reply) -> None:
    pages = reply({"Results": [], "TotalNumberOfRecords": 0, "NumberOfPages": 0})
    rolls = {f"/lists/{LIST}/{state}": pages for state in ("unsubscribed", "bounced")}
    with world(Account(lists={OTHER: "b"}, other={REMOVAL: answer, **rolls})) as here:
        with pytest.raises(UserMustAct) as error_:
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
        assert error_.value.code == "target_vanished"


def test_a_list_that_is_gone_is_noticed_while_states_are_read() -> None:
    with world(Account(lists={OTHER: "b"})) as here:
        with pytest.raises(UserMustAct) as error_:
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
        assert error_.value.code == "target_vanished"
        assert here.removed() == []


@pytest.mark.parametrize(
    "address", ["ana+news@example.com", "o'brien&co=x@example.com", "ü@example.com", "a/b?c@x.com"]
)
def test_addresses_arrive_as_they_are(address: str) -> None:
    account = Account(people={address: "Active"})
    with world(account) as here:
        here.vendor.deliver(TARGET, Kind.REMOVE, [Row(address)])
        assert account.people == {address: "Deleted"}


def test_a_few_at_a_time_and_never_more() -> None:
    here_now, most, lock, full = 0, 0, threading.Lock(), threading.Event()

    def count(seen: Seen) -> Reply:
        nonlocal here_now, most
        with lock:
            here_now += 1
            most = max(most, here_now)
            if here_now == LANES:
                full.set()
        full.wait(10)  # until all lanes are under way; later requests do not wait
        with lock:
            here_now -= 1
        return EMPTY

    account = Account(meddle=on_removal(count))
    with world(account, removal_rate=10_000.0) as here, ThreadPoolExecutor(4) as pool:
        batches = [rows(100)[start : start + 25] for start in range(0, 100, 25)]
        results = list(pool.map(lambda batch: here.vendor.deliver(TARGET, Kind.REMOVE, batch), batches))
        assert {result.default.outcome for result in results} == {"accepted"}
        assert most == LANES


# When things go wrong


def test_no_answer_is_unknown_for_that_person_only() -> None:
    account = Account(people=active(10), meddle=on_removal(lambda seen: hang_up if "p7%40" in seen.path else None))
    with world(account) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(10)), 10)
        assert {index: words for index, words in enumerate(found) if words != "accepted"} == {7: "unknown unknown"}


@pytest.mark.parametrize("answer", [FAILED, Reply(200, b"{}"), Reply(202, b""), Reply(302, b"", {"Location": "/x"})])
def test_an_unexpected_answer_is_never_success(answer: Reply) -> None:
    with world(Account(meddle=on_removal(lambda seen: answer))) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(2)), 2) == ["unknown unknown"] * 2


def test_a_refusal_keeps_the_person_for_the_next_run() -> None:
    account = Account(people=active(2), meddle=on_removal(lambda seen: error(77) if "p0%40" in seen.path else None))
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.REMOVE, rows(2))
        assert sorted(receipts(found, 2)) == ["accepted", "rejected refused"]
        assert Retry.NEXT_RUN in {found.default.retry, *(each.retry for each in found.others.values())}


def test_a_rate_limit_before_anything_was_done_ends_the_slice() -> None:
    limited = reply({"Code": 429, "Message": "m"}, 429)
    with world(Account(meddle=on_removal(lambda seen: limited))) as here, pytest.raises(RetryAfter) as error_:
        here.vendor.deliver(TARGET, Kind.REMOVE, rows(3))
    assert error_.value.seconds >= 30


def test_a_rate_limit_in_the_middle_is_waited_out() -> None:
    limits: Iterator[Reply] = iter([reply({"Code": 429, "Message": "m"}, 429)])
    account = Account(people=active(100))
    account.meddle = on_removal(lambda seen: next(limits, None) if "p50%40" in seen.path else None)
    with world(account, removal_rate=10_000.0) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(100)), 100) == ["accepted"] * 100
        assert max(here.clock.waits) >= 25


def test_once_something_may_have_been_done_there_is_no_way_back() -> None:
    def remove_one(row: Row) -> Receipt:
        match row.address[:2]:
            case "p0":
                raise OutcomeUnknown("No answer.")
            case "p1":
                return rejected("refused", "Refused.", Retry.NEXT_RUN)
        raise RetryAfter(300, "Requests have to wait.")

    found = remove(rows(3), {}, remove_one, lambda seconds: None)
    assert receipts(found, 3) == ["unknown unknown", "rejected refused", "unknown unknown"]


def test_a_key_that_is_revoked_in_the_middle_leaves_the_rest_for_the_next_run() -> None:
    account = Account(people=active(100))
    account.meddle = on_removal(lambda seen: BAD_KEY if "p7" in seen.path else None)
    with world(account, removal_rate=10_000.0) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.REMOVE, rows(100)), 100)
        assert found[0] == "accepted"
        assert found[7] == found[99] == "rejected bad_credentials"
        assert set(found) == {"accepted", "rejected bad_credentials"}


def test_a_lost_lease_leaves_at_once() -> None:
    checks = itertools.count()

    def check() -> None:
        if next(checks) == 20:
            raise LeaseLost("taken over")

    with world(Account(people=active(100)), hooks={"before_request": check}, removal_rate=10_000.0) as here:
        with pytest.raises(LeaseLost):
            here.vendor.deliver(TARGET, Kind.REMOVE, rows(100))
        assert len(here.removed()) < GROUP


def test_nobodys_address_reaches_a_log_or_a_reason(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    answers = {"p0": error(77, "No p0@example.com"), "p1": FAILED, "p2": Reply(400, b"<p2@example.com>")}
    account = Account(people=active(5))
    account.meddle = on_removal(
        lambda seen: next((answer for name, answer in answers.items() if f"{name}%40" in seen.path), None)
    )
    with world(account) as here:
        result = here.vendor.deliver(TARGET, Kind.REMOVE, rows(5))
        told = caplog.text + repr(result)
        assert "example" not in told.replace("[address]", "")
        assert KEY not in told


# Turns


def test_batches_that_would_begin_too_late_are_sent_back_until_all_have_left() -> None:
    turns = Turns(seconds=-1.0)
    came, leave = threading.Event(), threading.Event()

    def wait_for_my_turn() -> str:
        came.set()
        try:
            with turns.take():
                return "had it"
        except RetryAfter:
            return "sent back"

    with ThreadPoolExecutor(1) as pool:
        with turns.take():
            later = pool.submit(wait_for_my_turn)
            came.wait(10)
            while turns._here < 2:
                leave.wait(0.001)
        assert later.result() == "sent back"
    with turns.take():
        pass


def test_batches_that_begin_in_time_all_have_their_turn() -> None:
    turns = Turns()

    def one(_: int) -> bool:
        with turns.take():
            return True

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(one, range(20)))


# Members


def test_members_are_those_who_get_mail_or_will() -> None:
    people = {f"p{number:04d}@example.com": "Active" for number in range(2500)}
    others = {"u@example.com": "Unsubscribed", "b@example.com": "Bounced", "d@example.com": "Deleted"}
    account = Account(people=people | others | {"waits@example.com": "Unconfirmed"})
    with world(account) as here:
        assert list(here.vendor.members(TARGET)) == [*people, "waits@example.com"]


def test_members_of_a_list_that_is_gone() -> None:
    with world(Account(lists={})) as here, pytest.raises(UserMustAct) as error_:
        list(here.vendor.members(TARGET))
    assert error_.value.code == "target_vanished"
