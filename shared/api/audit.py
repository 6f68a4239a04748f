"""The audit trail, for administrators."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query

from shared.access.actions import Action
from shared.access.audit import ChangeView
from shared.control.views import View
from shared.web.problems import responses
from shared.web.wiring import TheService, allowed, named

router = APIRouter(prefix="/api/v1/audit", tags=["audit"], generate_unique_id_function=named)


class AuditPage(View):
    """Changes, newest first. `next` continues the list: send it as `continue`."""

    changes: tuple[ChangeView, ...]
    next: str | None = None


@router.get(
    "",
    dependencies=[Depends(allowed(Action.SEE_AUDIT))],
    summary="Read the audit trail",
    responses=responses(403, 422),
)
def read_audit(
    service: TheService,
    top: Annotated[int, Query(ge=1, le=200, description="How many at most.")] = 50,
    token: Annotated[str | None, Query(alias="continue", max_length=100, description="`next` of a page.")] = None,
) -> AuditPage:
    """Every change, also those that were refused. It holds no secret and nobody's address."""
    changes, following = service.trail.page(top, token)
    return AuditPage(changes=tuple(changes), next=following)
