"""Connections: read, save, delete, check, and the lists that they offer."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Response

from shared.api.problems import responses
from shared.api.views import CheckView, TargetChoice
from shared.api.wiring import TheCaller, TheConditions, TheService, stamp
from shared.catalog.models import Connection, ConnectionInput
from shared.errors import UserMustAct
from shared.vendors.contract import CheckResult

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])


@router.get("", summary="List the connections", responses=responses(403))
def list_connections(service: TheService, caller: TheCaller) -> list[Connection]:
    """By name."""
    return [held.item for held in service.catalog.connections.all()]


@router.get("/{name}", summary="Read a connection", responses=responses(403, 404))
def read_connection(name: str, service: TheService, caller: TheCaller, response: Response) -> Connection:
    """Its `ETag` is the version to send as If-Match."""
    held = service.catalog.connection(name)
    stamp(response, held.etag)
    return held.item


@router.put(
    "/{name}",
    summary="Create or replace a connection",
    responses={201: {"model": Connection, "description": "Created"}, **responses(400, 403, 409, 412, 422)},
)
def save_connection(
    name: str,
    sent: ConnectionInput,
    service: TheService,
    caller: TheCaller,
    conditions: TheConditions,
    response: Response,
) -> Connection:
    """Nothing is sent to the vendor. What only the server writes is ignored, so an answer may be sent back."""
    catalog = service.catalog
    held = catalog.connections.get(name)
    conditions.require(held.etag if held else None)
    saved = catalog.save_connection(name, sent, caller, held)
    stamp(response, saved.etag, created_at=None if held else f"/api/v1/connections/{name}")
    return saved.item


@router.delete(
    "/{name}",
    summary="Delete a connection",
    status_code=204,
    response_class=Response,
    responses=responses(403, 404, 409, 412),
)
def delete_connection(name: str, service: TheService, caller: TheCaller, conditions: TheConditions) -> None:
    """Refused while exports use it; the answer names them. Secrets stay in Key Vault."""
    held = service.catalog.connection(name)
    conditions.require(held.etag)
    service.catalog.delete_connection(held, caller)


@router.post("/{name}/check", summary="Check a connection", responses=responses(403, 404, 409, 422, 502, 503))
def check_connection(
    name: str,
    service: TheService,
    caller: TheCaller,
    same_account: Annotated[
        bool, Query(description="The key was replaced, and leads to the same account as before: keep the account.")
    ] = False,
) -> CheckView:
    """Asks the vendor, and keeps the account and what was found. A failed check is an answer, not an error."""
    catalog = service.catalog
    held = catalog.connection(name)
    catalog.require_use(held.item, caller)
    try:
        result = service.check_connection(name)
    except UserMustAct as error:
        result = CheckResult(ok=False, code=error.code, message=error.message)
    if same_account and held.item.account:
        result = replace(result, account=held.item.account)
    stored = catalog.record_check(held, result).item
    strangers = catalog.strangers(stored) if result.ok else []
    return CheckView(
        ok=result.ok,
        code=result.code,
        message=result.message,
        account=stored.account,
        details=dict(result.details),
        checked_at=catalog.now(),
        warnings=[f'The export "{each}" belongs to another account: save it again.' for each in strangers],
    )


@router.get("/{name}/targets", summary="List the lists of a connection", responses=responses(403, 404, 422, 502, 503))
def list_targets(name: str, service: TheService, caller: TheCaller) -> list[TargetChoice]:
    """Asks the vendor: the lists or tags that an export may be given."""
    held = service.catalog.connection(name)
    service.catalog.require_use(held.item, caller)
    return [TargetChoice.model_validate(found) for found in service.connection_targets(name)]
