"""How many failed sign-ins one address may have, in which time, and which address it is that counts."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from starlette.requests import Request

from shared.access.signing_in import Failures
from shared.access.visitors import TooManyFailures


def request(hops: str | None = None, host: str | None = None) -> Request:
    """What `hops` say that proxies saw; `host` made the connection."""
    headers = [] if hops is None else [(b"x-forwarded-for", hops.encode())]
    return Request({"type": "http", "headers": headers, "client": (host, 443) if host else None})


@dataclass
class World:
    proxies: int = 0
    now: float = 5_000.0
    failures: Failures = field(init=False)

    def __post_init__(self) -> None:
        self.failures = Failures(self.proxies, lambda: self.now)

    def fail(self, asked: Request, times: int = 10) -> None:
        for _ in range(times):
            self.failures.count(asked)

    def waits(self, asked: Request) -> int:
        """Seconds for which the address is turned away; 0 where it is not."""
        try:
            self.failures.check(asked)
        except TooManyFailures as error:
            return error.seconds
        return 0


ONE, OTHER = request("203.0.113.7"), request("198.51.100.1")


def test_ten_failures_within_five_minutes_are_too_many() -> None:
    world = World()
    world.fail(ONE, 9)
    assert world.waits(ONE) == 0
    world.now += 299
    world.fail(ONE, 1)
    assert world.waits(ONE) == 1
    assert world.waits(OTHER) == 0


@pytest.mark.parametrize(("seconds", "waits"), [(0, 300), (100, 200), (298.6, 1), (299.9, 1), (300, 0), (1_000, 0)])
def test_the_five_minutes_begin_with_the_first_failure(seconds: float, waits: int) -> None:
    world = World()
    world.fail(ONE)
    world.now += seconds
    assert world.waits(ONE) == waits


def test_after_five_minutes_failures_are_counted_from_the_beginning() -> None:
    world = World()
    world.fail(ONE)
    world.now += 300
    world.fail(ONE, 9)
    assert world.waits(ONE) == 0
    world.fail(ONE, 1)
    assert world.waits(ONE) == 300


def test_of_ten_thousand_addresses_the_one_that_failed_longest_ago_is_forgotten() -> None:
    world = World()
    world.fail(ONE)
    world.fail(OTHER)
    for number in range(9_998):
        world.fail(request(f"10.0.{number // 256}.{number % 256}"), 1)
    assert world.waits(ONE) and world.waits(OTHER)
    world.fail(ONE, 1)
    world.fail(request("192.0.2.1"), 1)
    assert world.waits(ONE) > 0
    assert world.waits(OTHER) == 0


@pytest.mark.parametrize(
    ("proxies", "hops", "counts"),
    [
        (0, "203.0.113.7", "203.0.113.7"),
        (0, "forged, also forged,203.0.113.7", "203.0.113.7"),
        (0, "forged, 203.0.113.7:50123", "203.0.113.7"),
        (0, "203.0.113.7:http", "203.0.113.7:http"),
        (0, "2001:db8::7", "2001:db8::7"),
        (0, "[2001:db8::7]", "[2001:db8::7]"),
        (0, "[2001:db8::7]:50123", "[2001:db8::7]"),
        (1, "forged, 203.0.113.7, 10.0.0.1", "203.0.113.7"),
        (2, "forged, 203.0.113.7, 10.0.0.1, 10.0.0.2", "203.0.113.7"),
        (1, "203.0.113.7", "203.0.113.7"),
        (0, "", "10.1.2.3"),
        (0, None, "10.1.2.3"),
    ],
)
def test_the_address_that_counts_is_the_one_that_nobody_can_forge(proxies: int, hops: str | None, counts: str) -> None:
    world = World(proxies)
    world.fail(request(hops, host="10.1.2.3"))
    assert world.waits(request(host=counts)) > 0
    assert world.waits(request(host="forged")) == world.waits(request()) == 0


def test_without_any_address_all_count_as_one() -> None:
    world = World()
    world.fail(request())
    assert world.waits(request()) > 0
    assert world.waits(request(host="10.1.2.3")) == 0
