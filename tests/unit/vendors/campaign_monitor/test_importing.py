"""Additions and changes against a scripted server: imports, second tries, and re-entry after our own removal."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from shared.errors import LeaseLost, RetryAfter, UserMustAct
from shared.vendors.campaign_monitor import importing
from shared.vendors.contract import PROFILE_MISSING, Evidence, FieldType, Kind, Retry, Row, TargetFound, TargetWanted
from tests.unit.vendors.campaign_monitor.account import (
    BAD_KEY,
    CLIENT,
    FAILED,
    KEY,
    LIST,
    OTHER,
    TARGET,
    WRONG_ID,
    Account,
    addresses,
    error,
    hang_up,
    receipts,
    rows,
    world,
)
from tests.unit.vendors.loopback import Raw, Reply, Seen, reply

IMPORT = f"/subscribers/{LIST}/import"
ROLLS = [f"GET lists/{LIST}/unsubscribed", f"GET lists/{LIST}/bounced", f"GET clients/{CLIENT}/suppressionlist"]


def on_import(answer: Callable[[Seen], Reply | Raw | None]) -> Callable[[Seen, str], Reply | Raw | None]:
    return lambda seen, path: answer(seen) if path == IMPORT else None


@pytest.mark.parametrize("kind", list(Kind))
def test_an_empty_batch_makes_no_request(kind: Kind) -> None:
    with world(Account()) as here:
        assert here.vendor.deliver(TARGET, kind, []).requests == 0
        assert here.server.seen == []


@pytest.mark.parametrize("kind", [Kind.ADD, Kind.CHANGE])
def test_a_batch_is_one_import_and_certain(kind: Kind) -> None:
    account = Account(people={} if kind is Kind.ADD else {row.address: "Active" for row in rows(1000)})
    with world(account) as here:
        found = here.vendor.deliver(TARGET, kind, rows(1000))
        assert (found.default.evidence, found.others, found.requests) == (Evidence.CONFIRMED, {}, 1)
        assert len(account.people) == len(here.imports()[0].json()["Subscribers"]) == 1000
        assert here.calls()[-1] == f"POST subscribers/{LIST}/import"
        assert len(here.calls()) == (1 if kind is Kind.ADD else 3)


def test_what_was_prepared_shapes_the_import() -> None:
    with world(Account(), consent_to_track="No") as here:
        target = here.vendor.prepare(TargetWanted(None, "Loyal"), None, {"Post code": FieldType.STRING})
        later = TargetFound(target.list_id, target.name, details=dict(target.details))
        found = here.vendor.deliver(later, Kind.ADD, [Row("a@x.com", '{"Post code":"07030","Shoe size":"42"}')])
        assert here.imports()[0].json()["Subscribers"] == [
            {
                "EmailAddress": "a@x.com",
                "ConsentToTrack": "No",
                "CustomFields": [{"Key": "Postcode", "Value": "07030"}],
            }
        ]
        assert found.warnings == ("The list has no field Shoe size, so its values were left out.",)


def test_imports_are_cut_by_rows_and_by_bytes() -> None:
    with world(Account(), batch_rows=400) as here:
        here.vendor.deliver(TARGET, Kind.ADD, rows(1000))
        assert [len(addresses(seen)) for seen in here.imports()] == [400, 400, 200]
    fields = {f"f{number}": FieldType.STRING for number in range(50)}
    values = json.dumps(dict.fromkeys(fields, "x" * 250))
    with world(Account()) as here:
        target = here.vendor.prepare(TargetWanted(None, "Loyal"), None, fields)
        here.vendor.deliver(target, Kind.ADD, rows(1000, values))
        assert len(here.imports()) > 1
        assert all(len(seen.body) <= 4_010_000 for seen in here.imports())


def test_states_at_the_vendor_are_respected_by_every_import() -> None:
    states = {"p0": "Unsubscribed", "p1": "Bounced", "p2": "Deleted", "p3": "Unconfirmed", "p5": "Active"}
    account = Account(people={f"{name}@example.com": state for name, state in states.items()})
    account.suppressed = ["p4@example.com"]
    before = dict(account.people)
    for kind in (Kind.ADD, Kind.CHANGE):
        with world(account) as here:
            found = receipts(here.vendor.deliver(TARGET, kind, rows(6)), 6)
            assert found == [
                "rejected unsubscribed",
                "rejected bounced",
                "rejected deleted",
                "skipped unconfirmed",
                "rejected suppressed" if kind is Kind.ADD else f"rejected {PROFILE_MISSING}",
                "accepted",
            ]
            assert [seen.json()["Resubscribe"] for seen in here.imports()] == [False]
        assert account.people == before


# Re-entry


def test_who_was_deleted_by_us_comes_back() -> None:
    account = Account(people={f"p{number}@example.com": "Deleted" for number in range(3)})
    with world(account) as here:
        batch = [*rows(2, returning=True), *rows(4)[2:]]
        found = here.vendor.deliver(TARGET, Kind.ADD, batch)
        assert receipts(found, 4) == ["accepted", "accepted", "rejected deleted", "accepted"]
        assert found.others[2].retry is Retry.NEXT_RUN
        imported = [(addresses(seen), seen.json()["Resubscribe"]) for seen in here.imports()]
        assert imported == [
            ([row.address for row in batch], False),
            (["p0@example.com", "p1@example.com"], True),
        ]
        assert account.people["p2@example.com"] == "Deleted"
        assert here.calls()[1:-1] == ROLLS


@pytest.mark.parametrize(("on", "code"), [("Unsubscribed", "unsubscribed"), ("Bounced", "bounced"), ("", "suppressed")])
def test_leaving_and_coming_back_does_not_launder_anything(on: str, code: str) -> None:
    """An import may say Deleted of somebody who is on one of the other lists as well."""
    account = Account(people={f"p{number}@example.com": "Deleted" for number in range(3)})

    def meanwhile(seen: Seen, path: str) -> Reply | None:
        if path == IMPORT or account.people["p1@example.com"] != "Deleted":
            return None
        if on:
            account.people["p1@example.com"] = on
        else:
            account.suppressed.append("p1@example.com")
        return None

    account.meddle = meanwhile
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(3, returning=True))
        assert receipts(found, 3) == ["accepted", f"skipped {code}", "accepted"]
        assert addresses(here.imports()[-1]) == ["p0@example.com", "p2@example.com"]


def test_where_nobody_may_come_back_nothing_is_resubscribed() -> None:
    account = Account(people={"p0@example.com": "Deleted"}, suppressed=["p0@example.com"])
    account.meddle = on_import(
        lambda seen: error(
            210,
            ResultData={
                "TotalUniqueEmailsSubmitted": 1,
                "TotalExistingSubscribers": 0,
                "TotalNewSubscribers": 0,
                "FailureDetails": [{"EmailAddress": "p0@example.com", "Code": 205}],
            },
        )
    )
    with world(account) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(1, returning=True)), 1) == ["skipped suppressed"]
        assert len(here.imports()) == 1


def test_a_change_brings_nobody_back() -> None:
    account = Account(people={"p0@example.com": "Deleted"})
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.CHANGE, rows(1, returning=True))
        assert receipts(found, 1) == ["rejected deleted"]
        assert len(here.imports()) == 1


def test_a_re_entry_that_is_refused_again_ends() -> None:
    def still_deleted(seen: Seen) -> Reply:
        failures = [{"EmailAddress": each, "Code": 205} for each in addresses(seen)]
        counts = {"TotalUniqueEmailsSubmitted": 2, "TotalExistingSubscribers": 0, "TotalNewSubscribers": 0}
        return error(210, ResultData={"FailureDetails": failures, **counts})

    with world(Account(meddle=on_import(still_deleted))) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(2, returning=True))
        assert receipts(found, 2) == ["rejected deleted"] * 2
        assert len(here.imports()) == 2


def test_re_entries_that_cannot_be_checked_wait_for_the_next_run_once_others_are_done() -> None:
    account = Account(people={"p0@example.com": "Deleted"}, other={"/lists/" + LIST + "/bounced": FAILED})
    with world(account) as here:
        batch = [*rows(1, returning=True), *rows(2)[1:]]
        found = here.vendor.deliver(TARGET, Kind.ADD, batch)
        assert receipts(found, 2) == ["rejected not_sent", "accepted"]
        assert found.others[0].retry is Retry.NEXT_RUN if 0 in found.others else found.default.retry is Retry.NEXT_RUN
        assert account.people["p0@example.com"] == "Deleted"


def test_where_only_re_entries_were_asked_nothing_was_done_and_it_is_tried_later() -> None:
    account = Account(people={"p0@example.com": "Deleted"}, other={"/lists/" + LIST + "/bounced": FAILED})
    with world(account) as here, pytest.raises(RetryAfter):
        here.vendor.deliver(TARGET, Kind.ADD, rows(1, returning=True))


def test_a_repeated_re_entry_is_an_ordinary_import() -> None:
    account = Account(people={"p0@example.com": "Deleted"})
    with world(account) as here:
        for _ in range(2):
            found = here.vendor.deliver(TARGET, Kind.ADD, rows(1, returning=True))
            assert receipts(found, 1) == ["accepted"]
        assert [seen.json()["Resubscribe"] for seen in here.imports()] == [False, True, False]


def test_a_list_that_takes_suppressed_people_gets_none_from_us() -> None:
    account = Account(suppressed=["p1@example.com"])
    target = replace(TARGET, details={"suppression": "ignored"})
    with world(account) as here:
        assert receipts(here.vendor.deliver(target, Kind.ADD, rows(3)), 3) == [
            "accepted",
            "skipped suppressed",
            "accepted",
        ]
        assert addresses(here.imports()[0]) == ["p0@example.com", "p2@example.com"]
        assert here.calls()[:-1] == ROLLS


# Mobile numbers


@pytest.mark.parametrize("state", ["new", "Deleted"])
def test_a_mobile_number_that_is_refused_is_left_out_and_keeps_nobody_off(state: str) -> None:
    account = Account(people={"p1@example.com": "Deleted"} if state == "Deleted" else {})

    def picky(seen: Seen) -> Reply | None:
        bad = [each["EmailAddress"] for each in seen.json()["Subscribers"] if "MobileNumber" in each]
        if not bad or (state == "Deleted" and not seen.json()["Resubscribe"]):
            return None
        result = {
            "FailureDetails": [{"EmailAddress": each, "Code": 220, "Message": "m"} for each in bad],
            "TotalUniqueEmailsSubmitted": len(addresses(seen)),
            "TotalExistingSubscribers": len(addresses(seen)) - len(bad),
            "TotalNewSubscribers": 0,
        }
        return error(210, ResultData=result)

    account.meddle = on_import(picky)
    batch = [
        Row("p0@example.com"),
        Row("p1@example.com", '{"Name":"Bo","MobileNumber":"+441632960001"}', returning=state == "Deleted"),
    ]
    with world(account) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, batch)
        assert receipts(found, 2) == ["accepted"] * 2
        assert account.people["p1@example.com"] == "Active"
        assert [found.others.get(index, found.default).left_out for index in range(2)] == [(), ("MobileNumber",)]
        last = here.imports()[-1].json()["Subscribers"]
        assert last == [{"EmailAddress": "p1@example.com", "Name": "Bo", "ConsentToTrack": "Unchanged"}]


# When things go wrong


def test_its_own_failure_is_tried_again_with_pauses() -> None:
    answers: Iterator[Reply] = iter([FAILED, FAILED])
    with world(Account(meddle=on_import(lambda seen: next(answers, None)))) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(2)), 2) == ["accepted"] * 2
        assert here.clock.waits == [1.0, 3.0]


@pytest.mark.parametrize("poison", [0, 500, 999])
def test_one_row_that_breaks_its_import_loses_only_itself(poison: int) -> None:
    bad = f"p{poison}@example.com"
    account = Account(meddle=on_import(lambda seen: FAILED if bad in addresses(seen) else None))
    with world(account, import_rate=1000.0) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(1000))
        assert found.default.outcome == "accepted"
        assert {index: receipt.outcome for index, receipt in found.others.items()} == {poison: "unknown"}
        assert len(account.people) == 999


def test_when_it_fails_at_everything_it_is_left_alone_for_a_while() -> None:
    with world(Account(meddle=on_import(lambda seen: FAILED)), import_rate=1000.0) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(1000))
        assert set(receipts(found, 1000)) == {"unknown unknown"}
        asked = len(here.server.seen)
        assert asked < 60
        with pytest.raises(RetryAfter):
            here.vendor.deliver(TARGET, Kind.ADD, rows(1000))
        assert len(here.server.seen) == asked


def test_an_import_without_an_answer_is_repeated_in_halves() -> None:
    def slow(seen: Seen) -> Raw | None:
        return hang_up if len(addresses(seen)) > 2 else None

    with world(Account(meddle=on_import(slow)), import_rate=1000.0) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(4)), 4) == ["accepted"] * 4
        assert [len(addresses(seen)) for seen in here.imports()] == [4, 2, 2]


def test_nothing_is_repeated_once_it_took_too_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "AGAIN_SECONDS", -1.0)
    with world(Account(meddle=on_import(lambda seen: hang_up))) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(4)), 4) == ["unknown unknown"] * 4
        assert len(here.imports()) == 1


def test_what_is_too_large_is_halved_down_to_the_row() -> None:
    def picky(seen: Seen) -> Reply | None:
        if len(addresses(seen)) > 3:
            return error(209, "Subscriber limit exceeded")
        return Reply(413, b"") if "p7@example.com" in addresses(seen) else None

    with world(Account(meddle=on_import(picky)), import_rate=1000.0) as here:
        found = receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(20)), 20)
        assert [index for index, words in enumerate(found) if words != "accepted"] == [7]
        assert found[7] == "rejected too_large"


@pytest.mark.parametrize(
    "answer",
    [
        Reply(200, b"<html>"),
        Reply(200, b"<html>", {"Content-Type": "text/html"}),
        Reply(201, b""),
        Reply(201, b'"queued"'),
        Reply(202, b"{}"),
        Reply(204, b""),
        Reply(301, b"", {"Location": "/elsewhere"}),
        Reply(400, b"<html>"),
        Reply(404, b"<html>", {"Content-Type": "text/html"}),
        Reply(502, b"<html>"),
        WRONG_ID,
    ],
)
def test_an_unexpected_answer_is_never_success(answer: Reply) -> None:
    with world(Account(meddle=on_import(lambda seen: answer)), import_rate=1000.0) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(3))
        assert (found.default.outcome, found.others) == ("unknown", {})


@pytest.mark.parametrize("answer", [WRONG_ID, error(101), Reply(404, b""), error(101, status=404)])
def test_a_list_that_is_gone_needs_a_person(answer: Reply) -> None:
    account = Account(lists={OTHER: "b"}, other={IMPORT: answer})
    with world(account) as here:
        with pytest.raises(UserMustAct) as error_:
            here.vendor.deliver(TARGET, Kind.ADD, rows(2))
        assert error_.value.code == "target_vanished"
        assert here.calls()[-1] == f"GET lists/{LIST}"


def test_a_revoked_key_raises_before_anything_was_done_and_is_a_reason_afterwards() -> None:
    def once(seen: Seen) -> Reply | None:
        return None if "p0@example.com" in addresses(seen) else BAD_KEY

    with world(Account(key="other")) as here, pytest.raises(UserMustAct):
        here.vendor.deliver(TARGET, Kind.ADD, rows(3))
    with world(Account(meddle=on_import(once)), batch_rows=2) as here:
        found = here.vendor.deliver(TARGET, Kind.ADD, rows(4))
        assert receipts(found, 4) == ["accepted", "accepted", "rejected bad_credentials", "rejected bad_credentials"]


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [({"Retry_After": "77"}, 77, 77), ({"X_RateLimit_Reset": "348"}, 348, 348), ({}, 30, 45)],
)
def test_a_rate_limit_says_when_to_come_back(headers: dict[str, str], least: float, most: float) -> None:
    limited = reply({"Code": 429, "Message": "Rate limit exceeded"}, 429, **headers)
    with world(Account(meddle=on_import(lambda seen: limited))) as here:
        with pytest.raises(RetryAfter) as error_:
            here.vendor.deliver(TARGET, Kind.ADD, rows(3))
        assert least <= error_.value.seconds <= most
        assert len(here.server.seen) == 1


def test_a_rate_limit_in_the_middle_is_waited_out_and_slows_down() -> None:
    limits: Iterator[Reply] = iter([reply({"Code": 429, "Message": "m"}, 429, X_RateLimit_Reset="25")])

    def second(seen: Seen) -> Reply | None:
        return None if "p0@example.com" in addresses(seen) else next(limits, None)

    with world(Account(meddle=on_import(second)), batch_rows=2) as here:
        assert receipts(here.vendor.deliver(TARGET, Kind.ADD, rows(4)), 4) == ["accepted"] * 4
        assert 25.0 in here.clock.waits
        assert here.link.limiter.state()["subscribers/import"]["factor"] < 1


def test_a_lost_lease_stops_before_the_next_request() -> None:
    checks = iter([None, LeaseLost("taken over")])

    def check() -> None:
        if error_ := next(checks):
            raise error_

    with world(Account(), hooks={"before_request": check}, batch_rows=2) as here:
        with pytest.raises(LeaseLost):
            here.vendor.deliver(TARGET, Kind.ADD, rows(6))
        assert len(here.server.seen) == 1


def test_many_threads_share_a_vendor() -> None:
    with world(Account(), import_rate=1000.0) as here, ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: here.vendor.deliver(TARGET, Kind.ADD, rows(50)), range(40)))
        assert {(result.default.outcome, len(result.others)) for result in results} == {("accepted", 0)}
        assert len(here.server.seen) == here.link.counters.requests == 40


def test_nobodys_address_reaches_a_log_a_reason_or_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)

    def chatty(seen: Seen) -> Reply:
        failures: list[dict[str, Any]] = [
            {"EmailAddress": each, "Code": 77, "Message": f"No {each}"} for each in addresses(seen)
        ]
        counts = {"TotalUniqueEmailsSubmitted": 2, "TotalExistingSubscribers": 0, "TotalNewSubscribers": 0}
        return error(210, "about p0%40example.com", ResultData={"FailureDetails": failures, **counts})

    with world(Account(meddle=on_import(chatty))) as here:
        result = here.vendor.deliver(TARGET, Kind.ADD, rows(2, '{"p0@example.com":"1"}'))
        told = caplog.text + repr(result)
        assert "example.com" not in told
        assert KEY not in told
        assert "No [address]" in told
