"""A file, as an answer: a redirect to a short-lived link, or the link itself where `link=json` asks for it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Query, Response
from fastapi.responses import JSONResponse, RedirectResponse

from shared.catalog.issues import NotFound
from shared.control.views import FileLink
from shared.web.problems import responses

AsJson = Annotated[Literal["json"] | None, Query(description="Answer the link instead of redirecting.")]
"""The query parameter `link`."""

LINKED: dict[str, Any] = {
    "status_code": 307,
    "response_class": RedirectResponse,
    "response_description": "Redirect to a short-lived link",
    "responses": {
        200: {"model": FileLink, "description": "The link itself, with `link=json`"},
        **responses(403, 404, 422),
    },
}
"""What such a route says of itself."""


def linked(found: FileLink | None, link: str | None, kind: str, name: str) -> Response:
    """The answer. Raises NotFound, in words that say of which kind of file there is none, where there is no link."""
    if found is None:
        raise NotFound(kind, name)
    private = {"Cache-Control": "no-store"}
    if link:
        return JSONResponse(found.model_dump(mode="json"), headers=private)
    return RedirectResponse(found.url, 307, headers=private)
