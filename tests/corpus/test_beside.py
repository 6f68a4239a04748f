"""Everything that was ever handed over lies beside one healthy segment, which is found, run and never notices."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shared.delivery import segments
from shared.delivery.state.records import State
from tests.corpus import csv_cases, described_cases, packed_cases
from tests.corpus.landed import FILES, blobs_of
from tests.corpus.variations import varied
from tests.integration.delivery.engine import Engine, engine, people
from tests.memory import in_memory

SMALL = 1 << 20


@pytest.fixture
def made(unique: str) -> Iterator[Engine]:
    with in_memory() as address, engine(address, unique) as one:
        one.connect()
        one.land(people(3), segment="Healthy")
        yield one


def everything(made: Engine) -> dict[str, bytes]:
    """Each case in a folder of its own; what is only large is left to the cases of their own."""
    cases = {f"handed/{path.name}": dict(blobs_of(path.name)) for path in FILES.iterdir()}
    cases |= {f"varied/{case}/{how}": dict(blobs) for how, case, blobs, _ in varied(every=False)}
    for number, case in enumerate((*csv_cases.CASES, *packed_cases.CASES)):
        cases[f"broken/{number}"] = {f"Loyal/2026-11-22/{name}": content for name, content in case.files.items()}
    account = made.cloud.segments.url.rstrip("/")
    for number, described in enumerate(described_cases.CASES):
        cases[f"described/{number}"] = {"model.json": described.model(account, made.container)}
    return {
        f"{case}/{name}": content
        for case, blobs in cases.items()
        for name, content in blobs.items()
        if len(content) <= SMALL
    }


@pytest.mark.parametrize("reference", ["Healthy", "{container}:Healthy"], ids=["by its name", "by its id"])
def test_the_healthy_one_runs(made: Engine, reference: str) -> None:
    wanted = reference.format(container=made.container)
    made.define("healthy", targets=[{"segments": [wanted], "list_name": "Healthy"}])
    made.run("healthy")  # new fields are told of once
    landed = everything(made)
    for name, content in landed.items():
        made.upload(name, content)
    for name in list(landed)[::7]:
        made.landing.get_blob_client(name).set_standard_blob_tier("Archive")
    made.land(people(5), segment="Healthy")
    run = made.run("healthy")
    assert run.state is State.SUCCEEDED, (run.message, made.delivery(run).warnings)
    assert len(made.members("Healthy")) == 5
    troubled = [segment for segment in segments.found(made.cloud) if segment.problems]
    assert len(troubled) > 100, "and the others are told of"
