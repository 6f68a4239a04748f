"""Probes of connections: start one. What it finds out is read with the connection."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Response
from pydantic import BaseModel, ConfigDict, Field

from shared.access.actions import Action
from shared.catalog.models import Probed
from shared.web.problems import responses
from shared.web.wiring import TheCaller, TheService, allowed

POLL_SECONDS = "5"

router = APIRouter(prefix="/api/v1/connections", tags=["connections"])


class ProbeInput(BaseModel):
    """Where test contacts come from. It is in the body since addresses of requests are logged, and these are not."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    canary: str = Field(
        min_length=3,
        max_length=200,
        description="Your own e-mail address, of which plus-addresses are made (ann+segment-exports-probe-…@…), or a "
        "domain of yours.",
    )


@router.post(
    "/{name}/probe",
    dependencies=[Depends(allowed(Action.PROBE_CONNECTION))],
    summary="Probe a connection",
    status_code=202,
    responses=responses(400, 403, 404, 409, 422),
)
def probe_connection(name: str, sent: ProbeInput, service: TheService, caller: TheCaller, response: Response) -> Probed:
    """Finds out, with a few test contacts on a list or tag of its own, what the vendor's documentation leaves open. It
    takes minutes; `probe` of the connection tells how far it is and what it found. Nobody is deleted, unsubscribed or
    suppressed: test contacts are taken off again, and stay at the vendor. While a probe is under way, it is told
    instead of starting another."""
    probed = service.start_probe(name, sent.canary, caller.name)
    response.headers.update({"Location": f"/api/v1/connections/{name}", "Retry-After": POLL_SECONDS})
    return probed
