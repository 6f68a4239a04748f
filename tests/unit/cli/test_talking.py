"""Requests and answers, and following a run, with an HTTP server that says what the test wants."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from rich.console import Console

from cli.api import Api, path
from cli.failures import Exit, Failure
from cli.signing_in import Bearer, Nobody, sign_in
from cli.watching import progress, status_of, watch

JSON, PROBLEM = "application/json", "application/problem+json"


@dataclass
class Scripted:
    """Answers in their order, the last one for ever; `seen` are the headers of requests."""

    url: str = ""
    answers: list[tuple[int, str, Any, dict[str, str]]] = field(default_factory=list)
    seen: list[dict[str, str]] = field(default_factory=list)

    def say(self, status: int, kind: str, body: Any, **headers: str) -> None:
        self.answers.append((status, kind, body, {name.replace("_", "-"): value for name, value in headers.items()}))

    def next(self) -> tuple[int, str, Any, dict[str, str]]:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@pytest.fixture
def server() -> Iterator[Scripted]:
    scripted = Scripted()

    class Handler(BaseHTTPRequestHandler):
        def _respond(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            scripted.seen.append({**self.headers, "path": self.path})
            status, kind, body, headers = scripted.next()
            content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Type": kind, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = _respond  # noqa: N815 - the names http.server looks for

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        scripted.url = f"http://127.0.0.1:{listening.server_port}"
        thread = threading.Thread(target=listening.serve_forever, args=(0.01,), daemon=True)
        thread.start()
        yield scripted
        listening.shutdown()
        thread.join()


def problem(status: int, code: str, **more: Any) -> tuple[int, str, dict[str, Any]]:
    return status, PROBLEM, {"status": status, "code": code, "detail": "What to do.", **more}


def failing(server: Scripted) -> Failure:
    with pytest.raises(Failure) as caught:
        Api(server.url, Nobody()).get(path("exports"))
    return caught.value


@pytest.mark.parametrize(
    ("status", "code", "exit_status"),
    [
        (401, "sign_in_needed", Exit.NOT_ALLOWED),
        (403, "forbidden", Exit.NOT_ALLOWED),
        (404, "not_found", Exit.FAILED),
        (412, "precondition_failed", Exit.FAILED),
        (422, "invalid", Exit.FAILED),
        (429, "too_many_failures", Exit.NOT_ALLOWED),
        (500, "unexpected", Exit.FAILED),
        (502, "unclear", Exit.FAILED),
        (503, "try_later", Exit.UNREACHABLE),
        (503, "closed", Exit.NOT_ALLOWED),
    ],
)
def test_a_problem_is_an_exit_status(server: Scripted, status: int, code: str, exit_status: Exit) -> None:
    server.say(*problem(status, code, errors=[{"pointer": "/a", "message": "b"}]))
    failure = failing(server)
    assert (failure.exit_status, failure.code, failure.status) == (exit_status, code, status)
    assert failure.as_json()["error"]["errors"] == [{"pointer": "/a", "message": "b"}]
    assert failure.message.startswith("What to do.")


def test_a_problem_says_when_to_come_back_and_what_to_look_for(server: Scripted) -> None:
    server.say(*problem(503, "try_later", incident="0a1b"), Retry_After="10")
    message = failing(server).message
    assert "in 10 seconds" in message and "0a1b" in message


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/html", "<html>Your proxy says hello</html>"),
        (200, JSON, "{not json"),
        (404, "text/plain", "nothing"),
        (302, "text/html", ""),
        (502, "text/html", "bad gateway"),
    ],
)
def test_something_else_that_answers_is_not_taken_for_the_app(
    server: Scripted, status: int, kind: str, body: str
) -> None:
    server.say(status, kind, body)
    failure = failing(server)
    assert (failure.exit_status, failure.code) == (Exit.UNREACHABLE, "unreachable")


def test_no_redirect_is_followed(server: Scripted) -> None:
    server.say(307, "text/html", "", Location=f"{server.url}/elsewhere")
    server.say(200, JSON, [])
    assert failing(server).exit_status is Exit.UNREACHABLE
    assert len(server.seen) == 1


def test_nobody_there_is_not_reachable() -> None:
    with pytest.raises(Failure) as caught:
        Api("http://127.0.0.1:1", Nobody()).get("/api/ready")
    assert caught.value.exit_status is Exit.UNREACHABLE


def test_a_token_is_sent_and_a_netrc_is_not_read(
    server: Scripted, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n")
    monkeypatch.setenv("NETRC", str(netrc))
    server.say(200, JSON, [])
    Api(server.url, sign_in({"SEGMENT_EXPORTS_TOKEN": " word\n"}, "")).get("/")
    Api(server.url, sign_in({}, "")).get("/")
    assert [each.get("Authorization") for each in server.seen] == ["Bearer word", None]


def test_the_key_goes_to_the_one_address_that_it_opens(server: Scripted) -> None:
    server.say(202, JSON, {"run": "r"}, Retry_After="2")
    api = Api(server.url, Bearer(lambda: "word"), key="key")
    assert api.start_by_key("newsletter", {}).retry_after == 2
    api.get(path("exports"))
    assert [each.get("x-functions-key") for each in server.seen] == ["key", None]
    assert server.seen[0]["path"] == "/api/v1/exports/newsletter/run"


def test_parts_of_an_address_are_quoted_whole() -> None:
    assert path("exports", "a/../b?c") == "/api/v1/exports/a%2F..%2Fb%3Fc"


def view(state: str, done: int = 0, step: str = "") -> dict[str, Any]:
    return {"state": state, "progress": {"done": done, "total": 4, "step": step}}


def test_a_watched_run_survives_an_app_that_is_away_for_a_moment(
    server: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("cli.pausing._FIRST", 0.001)
    server.say(200, JSON, view("running"))
    for _ in range(3):
        server.say(*problem(503, "try_later"))
    server.say(200, JSON, view("succeeded", 4))
    seen: list[str] = []
    ended = watch(Api(server.url, Nobody()), "a", "b", 0.001, lambda each: seen.append(each["state"]))
    assert (ended["state"], seen) == ("succeeded", ["running", "succeeded"])


def test_watching_ends_where_the_app_stays_away_or_refuses(server: Scripted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("cli.pausing._FIRST", 0.001)
    api = Api(server.url, Nobody())
    server.say(*problem(403, "forbidden"))
    with pytest.raises(Failure):
        watch(api, "a", "b", 0.001, print)
    assert len(server.seen) == 1
    server.answers.clear()
    server.say(*problem(503, "try_later"))
    with pytest.raises(Failure) as caught:
        watch(api, "a", "b", 0.001, print)
    assert caught.value.exit_status is Exit.UNREACHABLE


def test_a_terminal_shows_a_bar_and_a_file_gets_a_line_for_each_step() -> None:
    terminal, file = io.StringIO(), io.StringIO()
    for stream, interactive in ((terminal, True), (file, False)):
        with progress(Console(file=stream, force_terminal=interactive, width=80, legacy_windows=False)) as see:
            for each in (view("queued"), view("running", 1, "deliver"), view("running", 3, "deliver")):
                see(each)
    assert "3/4" in terminal.getvalue() and "running: deliver" in terminal.getvalue()
    assert file.getvalue() == "queued\nrunning: deliver\n"


def test_every_state_of_a_run_is_an_exit_status() -> None:
    told = {
        Exit.OK: ("succeeded", "succeeded with warnings", "nothing to do", "queued", "running"),
        Exit.FAILED: ("failed", "cancelled", "a state of tomorrow"),
        Exit.WAITING: ("blocked",),
    }
    for status, states in told.items():
        assert {status_of(state) for state in states} == {status}
