"""Whatever is wrong with something that is kept: it is told, nobody else waits for it, and the list never differs in
silence. The table of docs/reliability.md is carried out here: of each of its rows one cell, all in `make faults`."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.state.records import Run, State, now
from shared.errors import ExportError, UserMustAct
from tests.integration.faults import promises, segments
from tests.integration.faults.segments import FEW, Segment
from tests.integration.faults.stored_state import STATES, Backup, Fault, Stage, broken
from tests.integration.faults.world import World, world
from tests.memory import in_memory
from tests.sampling import EVERY

NAME, OTHER = "news", "other"
SLICES, ATTEMPTS = 2, 5
GOOD, NOTHING = "goes on", "–"
WORDS = {State.FAILED: "fails", State.BLOCKED: "blocked"}
HEAD = "| what | when | " + " | ".join(Fault) + " |"


def table() -> dict[tuple[str, Fault], str]:
    """The table as it is written."""
    text = (Path(__file__).parents[3] / "docs" / "reliability.md").read_text()
    lines = text[text.index(HEAD) :].split("\n\n")[0].splitlines()[2:]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    return {(state, fault): cell for state, _, *found in cells for fault, cell in zip(Fault, found, strict=True)}


TABLE = table()
CELLS = [cell for cell, words in TABLE.items() if words != NOTHING]


def tried() -> list[tuple[str, Fault]]:
    """One cell of each row, in the column that has had the fewest so far, so that every column has some."""
    if EVERY:
        return CELLS
    found: list[tuple[str, Fault]] = []
    for state in STATES:
        cells = [cell for cell in CELLS if cell[0] == state]
        found.append(min(cells, key=lambda cell: sum(fault is cell[1] for _, fault in found)))
    return found


@pytest.fixture
def storage() -> Iterator[StorageAddress]:
    """In memory: what comes of a fault is the service's own doing."""
    with in_memory() as address:
        yield address


@pytest.fixture
def made(storage: StorageAddress, unique: str) -> Iterator[World]:
    with world(storage, unique, rows_per_file=200, slice_seconds=0.001, verify_seconds=0.01) as made:
        for name in (NAME, OTHER):
            made.define(name)
            made.land(segments.first(name, FEW))
            made.start(name)
            work(made)
        yield made


def test_every_kind_of_thing_is_in_the_table() -> None:
    assert list(dict.fromkeys(state for state, _ in TABLE)) == list(STATES)


def test_every_row_and_every_column_is_tried() -> None:
    assert ({state for state, _ in tried()}, {fault for _, fault in tried()}) == (set(STATES), set(Fault))


@pytest.mark.parametrize(("state", "fault"), tried(), ids=lambda part: re.sub("[^a-z]+", "-", str(part)))
def test_what_comes_of_it(made: World, state: str, fault: Fault, caplog: pytest.LogCaptureFixture) -> None:
    stage, backup = STATES[state].stage, Backup.of(made)
    if stage is Stage.ASKED:
        _of_what_was_asked(made, state, fault, backup, caplog)
        return
    made.land(segments.second(NAME, FEW))
    run = made.start(NAME)
    for _ in range(SLICES):
        step(made)
    if stage is Stage.BETWEEN:
        work(made)
    while stage is Stage.AFTER and not list(made.cloud.blobs.names("verifying/")):
        step(made)
    assert broken(made, state, fault, NAME, OTHER, backup), "it cannot be broken like this"
    with caplog.at_level(logging.WARNING):
        if stage is Stage.BETWEEN:
            found = again(made, segments.third(NAME, FEW))
        else:
            found = ended(made, run, segments.second(NAME, FEW))
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    words = f"{found}{', logged' * bool(errors)}"
    if found != GOOD:
        words += ", then good" if again(made, segments.first(NAME, FEW)) == GOOD else ", until put right"
    assert words == TABLE[state, fault]
    assert "@" not in "".join(errors)
    if state != "connection's row":  # which is the other's too
        others_are_served(made)


def _of_what_was_asked(made: World, state: str, fault: Fault, backup: Backup, caplog: pytest.LogCaptureFixture) -> None:
    """The same of what people ask for besides runs."""
    for name in (NAME, OTHER):
        ask(made, state, name)
    assert broken(made, state, fault, NAME, OTHER, backup), "it cannot be broken like this"
    with caplog.at_level(logging.WARNING):
        found = answered(made, state)
    errors = [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR]
    words = f"{found}{', logged' * bool(errors)}"
    if found != GOOD:
        ask(made, state, NAME)
        words += ", then good" if answered(made, state) == GOOD else ", until put right"
    assert words == TABLE[state, fault]
    assert "@" not in "".join(errors)
    others_are_served(made)


def ask(made: World, state: str, export: str) -> None:
    service = made.engine.service
    if state == "probe":
        service.start_probe("iterable", "ada@example.com", "ada")
    else:
        service.start_check_up(export, 0, full=True, by="ada")


def answered(made: World, state: str) -> str:
    """What people see of it once the host and the timer have carried it on for two hours."""
    for hours in (1, 2):
        work(made)
        made.pass_time()
        inbox.wake(made.cloud, clock=partial(_in, timedelta(hours=hours)))
    work(made)
    probe = made.engine.catalog.connection("iterable").item.probe
    latest = made.engine.service.doctor(NAME, 0).latest
    found = probe if state == "probe" else latest
    return "gone" if found is None else {"ended": GOOD, "failed": "fails"}.get(str(found.state), "waits")


def _in(later: timedelta) -> datetime:
    return now() + later


def again(made: World, wanted: Segment) -> str:
    """What comes of a run that is asked for now."""
    made.land(wanted)
    try:
        run = made.start(NAME)
    except UserMustAct as error:
        return f"refused `{error.code}`"
    except ExportError as error:
        return f"refused `{type(error).__name__}`"
    return ended(made, run, wanted)


def ended(made: World, run: Run, wanted: Segment) -> str:
    """How a run ends that the host and the timer carry on. One that ends well has the right list."""
    for _ in range(2):
        work(made)
        made.pass_time()
        made.wake()
    work(made)
    try:
        held = made.runs.run(NAME, run.run)
        codes = {each.value.code for each in made.runs.deliveries(NAME, run.run)}
    except UserMustAct:
        return "waits"
    if held is None:
        return "gone"
    found = held.value
    if found.state in promises.GOOD:
        promises.list_is_the_segment(made, NAME, wanted)
        return GOOD if made.delivery(found).value.verification else "unverified"
    if found.state not in WORDS:
        return "waits"
    assert found.message, "nobody is told why"
    return " ".join([WORDS[found.state], *(f"`{code}`" for code in codes if code)])


def others_are_served(made: World) -> None:
    """Another export on the same account."""
    made.land(segments.second(OTHER, FEW))
    run = made.start(OTHER)
    work(made)
    assert made.engine.current(run).state in promises.GOOD
    promises.list_is_the_segment(made, OTHER, segments.second(OTHER, FEW))


def work(made: World) -> None:
    """Carry out messages until none is left."""
    while step(made):
        pass


def step(made: World) -> bool:
    """Carry out one message as the host does, five times at the most; False where there is none."""
    message = made.receive()
    if message is None:
        return False
    body, asked = message.content.encode(), len(made.asked)
    for attempt in range(ATTEMPTS):
        try:
            inbox.receive(made.cloud, body)
            break
        except Exception:  # noqa: BLE001 - whatever the function raises
            if attempt == ATTEMPTS - 1:
                inbox.give_up(made.cloud, body, str(message.id))
    made.engine.queue.delete_message(message)
    if any(delay for _, delay in made.asked[asked:]):
        made.pass_time()
    return True
