"""Files of a run, each by a link that works for minutes: what is asked for, who may, and what it holds."""

from __future__ import annotations

from typing import NamedTuple

from fastapi import APIRouter, Depends, Response

from shared.access.actions import Action
from shared.api.links import LINKED, AsJson, linked
from shared.api.runs import WhichTarget
from shared.control.links import RunFile
from shared.web.wiring import TheService, allowed, named, plain_names

router = APIRouter(
    prefix="/api/v1/exports/{name}/runs/{run}",
    tags=["runs"],
    dependencies=[Depends(plain_names)],
    generate_unique_id_function=named,
)


class Handed(NamedTuple):
    """A file that is handed out; `kind` is what there is none of where there is no file."""

    file: RunFile
    operation: str
    action: Action
    summary: str
    text: str
    kind: str


HANDED = (
    Handed(
        RunFile.REJECTED,
        "read_rejected",
        Action.SEE_REJECTED,
        "Fetch the people who were refused",
        "One row per person and reason. The file holds addresses: the link works for minutes.",
        "list of refused people of a run",
    ),
    Handed(
        RunFile.LEFT_OUT,
        "read_left_out",
        Action.SEE_REJECTED,
        "Fetch the values that were left out",
        "One row per value that did not arrive as the source has it, with the reason: where it stands, not what it is. "
        "There is none where every value arrived.",
        "list of values left out of a run",
    ),
    Handed(
        RunFile.HOLDOUT,
        "read_holdout",
        Action.SEE_REJECTED,
        "Fetch the people who were held out",
        "Everybody of the segment whom the export would deliver and whom its holdout keeps back, to measure by. There "
        "is none for an export without a holdout. The file holds addresses: the link works for minutes.",
        "list of people held out of a run",
    ),
    Handed(
        RunFile.PLANNED,
        "read_planned",
        Action.SEE_SAMPLE,
        "Fetch everybody whom a dry run, or a run that waits for a decision, would send",
        "One row per person who would be added, changed or removed, and per refused row, each with the reason. The "
        "file holds addresses: the link works for minutes.",
        "list of planned people of a run",
    ),
    Handed(
        RunFile.REHEARSAL,
        "read_rehearsal",
        Action.SEE_SAMPLE,
        "Fetch what a rehearsal foresees for each person",
        "One row per person whom the run would add, change or remove, with what would become of that and why. There "
        "is none for other kinds of runs. The file holds addresses: the link works for minutes.",
        "list of people of a rehearsal",
    ),
)


def _hand_out(handed: Handed) -> None:
    def read(name: str, run: str, service: TheService, target: WhichTarget = 0, link: AsJson = None) -> Response:
        return linked(service.runs.link(handed.file, name, run, target), link, handed.kind, run)

    router.add_api_route(
        f"/{handed.file}.csv",
        read,
        methods=["GET"],
        name=handed.operation,
        summary=handed.summary,
        description=handed.text,
        dependencies=[Depends(allowed(handed.action))],
        **LINKED,
    )


for each in HANDED:
    _hand_out(each)
