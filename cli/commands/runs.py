"""`run`, `rehearse`, `retry`, `repair`, `runs`, `rejected`, `cancel` and `decide`."""

from __future__ import annotations

import os
from collections.abc import Iterable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import requests
import typer
from rich.table import Table

from cli.addresses import is_local
from cli.api import TIMEOUT, Answer, path
from cli.desk import Desk, Json, Yes, desk_of, table
from cli.failures import Exit, Failure, usage
from cli.naming import ExportName, RunId
from cli.signing_in import Nobody
from cli.watching import newest_run, progress, status_of, watch

_POLL_SECONDS = 2.0
_CHUNK = 1 << 20
_COUNTS = (
    "add",
    "change",
    "remove",
    "moved",
    "accepted",
    "rejected",
    "skipped",
    "unknown",
    "refused_here",
    "kept_back",
    "later",
)

_ALONE = ", without the time that the vendor then takes"
_SMALLER = ", where the time that the vendor then takes is known of smaller runs only"
"""Said where no run tells how long the vendor works on its jobs, or on such large ones."""

Watch = Annotated[bool, typer.Option("--watch", "-w", help="Stay until it ended, with a progress bar.")]


class Kind(StrEnum):
    """What a run is for."""

    DELIVERY = "delivery"
    DRY_RUN = "dry_run"
    RETRY = "retry"
    FULL_RESYNC = "full_resync"
    REBUILD = "rebuild"
    WITHDRAW = "withdraw"
    REPAIR = "repair"
    REHEARSAL = "rehearsal"


class Word(StrEnum):
    """A decision about a blocked run."""

    DELIVER = "deliver"
    START_SMALL = "start_small"
    ADDITIONS_ONLY = "additions_only"
    DISCARD = "discard"


PeopleInto = Annotated[
    Path | None, typer.Option("--output", "-o", help="Fetch the people, with addresses, into this CSV file.")
]
TargetOfOutput = Annotated[int, typer.Option(min=0, help="Which of the run's targets, from 0, for --output.")]


def run(
    context: typer.Context,
    name: ExportName,
    kind: Annotated[
        Kind,
        typer.Option(
            help="delivery: what changed. dry_run: plan, send nothing. retry: what was rejected or stayed unknown. "
            "full_resync: everyone again. rebuild: a list that is gone, anew. withdraw: take off everyone added. "
            "repair: what the doctor found, and nothing else. rehearsal: all of a delivery with the list as it is at "
            "the vendor now, and nothing is written there."
        ),
    ] = Kind.DELIVERY,
    watch_it: Watch = False,
    as_json: Json = False,
) -> None:
    _run(desk_of(context, as_json), name, kind, watch_it)


def retry(context: typer.Context, name: ExportName, watch_it: Watch = False, as_json: Json = False) -> None:
    _run(desk_of(context, as_json), name, Kind.RETRY, watch_it)


def repair(context: typer.Context, name: ExportName, watch_it: Watch = False, as_json: Json = False) -> None:
    _run(desk_of(context, as_json), name, Kind.REPAIR, watch_it)


def rehearse(
    context: typer.Context,
    name: ExportName,
    output: PeopleInto = None,
    target: TargetOfOutput = 0,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    if not desk.api.knows_caller:
        raise usage("sign_in_needed", "The function key starts runs and shows none: sign in to rehearse.")
    started = _start(desk, name, Kind.REHEARSAL)
    run_id = str(started.body["run"])
    if not started.body["new"]:
        _require_kind(desk, name, run_id, Kind.REHEARSAL)
    view = _watched(desk, name, run_id, started)
    if output is not None and any(each["rehearsal"] for each in view["targets"]):
        _fetch(desk, path("exports", name, "runs", run_id, "rehearsal.csv"), target, output)
    desk.show(view, f"{run_id}: {view['state']}. {view['message']}".rstrip(), _foreseen(view), *_takes(view))
    raise typer.Exit(status_of(view["state"]))


def _watched(desk: Desk, name: str, run_id: str, started: Answer) -> dict[str, Any]:
    try:
        with progress(desk.notes) as see:
            return watch(desk.api, name, run_id, started.retry_after or _POLL_SECONDS, see)
    except KeyboardInterrupt:
        desk.note(f"The run {run_id} goes on without being watched.")
        raise


def _foreseen(view: dict[str, Any]) -> Table:
    """What is foreseen, by target; why, where people would not be taken."""
    rows = [
        (each["target"], word, people, "; ".join(_why(each["rehearsal"], word)))
        for each in view["targets"]
        if each["rehearsal"]
        for word, people in each["rehearsal"]["outcomes"].items()
    ]
    return table(("target", "foreseen", "people", "why"), rows)


def _why(rehearsal: dict[str, Any], word: str) -> list[str]:
    return [f"{each['reason']} ({each['people']})" for each in rehearsal["reasons"] if each["foreseen"] == word]


def _takes(view: dict[str, Any]) -> list[str]:
    """How much each target would take, and what cannot be known of it."""
    told = [each["rehearsal"] for each in view["targets"] if each["rehearsal"]]
    return ["\n".join([_took(each), *each["unknown"]]) for each in told]


def _took(rehearsal: dict[str, Any]) -> str:
    looks = f" and {rehearsal['looks']} looks at the vendor's jobs" if rehearsal.get("looks") else ""
    words = f"{rehearsal['requests']} requests{looks}, about {rehearsal['seconds']:.0f} seconds"
    if not rehearsal["jobs_known"]:
        return f"{words}{_ALONE}."
    return f"{words}{_SMALLER if rehearsal.get('jobs_known_to') is not None else ''}."


def _run(desk: Desk, name: str, kind: Kind, watch_it: bool) -> None:
    if watch_it and not desk.api.knows_caller:
        raise usage("sign_in_needed", "The function key starts runs and shows none: sign in to use --watch.")
    started = _start(desk, name, kind)
    run_id = str(started.body["run"])
    if not started.body["new"] and desk.api.knows_caller:
        _require_kind(desk, name, run_id, kind)
    for each in started.body.get("beside", ()):
        desk.note(f"On {each['connection']}: {each['run'] or each['message']}")
    if not watch_it:
        word = "Started" if started.body["new"] else "Under way already:"
        desk.show(started.body, f"{word} {run_id}.")
        return
    view = _watched(desk, name, run_id, started)
    desk.show(view, f"{run_id}: {view['state']}. {view['message']}".rstrip(), _targets(view))
    raise typer.Exit(status_of(view["state"]))


def _start(desk: Desk, name: str, kind: Kind) -> Answer:
    if desk.api.has_key:
        return desk.api.start_by_key(name, {"kind": kind})
    return desk.api.send("POST", path("exports", name, "runs"), {"kind": kind})


def _require_kind(desk: Desk, name: str, run_id: str, kind: Kind) -> None:
    """A run of another kind is not what was asked for."""
    under_way = desk.api.get(path("exports", name, "runs", run_id)).body["kind"]
    if under_way != kind:
        raise Failure("under_way", f"A run of the kind {under_way} is under way ({run_id}): wait for it, or cancel it.")


def runs(
    context: typer.Context,
    name: ExportName,
    top: Annotated[int, typer.Option(min=1, max=100, help="How many at most.")] = 20,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    found = desk.api.get(path("exports", name, "runs"), {"top": top}).body["runs"]
    columns = ("run", "state", "kind", "trigger", "started_at", "finished_at", "message")
    desk.show(found, table(columns, ([each[column] for column in columns] for each in found)))


def rejected(
    context: typer.Context,
    name: ExportName,
    run_id: RunId = None,
    output: PeopleInto = None,
    target: TargetOfOutput = 0,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    chosen = run_id or newest_run(desk.api, name)
    reasons = desk.api.get(path("exports", name, "runs", chosen, "report")).body["reasons"]
    if output is not None:
        _fetch(desk, path("exports", name, "runs", chosen, "rejected.csv"), target, output)
    columns = ("people", "outcome", "code", "reason", "retry", "target")
    shown = table(columns, ([each[column] for column in columns] for each in reasons))
    desk.show({"run": chosen, "reasons": reasons}, shown if reasons else f"{chosen}: nobody was refused.")


def holdout(
    context: typer.Context,
    name: ExportName,
    run_id: RunId = None,
    output: PeopleInto = None,
    target: TargetOfOutput = 0,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    chosen = run_id or newest_run(desk.api, name)
    reasons = desk.api.get(path("exports", name, "runs", chosen, "report")).body["reasons"]
    found = [
        {field: each[field] for field in ("target", "people", "removed", "reason")}
        for each in reasons
        if each["code"] == "holdout"
    ]
    if output is not None and found:
        _fetch(desk, path("exports", name, "runs", chosen, "holdout.csv"), target, output)
    shown = table(("target", "people", "removed", "reason"), (list(each.values()) for each in found))
    desk.show({"run": chosen, "holdout": found}, shown if found else f"{chosen}: nobody was held out.")


def left_out(
    context: typer.Context,
    name: ExportName,
    run_id: RunId = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Fetch where each of them stands, into this CSV file.")
    ] = None,
    target: TargetOfOutput = 0,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    chosen = run_id or newest_run(desk.api, name)
    targets = desk.api.get(path("exports", name, "runs", chosen)).body["targets"]
    found = [
        {"target": number, "field": field, "values": values}
        for number, each in enumerate(targets)
        for field, values in each["left_out"].items()
    ]
    if output is not None and found:
        _fetch(desk, path("exports", name, "runs", chosen, "left-out.csv"), target, output, personal=False)
    columns = ("target", "field", "values")
    shown = table(columns, ([each[column] for column in columns] for each in found))
    desk.show({"run": chosen, "left_out": found}, shown if found else f"{chosen}: every value arrived.")


def _fetch(desk: Desk, address: str, target: int, output: Path, *, personal: bool = True) -> None:
    """The link opens by itself, so it goes without our sign-in."""
    link = desk.api.get(address, {"target": target, "link": "json"}).body["url"]
    try:
        with requests.Session() as session:
            session.trust_env = not is_local(link)
            with session.get(link, timeout=TIMEOUT, auth=Nobody(), stream=True) as response:
                response.raise_for_status()
                write_private(output, response.iter_content(_CHUNK))
    except requests.RequestException as error:
        message = f"The file does not come from the app's storage ({type(error).__name__}): may this machine reach it?"
        raise Failure("file_unreachable", message) from None
    except OSError as error:
        raise usage("file_not_written", f"{output} cannot be written ({type(error).__name__}).") from None
    if personal:
        desk.note(f"{output} holds addresses: delete it when you are done.")


def write_private(output: Path, chunks: Iterable[bytes]) -> None:
    """Readable by its owner only, also where the file was there before."""
    with os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        output.chmod(0o600)
        file.writelines(chunks)


def cancel(context: typer.Context, name: ExportName, run_id: RunId = None, as_json: Json = False) -> None:
    desk = desk_of(context, as_json)
    chosen = run_id or newest_run(desk.api, name, under_way=True)
    view = desk.api.send("POST", path("exports", name, "runs", chosen, "cancel")).body
    desk.show(view, f"{chosen}: {view['state']}. {view['message']}".rstrip())


def decide(
    context: typer.Context,
    name: ExportName,
    decision: Annotated[
        Word,
        typer.Argument(
            help="deliver: all. start_small: 500 people join first, later runs add the others, nobody is taken off. "
            "additions_only: nobody is taken off. discard: nothing is sent."
        ),
    ],
    run_id: RunId = None,
    plan: Annotated[
        str | None, typer.Option(help="Only if it is this plan that waits: `plan` of a target in `run --json`.")
    ] = None,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    desk = desk_of(context, as_json)
    chosen = run_id or newest_run(desk.api, name, under_way=True)
    view = desk.api.get(path("exports", name, "runs", chosen)).body
    waiting = [each for each in view["targets"] if each["state"] == "blocked" and plan in (None, each["plan"])]
    if not waiting:
        raise Failure("nothing_to_decide", f"The run {chosen} waits for no such decision ({view['state']}).")
    for each in waiting:
        desk.note(f"{each['target']}: {each['message']}")
    if not desk.confirm(f"Decide for {decision}?", yes=yes):
        desk.note("Nothing was decided.")
        raise typer.Exit(Exit.FAILED)
    for each in waiting:
        decided = {"plan": each["plan"], "decision": decision}
        view = desk.api.send("POST", path("exports", name, "runs", chosen, "decision"), decided).body
    desk.show(view, f"{chosen}: {view['state']}.")


def _targets(view: dict[str, Any]) -> Table:
    rows = ([each["target"], each["state"], *(each["counts"][count] for count in _COUNTS)] for each in view["targets"])
    return table(("target", "state", *(count.replace("_", " ") for count in _COUNTS)), rows)
