"""One request and its connection: answer it, cut the answer short, or hang up."""

from __future__ import annotations

import asyncio
from typing import cast

from starlette.types import Receive, Scope, Send

from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer

EXTENSION = "simulator"  # where the serving protocol leaves the connection's transport in the scope


class Wire:
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self._transport = cast(asyncio.Transport, scope["extensions"][EXTENSION]["transport"])
        self._receive = receive
        self._send = send

    async def body(self) -> bytes:
        """The whole request body, or what came of it before the client left."""
        parts = []
        while True:
            message = await self._receive()
            parts.append(message.get("body", b""))
            if not message.get("more_body", False):
                return b"".join(parts)

    async def answer(self, answer: Answer) -> None:
        await self._start(answer)
        await self._send({"type": "http.response.body", "body": answer.body})

    async def cut(self, answer: Answer) -> None:
        """Announce the whole answer, send half of it, hang up."""
        await self._start(answer)
        half = answer.body[: len(answer.body) // 2]
        await self._send({"type": "http.response.body", "body": half, "more_body": True})
        self._transport.close()
        await self._left()

    async def drop(self) -> None:
        """Hang up without an answer."""
        self._transport.abort()
        await self._left()

    async def silence(self, seconds: float | None, clock: Clock) -> bool:
        """Wait `seconds` (None: for ever), but no longer than the connection lasts; whether it still does."""
        ends = [asyncio.create_task(self._left())]
        if seconds is not None:
            ends.append(asyncio.create_task(clock.sleep(seconds)))
        done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        for task in pending:
            task.cancel()
        return ends[0] not in done

    async def _start(self, answer: Answer) -> None:
        headers = [("content-type", answer.media), ("content-length", str(len(answer.body))), *answer.headers]
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
        await self._send({"type": "http.response.start", "status": answer.status, "headers": raw})

    async def _left(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
