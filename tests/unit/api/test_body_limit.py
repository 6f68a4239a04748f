"""A body over the limit is refused, and not read to its end to find that out."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from starlette.types import Message

from shared.web.problems import MOST_BODY
from tests.unit.api.asgi import Client

PIECE = 64 * 1024
EXPORT = "/api/v1/exports/newsletter"
FORM = "/exports/newsletter/pause"


def pieces(
    client: Client, method: str, path: str, count: int, headers: dict[str, str]
) -> tuple[int, int, dict[str, Any]]:
    """Send a body in so many pieces: the answer's status, how many pieces were taken, and the problem."""
    taken, told = 0, list[Message]()
    sent = {"content-type": "application/json", **client.headers, **headers}
    scope = {
        "type": "http",
        "method": method,
        "path": path,
        "query_string": b"",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": None,
        "server": ("testserver", 80),
        "scheme": "http",
    }

    async def receive() -> Message:
        nonlocal taken
        taken += 1
        return {"type": "http.request", "body": b" " * PIECE, "more_body": taken < count}

    async def send(message: Message) -> None:
        told.append(message)

    async def exchange() -> None:
        await client.app(scope, receive, send)

    asyncio.run(exchange())
    body = b"".join(each.get("body", b"") for each in told[1:])
    assert (b"content-type", b"application/problem+json") in told[0]["headers"]
    return told[0]["status"], taken, json.loads(body)


@pytest.mark.parametrize("path", [EXPORT, FORM])
def test_who_says_that_the_body_is_too_long_is_not_read_at_all(client: Client, path: str) -> None:
    status, taken, problem = pieces(client, "PUT", path, 1000, {"content-length": str(MOST_BODY + 1)})
    assert (status, taken) == (413, 0)
    assert problem["code"] == "too_large"
    assert "1,048,576 bytes" in problem["detail"]


def test_a_body_in_pieces_is_read_up_to_the_limit_and_no_further(client: Client) -> None:
    status, taken, problem = pieces(client, "PUT", EXPORT, 1000, {"if-none-match": "*"})
    assert (status, problem["code"]) == (413, "too_large")
    assert taken == MOST_BODY // PIECE + 1


def test_a_form_in_pieces_too(client: Client) -> None:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    status, taken, _ = pieces(client, "POST", "/exports/new", 1000, headers)
    assert (status, taken) == (413, MOST_BODY // PIECE + 1)


def test_a_body_of_just_the_limit_is_read(client: Client) -> None:
    status, taken, problem = pieces(client, "PUT", EXPORT, MOST_BODY // PIECE, {"content-length": str(MOST_BODY)})
    assert (status, problem["code"], taken) == (400, "malformed", MOST_BODY // PIECE)


def test_every_operation_with_a_body_says_so(client: Client) -> None:
    paths = client.get("/api/openapi.json").json["paths"]
    operations = [each for methods in paths.values() for each in methods.values() if "requestBody" in each]
    assert operations
    assert all("413" in each["responses"] for each in operations)
