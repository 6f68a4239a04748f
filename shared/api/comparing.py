"""Who is on one connection of an export and not on another, and why."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Response

from shared.access.actions import Action
from shared.control import comparing as control
from shared.control.comparing import ComparisonView
from shared.web.downloads import csv_answer
from shared.web.problems import responses
from shared.web.wiring import TheService, allowed, named

router = APIRouter(prefix="/api/v1/exports/{name}", tags=["exports"], generate_unique_id_function=named)

On = Annotated[str, Query(max_length=63, description="Connection whose lists people are on; else the export's own.")]
NotOn = Annotated[
    str, Query(max_length=63, description="Connection whose lists they are not on; else the first of the others.")
]


@router.get(
    "/comparison",
    dependencies=[Depends(allowed(Action.SEE_RUNS))],
    summary="Count who is on one connection and not on another",
    responses=responses(403, 404, 409, 422),
)
def read_comparison(name: str, service: TheService, on: On = "", not_on: NotOn = "") -> ComparisonView:
    """Of an export with several connections, by reason. Reads what is known of both; no vendor is asked."""
    return control.compare(service, name, on, not_on)


@router.get(
    "/comparison.csv",
    dependencies=[Depends(allowed(Action.SEE_REJECTED))],
    summary="Fetch who is on one connection and not on another",
    response_class=Response,
    responses={200: {"content": {"text/csv": {}}, "description": "The file"}, **responses(403, 404, 409, 422)},
)
def fetch_comparison(name: str, service: TheService, on: On = "", not_on: NotOn = "") -> Response:
    """A row per person, with the reason; it holds addresses, is made now and is not kept. 100,000 people at most."""
    return csv_answer(control.people(service, name, on, not_on), f"compared-{name}.csv")
