"""A transport whose exchanges are spans, each in the span that was open when the connection was."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from shared.cloud import telemetry
from shared.cloud.telemetry import Span
from shared.transport import Failure, Transport
from shared.vendors.answers import Answer


def traced(transport: Transport) -> Transport:
    """The transport itself where there is no telemetry. A span has method, host and status, and nothing of
    the path, in which vendors have addresses."""
    parent = telemetry.traceparent()
    if not parent:
        return transport

    def exchange(
        method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        where = {"http.request.method": method, "server.address": urlsplit(url).hostname or ""}
        with telemetry.span(Span.REQUEST, parent, **where):
            answer = transport(method, url, headers, body, seconds)
            if isinstance(answer, Answer):
                telemetry.note(**{"http.response.status_code": answer.status})
            else:
                telemetry.note(**{"error.type": str(answer)})
            return answer

    return exchange
