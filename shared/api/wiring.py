"""What endpoints are given: the service and the caller."""

from __future__ import annotations

from typing import Annotated, cast

from fastapi import Depends, Request, Response

from shared.api.conditions import Conditions, etag
from shared.api.service import Service
from shared.catalog.catalog import Caller


async def _service(request: Request) -> Service:
    return cast(Service, request.app.state.service)


TheService = Annotated[Service, Depends(_service)]


async def _caller(request: Request, service: TheService) -> Caller:
    return service.caller({name.lower(): value for name, value in request.headers.items()})


TheCaller = Annotated[Caller, Depends(_caller)]
TheConditions = Annotated[Conditions, Depends(Conditions)]


def stamp(response: Response, version: str, *, created_at: str | None = None) -> None:
    """Tell the version; of something new also 201 and where it is."""
    response.headers["ETag"] = etag(version)
    if created_at is not None:
        response.status_code = 201
        response.headers["Location"] = created_at
