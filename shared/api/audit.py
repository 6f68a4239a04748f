"""The audit trail, for administrators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from pydantic import Field

from shared.access.actions import Action
from shared.access.audit import ChangeOutcome
from shared.control.views import View
from shared.web.problems import responses
from shared.web.wiring import TheService, allowed

router = APIRouter(prefix="/api/v1/audit", tags=["audit"])


class ChangeView(View):
    """One change: who, when, what, before and after."""

    id: str
    at: datetime
    who: str
    who_id: str = Field(description="Entra's object id, which stays when a name changes.")
    how: str = Field(description="session, bearer, key or local.")
    action: str
    subject: str = Field(description="Kind and name of what was changed.")
    outcome: ChangeOutcome = Field(description="`begun` of long ago: the app died in between, look at the subject.")
    changes: dict[str, Any] = Field(description="Property -> [before, after].")
    details: dict[str, Any]


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
    records, following = service.trail.page(top, token)
    return AuditPage(changes=tuple(ChangeView.model_validate(record) for record in records), next=following)
