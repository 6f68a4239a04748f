"""Free text that we keep or log holds no e-mail address and no secret, however it is written."""

from __future__ import annotations

import logging
import time
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.cloud.scrubbing import ScrubbingFilter, excerpt, guard_library_logs, scrub

LOCAL = st.text("abcdefghijklmnopqrstuvwxyzABC0123456789.!#$%&'*+/=?^_`{|}~-äß", min_size=3, max_size=20).map(
    lambda text: f"q{text}z"
)
ADDRESS = st.builds("{}@{}.example.com".format, LOCAL, st.sampled_from(["mail", "büro", "a-b"]))


@pytest.mark.parametrize(
    "text",
    [
        "Invalid email: zoe@example.com",
        "GET /api/users/zoe%40example.com failed",
        "GET /api/users/zoe%2540example.com failed",
        "GET /api/users/zoe%252540example.com failed",
        "/users?email=zoe%40example.com&x=1",
        "mailto:zoe@example.com?subject=x",
        '{"email":"zoe@example.com"}',
        '{\\"email\\":\\"zoe@example.com\\"}',
        "zoe\\u0040example.com",
        "zoe&#64;example.com and zoe&#x40;example.com and zoe&commat;example.com",
        "zoe＠example.com",
        '"zoe example"@example.com',
        "zoe@@example",
        "zoe@[10.0.0.1]",
        "Somebody <ZOE@EXAMPLE.COM>, again",
        "o'zoe@example.com",
        "a=zoe@example.com",
        "a/zoe@example.com",
    ],
)
def test_addresses_are_taken_out(text: str) -> None:
    assert "zoe" not in scrub(text).lower()
    assert "[address]" in scrub(text)


@given(ADDRESS, st.sampled_from(["{}", "user {} is bad", '"{}"', "<{}>", "/users/{}", "x={}&y=1", "({})"]))
def test_no_part_of_an_address_is_left(address: str, frame: str) -> None:
    local = address.rpartition("@")[0]
    once, twice = quote(address, safe=""), quote(quote(address, safe=""), safe="")
    for written in (address, once, twice):
        cleaned = scrub(frame.format(written))
        assert local not in cleaned
        assert quote(local, safe="") not in cleaned


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Api-Key: topsecret1", "topsecret1"),
        ("'api_key': 'topsecret1'", "topsecret1"),
        ('{"apiKey":"topsecret1"}', "topsecret1"),
        ("Authorization: Basic dG9wOnNlY3JldA==", "dG9wOnNlY3JldA"),
        ("authorization=Bearer topsecret1", "topsecret1"),
        ("key 0123456789abcdef0123456789abcdef was refused", "0123456789abcdef"),
        ("?sig=topsecret1&sv=1", "topsecret1"),
    ],
)
def test_secrets_are_taken_out(text: str, secret: str) -> None:
    assert secret not in scrub(text)
    assert "[secret]" in scrub(text)


@pytest.mark.parametrize(
    "text",
    [
        "Field 'signupDate' already exists for type 'user' and has a data type of 'date'.",
        "[/api/users/bulkUpdate] Invalid JSON body",
        "Exceeded rate limit for endpoint: /api/lists/subscribe, project: 8575",
        "run 6f9619ff-8b86-d011-b42d-00cf4fc964ff",
    ],
)
def test_other_text_stays(text: str) -> None:
    assert scrub(text) == text


def test_an_excerpt_is_scrubbed_before_it_is_cut() -> None:
    text = "x" * 195 + " ana%40example.com"
    assert "ana" not in excerpt(text)
    assert len(excerpt("y" * 500)) == 200
    assert excerpt("two\n  lines") == "two lines"


def test_long_text_takes_linear_time() -> None:
    started = time.process_time()
    scrub("a" * 500_000 + "@" + "b" * 500_000)
    scrub('"' * 200_000 + "@")
    assert time.process_time() - started < 30  # a quadratic pattern takes hours


def test_library_loggers_are_filtered_once(caplog: pytest.LogCaptureFixture) -> None:
    guard_library_logs()
    guard_library_logs()
    logger = logging.getLogger("urllib3.connectionpool")
    assert sum(isinstance(each, ScrubbingFilter) for each in logger.filters) == 1
    with caplog.at_level(logging.DEBUG, logger="urllib3.connectionpool"):
        try:
            raise ValueError("ana@example.com")
        except ValueError:
            logger.warning("url=%s", "/users/ana%40example.com", exc_info=True)
    assert "ana" not in caplog.text
    assert "url=" not in caplog.text or "[address]" in caplog.text


@pytest.mark.parametrize(
    ("text", "scrubbed"),
    [
        ("to zoe@example.com, now", "to [address], now"),
        ("Api-Key: topsecret1 was sent", "Api-Key: [secret] was sent"),
        ("0123456789abcdef01234567 was sent", "[secret] was sent"),
        ("0123456789abcdef0123456 was sent", "0123456789abcdef0123456 was sent"),
    ],
)
def test_what_stands_in_their_place_is_that_and_no_more(text: str, scrubbed: str) -> None:
    assert scrub(text) == scrubbed


@pytest.mark.parametrize(
    "name",
    [
        "urllib3",
        "urllib3.connection",
        "urllib3.connectionpool",
        "urllib3.poolmanager",
        "urllib3.response",
        "urllib3.util.retry",
        "requests",
    ],
)
def test_every_logger_of_the_http_libraries_is_filtered(name: str) -> None:
    guard_library_logs()
    assert any(isinstance(each, ScrubbingFilter) for each in logging.getLogger(name).filters)


def test_an_excerpt_that_just_fits_is_not_cut() -> None:
    assert excerpt("y" * 200) == "y" * 200
    assert excerpt("y" * 201) == "y" * 199 + "…"
    assert excerpt("yyyy", 3) == "yy…"


def test_a_record_keeps_no_traceback_and_is_never_dropped() -> None:
    record = logging.LogRecord("x", logging.INFO, "f", 1, "%s", ("zoe@example.com",), None)
    record.exc_info, record.exc_text, record.stack_info = (None, None, None), "zoe@example.com", "zoe@example.com"
    assert ScrubbingFilter().filter(record) is True
    assert (record.getMessage(), record.args) == ("[address]", None)
    assert [getattr(record, name) for name in ("exc_info", "exc_text", "stack_info")] == [None] * 3
