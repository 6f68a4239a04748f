"""The page of all runs: of every export, newest first, as the address asks for them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, Query, Request, Response

from shared.access.actions import Action
from shared.catalog.models import Export
from shared.control.listing import PAGE, Asked, listed, matching
from shared.control.runs import RunsAsked
from shared.control.service import Service
from shared.pages import labels
from shared.pages.errors import PageRoute
from shared.pages.exports import connections, day
from shared.pages.rendering import page
from shared.web.wiring import TheService, allowed

router = APIRouter(route_class=PageRoute, include_in_schema=False)

_Text = Annotated[str, Query(max_length=200)]


@router.get("/runs", dependencies=[Depends(allowed(Action.SEE_RUNS))])
def list_all_runs(
    request: Request,
    service: TheService,
    q: _Text = "",
    export: _Text = "",
    vendor: _Text = "",
    state: _Text = "",
    since: _Text = "",
    until: _Text = "",
    after: Annotated[str, Query(alias="continue", max_length=200)] = "",
) -> Response:
    """Runs of all exports, also of those that were removed. One query for runs, however many there are."""
    every = [held.item for held in service.catalog.exports.all()]
    names = {each.name: each.display_name for each in every}
    chosen = _exports(service, every, export, q.strip())
    asked = RunsAsked(state, day(since), day(until), after, vendor, chosen)
    given = {"q": q.strip(), "export": export, "vendor": vendor, "state": state, "since": since, "until": until}
    kept = {name: value for name, value in given.items() if value}
    found = service.runs.rows_of_all(asked, top=PAGE)
    return page(
        request,
        "all_runs.html",
        runs=found,
        names=names,
        given=given,
        filtered=bool(kept),
        first="/runs" + (f"?{urlencode(kept)}" if kept else ""),
        beyond_first=bool(after),
        older=f"/runs?{urlencode({**kept, 'continue': found.next})}" if found.next else "",
        groups=labels.RUN_GROUPS,
        vendors=[(name, each.label) for name, each in sorted(service.catalog.definitions.items())],
        exports=sorted(names.items(), key=lambda each: each[1].casefold()),
    )


def _exports(service: Service, every: Sequence[Export], export: str, words: str) -> frozenset[str] | None:
    """Which exports are asked for: the one that was chosen, those that the words are found in; None for all."""
    if not words:
        return frozenset({export}) if export else None
    rows = listed(every, connections(service), {})
    found = frozenset(row.export.name for row in matching(rows, Asked(q=words)))
    return found & {export} if export else found
