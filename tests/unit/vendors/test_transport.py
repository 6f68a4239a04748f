"""One exchange over a real socket: every way to fail has a name, and no library exception gets out."""

from __future__ import annotations

import base64
import datetime
import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from itertools import repeat
from pathlib import Path
from unittest.mock import ANY

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from shared.transport import Failure, Wire
from shared.vendors.answers import Answer, UnexpectedAnswer
from tests.unit.vendors.loopback import Reply, Script, serving

SECONDS = 5.0


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def exchange(wire: Wire, script: Script, *, seconds: float = SECONDS, body: bytes | None = None) -> Answer | Failure:
    with serving(script) as server:
        return wire("POST" if body else "GET", f"{server.url}/x", {"A": "b"}, body, seconds)


def test_an_answer_comes_back_whole_with_lower_case_headers(wire: Wire) -> None:
    answer = exchange(wire, lambda seen: Reply(418, seen.body * 2, {"X-Thing": "1"}), body=b"tea")
    assert isinstance(answer, Answer)
    assert (answer.status, answer.body, answer.headers["x-thing"]) == (418, b"teatea", "1")


def test_a_compressed_answer_is_unpacked(wire: Wire) -> None:
    packed = gzip.compress(b"x" * 100_000)
    answer = exchange(wire, lambda seen: Reply(200, packed, {"Content-Encoding": "gzip"}))
    assert isinstance(answer, Answer)
    assert answer.body == b"x" * 100_000


@pytest.mark.parametrize(
    ("behind", "asked"),
    [
        ("", "/"),
        ("/", "/"),
        ("?a=1", "/?a=1"),
        ("/a?b=c/d", "/a?b=c/d"),
        ("/a%40b?c=%2B", "/a%40b?c=%2B"),
        ("/a#b", "/a"),
        ("#b", "/"),
    ],
)
def test_what_stands_behind_the_host_is_asked_for_as_it_is(wire: Wire, behind: str, asked: str) -> None:
    with serving(lambda seen: Reply()) as server:
        assert wire("GET", server.url + behind, {}, None, 10.0) == Answer(200, ANY, b"{}")
        assert [seen.path for seen in server.seen] == [asked]


def test_a_name_and_a_password_in_a_url_sign_in_there(wire: Wire) -> None:
    with serving(lambda seen: Reply()) as server:
        wire("POST", server.url.replace("//", "//ann:se%40cret@"), {}, b"{}", 10.0)
        assert server.seen[0].headers["authorization"] == "Basic " + base64.b64encode(b"ann:se@cret").decode()


@pytest.mark.parametrize("header", ["a\nb", "ä\u0151"])
def test_a_header_that_cannot_be_sent_is_no_exception_that_quotes_it(wire: Wire, header: str) -> None:
    with serving(lambda seen: Reply()) as server:
        assert wire("GET", server.url, {"Api-Key": header}, None, 10.0) is Failure.DROPPED
        assert not server.seen


def test_a_redirect_is_not_followed(wire: Wire) -> None:
    with serving(lambda seen: Reply()) as elsewhere:
        answer = exchange(wire, lambda seen: Reply(307, b"", {"Location": elsewhere.url}), body=b"people")
        assert isinstance(answer, Answer)
        assert answer.status == 307
        assert elsewhere.seen == []


def test_cookies_are_not_kept(wire: Wire) -> None:
    with serving(lambda seen: Reply(200, b"", {"Set-Cookie": "a=b"})) as server:
        for _ in range(2):
            wire("GET", server.url, {}, None, SECONDS)
        assert "cookie" not in server.seen[1].headers


def test_the_environment_neither_reroutes_nor_signs_in(
    wire: Wire, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.delenv("no_proxy")
    with serving(lambda seen: Reply()) as server:
        answer = wire("GET", server.url, {}, None, SECONDS)
        assert isinstance(answer, Answer)
        assert "authorization" not in server.seen[0].headers


def test_a_connection_that_cannot_be_made_sent_nothing(wire: Wire) -> None:
    with serving(lambda seen: Reply()) as server:
        closed = server.url
    assert wire("GET", closed, {}, None, SECONDS) is Failure.UNREACHABLE
    assert wire("GET", "http://no-such-host.invalid/", {}, None, SECONDS) is Failure.UNREACHABLE


def test_a_certificate_that_nobody_vouches_for_is_refused_before_anything_is_sent(wire: Wire, tmp_path: Path) -> None:
    with serving(lambda seen: Reply(), certificate=self_signed(tmp_path)) as server:
        assert wire("POST", server.url, {}, b"people", SECONDS) is Failure.UNREACHABLE
        assert server.seen == []


def test_silence_is_a_timeout(wire: Wire) -> None:
    release = threading.Event()

    def silent(handler: BaseHTTPRequestHandler) -> None:
        release.wait(30)

    with serving(lambda seen: silent) as server:
        assert wire("POST", server.url, {}, b"people", 0.4) is Failure.TIMEOUT
        release.set()


def test_an_answer_that_trickles_ends_at_the_deadline(wire: Wire) -> None:
    release = threading.Event()

    def trickle(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        while not release.wait(0.05):
            handler.wfile.write(b"x")

    with serving(lambda seen: trickle) as server:
        assert wire("GET", server.url, {}, None, 0.6) is Failure.TIMEOUT
        release.set()


def drip_headers() -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nX-Long: "
    yield from repeat(b"x")


def go_on_and_on() -> Iterator[bytes]:
    return repeat(b"HTTP/1.1 100 Continue\r\n\r\n")


@pytest.mark.parametrize("dripping", [drip_headers, go_on_and_on])
def test_a_server_that_never_gets_to_its_answer_ends_at_the_deadline(
    wire: Wire, dripping: Callable[[], Iterator[bytes]]
) -> None:
    release = threading.Event()

    def drip(handler: BaseHTTPRequestHandler) -> None:
        with suppress(OSError):
            for piece in dripping():
                handler.wfile.write(piece)
                if release.wait(0.02):
                    return

    with serving(lambda seen: drip) as server:
        asked = threading.Thread(target=lambda: answers.append(wire("POST", server.url, {}, b"people", 0.6)))
        answers: list[Answer | Failure] = []
        asked.start()
        asked.join(20)
        assert answers == [Failure.TIMEOUT], "the server goes on, and the request does not end"
        release.set()


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
        b"this is not HTTP\r\n\r\n",
    ],
)
def test_a_connection_that_breaks_off_is_dropped_never_half_an_answer(wire: Wire, written: bytes) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(written)

    assert exchange(wire, lambda seen: break_off) is Failure.DROPPED


def test_an_answer_cut_off_in_its_headers_holds_nothing_to_believe(wire: Wire) -> None:
    def break_off(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")

    answer = exchange(wire, lambda seen: break_off)
    assert isinstance(answer, Answer)
    with pytest.raises(UnexpectedAnswer):
        answer.json()


def test_connections_are_kept_and_shared_by_threads(wire: Wire) -> None:
    ports: set[int] = set()

    def note(handler: BaseHTTPRequestHandler) -> None:
        ports.add(handler.client_address[1])
        handler.close_connection = False
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

    with serving(lambda seen: note) as server:

        def call() -> None:
            for _ in range(10):
                assert isinstance(wire("GET", server.url, {}, None, SECONDS), Answer)

        threads = [threading.Thread(target=call) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(server.seen) == 40
        assert len(ports) <= 8


def self_signed(folder: Path) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    (folder / "key.pem").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(folder / "certificate.pem", folder / "key.pem")
    return context
