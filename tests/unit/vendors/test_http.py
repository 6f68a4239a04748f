"""The shared client: whom it calls, when it tries again, what it raises in the end, and what never leaks."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from email.utils import formatdate
from typing import Any

import pytest

from shared.errors import ExportError, LeaseLost, OutcomeUnknown, RetryAfter, UserMustAct
from shared.transport import Failure
from shared.vendors.answers import Answer, RateLimited, Request, UnexpectedAnswer, Unreachable, Unreadable
from shared.vendors.contract import Definition, Rate
from shared.vendors.http import Client, Link
from shared.vendors.limits import Limiter
from shared.vendors.retrying import DISPOSITIONS, backoff, retry_after
from tests.unit.vendors.loopback import Clock, Reply, Script, serving

DEFINITION = Definition(
    name="acme",
    label="Acme",
    credentials=(),
    settings=(),
    fields=(),
    rates=(Rate(("people", "lists"), 1000, 1.0),),
    hosts=("api.acme.com", "api.eu.acme.com"),
    batch_rows=10,
    concurrency=4,
    request_seconds=2.0,
)
READ = Request("GET", "/lists", "lists")
WRITE = Request("POST", "/people", "people", body=b"[]")
ONCE = Request("POST", "/people", "people", body=b"[]", idempotent=False)
OK = Answer(200, {}, b"{}")


class World:
    """A client whose transport follows a script and whose time is simulated."""

    def __init__(self, *outcomes: Answer | Failure, patience: float = 20.0, **hooks: Any) -> None:
        self.clock = Clock()
        self.sent: list[tuple[str, str, Mapping[str, str]]] = []
        self.checked = 0
        self._outcomes: Iterator[Answer | Failure] = iter(outcomes)
        self.limiter = Limiter(DEFINITION.rates, clock=self.clock, wait=self.clock.wait, patience=patience)
        options: dict[str, Any] = {"before_request": self._check, "wait": self.clock.wait, "patience": patience} | hooks
        self.link = Link(self.limiter, transport=self._send, **options)
        self.secret = {False: "one", True: "one"}

    def client(self, **options: Any) -> Client:
        return Client(DEFINITION, "api.acme.com", self.link, lambda fresh: {"Key": self.secret[fresh]}, **options)

    def call(self, request: Request = WRITE) -> Answer:
        return self.client().call(request)

    def _check(self) -> None:
        self.checked += 1

    def _send(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        self.sent.append((method, url, headers))
        return next(self._outcomes)


@pytest.mark.parametrize("failure", [*Failure, Answer(429), Answer(500), Answer(502), Answer(503), Answer(504)])
@pytest.mark.parametrize("request_", [READ, WRITE])
def test_passing_trouble_is_tried_again(failure: Answer | Failure, request_: Request) -> None:
    world = World(failure, failure, OK)
    assert world.call(request_) == OK
    assert world.checked == len(world.sent) == 3
    assert (world.link.counters.requests, world.link.counters.retries) == (3, 2)
    assert world.link.counters.throttled_seconds == pytest.approx(sum(world.clock.waits))


@pytest.mark.parametrize("status", [200, 201, 202, 203, 400, 404, 409, 413, 422])
def test_other_answers_are_the_vendors_to_read(status: int) -> None:
    world = World(Answer(status))
    assert world.call().status == status
    assert len(world.sent) == 1


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.DROPPED, Answer(500), Answer(503), Answer(599)])
def test_a_write_that_may_have_been_carried_out_ends_as_unknown(failure: Answer | Failure) -> None:
    with pytest.raises(OutcomeUnknown):
        World(*[failure] * 10).call(WRITE)


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.DROPPED, Answer(500), Answer(503)])
def test_a_read_never_ends_as_unknown(failure: Answer | Failure) -> None:
    with pytest.raises(RetryAfter) as error:
        World(*[failure] * 10).call(READ)
    assert error.value.seconds > 0


@pytest.mark.parametrize("failure", [Failure.TIMEOUT, Failure.DROPPED, Answer(500), Answer(503)])
def test_what_must_not_happen_twice_is_not_sent_twice(failure: Answer | Failure) -> None:
    world = World(failure, OK)
    with pytest.raises(OutcomeUnknown):
        world.call(ONCE)
    assert len(world.sent) == 1


@pytest.mark.parametrize("failure", [Failure.UNREACHABLE, Answer(429), Answer(503, {"retry-after": "1"})])
def test_what_was_certainly_not_carried_out_is_sent_again_and_ends_as_retry_after(failure: Answer | Failure) -> None:
    assert World(failure, OK).call(ONCE) == OK
    with pytest.raises(RetryAfter):
        World(*[failure] * 50).call(ONCE)


def test_no_connection_has_an_error_of_its_own() -> None:
    with pytest.raises(Unreachable):
        World(*[Failure.UNREACHABLE] * 10).call()


@pytest.mark.parametrize("last", [Answer(429, {"retry-after": "900"}), Answer(401), Failure.UNREACHABLE])
def test_once_unsure_a_write_stays_unsure_whatever_comes_last(last: Answer | Failure) -> None:
    with pytest.raises(OutcomeUnknown):
        World(Failure.TIMEOUT, *[last] * 10).call(WRITE)


def test_a_cancel_while_unsure_is_an_unknown_outcome_but_a_lost_lease_stops_at_once() -> None:
    class Cancelled(ExportError):
        pass

    def refuse(seconds: float) -> None:
        raise Cancelled("The run was cancelled.")

    def lose(seconds: float) -> None:
        raise LeaseLost("taken over")

    with pytest.raises(OutcomeUnknown):
        World(Failure.TIMEOUT, wait=refuse).call()
    with pytest.raises(Cancelled):
        World(Answer(429), wait=refuse).call()
    with pytest.raises(LeaseLost):
        World(Failure.TIMEOUT, wait=lose).call()


def test_the_check_before_a_request_prevents_it() -> None:
    def lose() -> None:
        raise LeaseLost("taken over")

    world = World(OK, before_request=lose)
    with pytest.raises(LeaseLost):
        world.call()
    assert world.sent == []


# Waiting


def test_backoff_grows_has_full_jitter_and_a_ceiling() -> None:
    for disposition in DISPOSITIONS.values():
        for attempt in range(1, 12):
            drawn = [backoff(disposition, attempt) for _ in range(200)]
            ceiling = min(disposition.longest, disposition.first * 2 ** (attempt - 1))
            assert 0 <= min(drawn) < ceiling / 4
            assert ceiling * 3 / 4 < max(drawn) <= ceiling


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after": "99999999"}, 3600),
        ({"retry-after": "Sun, 22 Nov 2026 12:00:30 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 30),
        ({"retry-after": "Sun, 22 Nov 2026 11:00:00 GMT", "date": "Sun, 22 Nov 2026 12:00:00 GMT"}, 0),
        ({}, None),
        ({"retry-after": ""}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e9"}, None),
    ],
)
def test_retry_after_in_seconds_or_as_a_date(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(Answer(429, headers)) == seconds


def test_retry_after_as_a_date_without_the_vendors_clock() -> None:
    found = retry_after(Answer(429, {"retry-after": formatdate(4_102_444_800, usegmt=True)}))
    assert found == 3600


def test_retry_after_is_waited_out_by_everybody_when_it_is_short() -> None:
    world = World(Answer(429, {"retry-after": "10"}), OK)
    world.call()
    assert world.clock.waits[0] >= 10
    world.limiter.hold("people", 5)
    assert world.limiter.acquire("lists") == pytest.approx(5)


def test_retry_after_beyond_the_patience_ends_the_slice_and_holds_the_endpoint() -> None:
    world = World(Answer(429, {"retry-after": "60"}), OK)
    with pytest.raises(RateLimited) as error:
        world.call()
    assert error.value.seconds == 60
    assert world.clock.waits == []
    assert world.limiter.state()["people+lists"]["factor"] == pytest.approx(0.7)
    with pytest.raises(RateLimited):
        world.call()
    assert len(world.sent) == 1


def test_waits_add_up_to_the_patience() -> None:
    world = World(*[Answer(429, {"retry-after": "4"})] * 10, patience=10)
    with pytest.raises(RateLimited):
        world.call()
    assert sum(world.clock.waits) <= 10


def test_a_vendor_that_keeps_failing_is_left_alone_before_a_whole_plan_is_unknown() -> None:
    world = World(*[Failure.TIMEOUT] * 100)
    client = world.client()
    unknown = 0
    with pytest.raises(RateLimited):
        for _ in range(20):
            try:
                client.call(WRITE)
            except OutcomeUnknown:
                unknown += 1
    assert unknown == 3


# Credentials


def test_a_key_that_was_renewed_is_fetched_and_tried_once() -> None:
    world = World(Answer(401), OK, OK)
    world.secret[True] = "two"
    client = world.client()
    client.call(WRITE)
    client.call(WRITE)
    assert [headers["Key"] for _, _, headers in world.sent] == ["one", "two", "two"]


def test_a_key_that_did_not_change_is_not_tried_again() -> None:
    world = World(Answer(401), OK)
    with pytest.raises(UserMustAct) as error:
        world.call()
    assert error.value.code == "bad_credentials"
    assert len(world.sent) == 1


def test_a_new_key_that_is_refused_too_ends_it() -> None:
    world = World(Answer(401), Answer(401), OK)
    world.secret[True] = "two"
    with pytest.raises(UserMustAct):
        world.call()
    assert len(world.sent) == 2


def test_forbidden_is_for_a_person() -> None:
    with pytest.raises(UserMustAct) as error:
        World(Answer(403)).call()
    assert error.value.code == "forbidden"


@pytest.mark.parametrize("secret", ["", "line\nbreak", "ünlike"])
def test_a_secret_that_cannot_be_sent_is_not_quoted(secret: str) -> None:
    world = World(OK)
    world.secret[False] = secret
    with pytest.raises(UserMustAct) as error:
        world.call()
    assert not secret or secret not in str(error.value)
    assert world.sent == []


# Hosts and unexpected answers


def test_only_the_vendors_own_hosts_are_called_over_https_unless_replaced() -> None:
    world = World(OK)
    world.client().call(Request("GET", "/x", "lists", query={"email": "a+b@example.com"}))
    assert world.sent[0][1] == "https://api.acme.com/x?email=a%2Bb%40example.com"
    with pytest.raises(ValueError, match="not a host"):
        Client(DEFINITION, "api.acme.com.evil.example", world.link, lambda fresh: {})
    replaced = World(OK, vendor_hosts={"api.acme.com": "http://127.0.0.1:1/base/"})
    replaced.call(READ)
    assert replaced.sent[0][1] == "http://127.0.0.1:1/base/lists"
    with pytest.raises(ValueError, match="must begin with"):
        World(vendor_hosts={"api.acme.com": "ftp://x"}).client()


@pytest.mark.parametrize("status", [301, 302, 307, 308, 304])
def test_a_redirect_is_unexpected(status: int) -> None:
    world = World(Answer(status, {"location": "https://elsewhere.example"}), OK)
    with pytest.raises(OutcomeUnknown):
        world.call()
    assert len(world.sent) == 1


def test_a_web_page_is_never_success() -> None:
    with pytest.raises(OutcomeUnknown):
        World(Answer(200, {"content-type": "text/html; charset=utf-8"}, b"<html>")).call()


def test_a_question_with_a_strange_answer_can_be_asked_again() -> None:
    with pytest.raises(Unreadable):
        World(Answer(200, {}, b"<html>")).client().ask(READ, Answer.object)
    assert World(Answer(200, {}, b'{"a":1}')).client().ask(READ, Answer.object) == {"a": 1}


def test_an_answer_that_the_vendor_understands_is_not_tried_again() -> None:
    world = World(Answer(500, {}, b"known"), OK)
    client = world.client(understood=lambda answer: answer.body == b"known")
    assert client.call(WRITE).status == 500


@pytest.mark.parametrize(("body", "method"), [(b"", "json"), (b"<html>", "json"), (b"[1]", "object"), (b"1", "object")])
def test_an_answer_that_is_not_what_was_expected_is_not_guessed_at(body: bytes, method: str) -> None:
    with pytest.raises(UnexpectedAnswer) as error:
        getattr(Answer(200, {}, body), method)()
    assert error.value.__context__ is None


# What never leaks


ADDRESS, KEY = "ana.diaz@example.com", "0f8fad5bd9cb469fa16570867728950e"


def drop(seen: Any) -> Callable[[Any], None]:
    return lambda handler: None


@pytest.mark.parametrize(
    ("script", "status"),
    [
        (drop, None),
        (lambda seen: Reply(500, ADDRESS.encode()), 500),
        (lambda seen: Reply(401, ADDRESS.encode()), 401),
        (lambda seen: Reply(403, ADDRESS.encode()), 403),
        (lambda seen: Reply(302, b"", {"Location": f"https://elsewhere.example/{ADDRESS}"}), 302),
        (lambda seen: Reply(200, f"<html>{ADDRESS}".encode(), {"Content-Type": "text/html"}), 200),
        (lambda seen: lambda handler: handler.wfile.write(f"{ADDRESS} {KEY}\r\n\r\n".encode()), None),
        (lambda seen: Reply(429, b"", {"Retry-After": "100"}), 429),
    ],
)
def test_neither_addresses_nor_keys_reach_logs_or_errors(
    script: Script, status: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    clock = Clock()
    with serving(script) as server:
        limiter = Limiter(DEFINITION.rates, clock=clock, wait=clock.wait)
        link = Link(limiter, vendor_hosts={"api.acme.com": server.url}, wait=clock.wait)
        client = Client(DEFINITION, "api.acme.com", link, lambda fresh: {"Api-Key": KEY})
        body = f'[{{"email":"{ADDRESS}"}}]'.encode()
        request = Request("POST", "/users/ana.diaz%40example.com", "people", {"email": ADDRESS}, body)
        with pytest.raises(ExportError) as error:
            client.call(request)
        link.transport.close()  # type: ignore[attr-defined]  # the default transport
    assert server.seen
    told = "".join(traceback.format_exception(error.value)) + caplog.text + repr(request)
    for record in caplog.records:
        told += str(record.__dict__)
    assert "ana.diaz" not in told
    assert KEY not in told
    assert chain(error.value) == [error.value]


def chain(error: BaseException | None) -> list[BaseException]:
    found = []
    while error is not None:
        found.append(error)
        error = error.__cause__ or error.__context__
    return found
