"""One holdout over exports, segments and vendors, for many runs of each: nobody of it ever reaches a vendor."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any

import pytest

from dev.simulators.common.serving import serve
from shared.catalog.holdout import Holdout
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.delivery.state import layout
from shared.delivery.state.records import ENDED, State
from tests.contract.prompt import Prompt
from tests.integration.delivery.engine import Engine, FixedSecrets, Person, TestCloud, people, secret_name
from tests.kits import KITS
from tests.sampling import EVERY

VENDORS = ("iterable", "klaviyo", "omnisend")
RUNS, CROWD = 20 if EVERY else 3, 60
SPRING = Holdout(name="spring", share=0.2)
HELD = {each.email for each in people(CROWD) if SPRING.holds(each.email)}
KINDS = ("delivery", "delivery", "delivery", "full_resync", "retry")


@pytest.fixture
def engines(storage: StorageAddress, unique: str) -> Iterator[list[Engine]]:
    """Of several vendors, on one deployment."""
    with ExitStack() as stack:
        simulators = {name: stack.enter_context(serve(KITS[name].simulator())) for name in VENDORS}
        hosts = {host: url for name, each in simulators.items() for host, url in KITS[name].hosts(each.url).items()}
        locations = (Location(f"{unique}-segments"),)
        cloud = TestCloud(Settings(storage, storage, segment_locations=locations, vendor_hosts=hosts), unique)
        cloud.slices = Prompt(storage, f"{unique}-slices")
        found = [Engine(cloud, simulators[name], unique, kit=KITS[name]) for name in VENDORS]
        secrets: dict[str, str] = {}
        cloud.secrets = FixedSecrets(secrets)  # type: ignore[assignment]  # only `get` is used
        for each in found:
            own = {f"{each.kit.name}-{secret_name(name)}": value for name, value in each.kit.secrets.items()}
            secrets.update(own)
            each.kit.furnish(each)
            each.connect(secrets={name: f"{each.kit.name}-{secret_name(name)}" for name in each.kit.secrets})
        yield found


def crowd(chance: random.Random) -> list[Person]:
    """Some of the people, in any order and spelling."""
    drawn = chance.sample(people(CROWD), chance.randint(CROWD // 3, CROWD))
    return [
        each if chance.random() < 0.8 else Person(f" {each.email.upper()} ", each.first, each.city) for each in drawn
    ]


@pytest.mark.timeout(900)
def test_nobody_of_the_holdout_ever_reaches_a_vendor(engines: Sequence[Engine]) -> None:
    chance, exports = random.Random("holdout"), list[tuple[Engine, str]]()
    for engine in engines:
        for number in range(2 if engine is engines[0] else 1):
            name = f"{engine.kit.name}-{number}"
            rules: dict[str, Any] = {"holdout": SPRING.model_dump()}
            rules |= {"require": [{"column": "City"}]} if number else {}
            engine.land(crowd(chance), name)
            guards = dict.fromkeys(("max_removed_share", "max_removed_times", "max_deviation_share"))
            engine.define(name, targets=[{"segments": [name]}], rules=rules, guards=guards)
            exports.append((engine, name))
    landed: dict[str, set[str]] = {}
    ever: defaultdict[str, set[str]] = defaultdict(set)
    for _ in range(RUNS):
        for engine, name in exports:
            made = crowd(chance)
            landed[name] = {each.email.strip().lower() for each in made}
            engine.at = max(each.at for each in engines)
            engine.land(made, name)
            kind = chance.choice(KINDS)
            run = engine.service.start(name, f'{{"kind": "{kind}"}}'.encode()).run
            engine.pump()
            ended = engine.current(run)
            assert ended.state in ENDED - {State.FAILED, State.CANCELLED}, ended.message
            [reason] = [each for each in engine.report(run)["reasons"] if each["code"] == "holdout"]
            assert reason["people"] == len(landed[name] & HELD)
            if kind != "retry":
                ever[engine.kit.name] |= landed[name]
    for engine, name in exports:
        engine.service.start(name)
        engine.pump()
        ever[engine.kit.name] |= landed[name]
        assert engine.members(name).keys() == landed[name] - HELD
    for engine in engines:
        kit = engine.kit
        reached = {
            who for entry in engine.calls() if entry.endpoint in {*kit.adds, *kit.changes} for who in entry.touched
        }
        assert reached == ever[kit.name] - HELD


def test_a_person_who_is_held_out_can_be_forgotten(engine: Engine) -> None:
    engine.land(people(CROWD))
    engine.define(rules={"holdout": SPRING.model_dump()})
    run = engine.run()
    gone = min(HELD)
    folder = layout.delivery_folder(run.export, run.run, 0)
    for each in (layout.rejected(folder), *engine.cloud.blobs.names(layout.plan_files(folder))):
        engine.cloud.blobs.delete(each)
    assert engine.service.kept(gone).runs == 1, "the file of the holdout alone has them"
    assert engine.forget(gone).erased == {"runs": 1, "holdouts": 1}
    found = engine.cloud.blobs.read(layout.holdout(folder))
    assert found is not None
    assert gone.encode() not in found[0]
    assert found[0].count(b"@") == len(HELD) - 1
    assert engine.service.kept(gone).runs == 0


def test_whoever_of_the_holdout_stays_on_the_list_is_told_of(engine: Engine) -> None:
    engine.land(people(CROWD))
    engine.define()
    engine.run()
    engine.define(rules={"holdout": SPRING.model_dump()})
    engine.define(rules={"holdout": SPRING.model_dump()}, mode="add")
    run = engine.run()
    told = engine.service.runs.view(run.export, run.run).targets[0].warnings  # type: ignore[union-attr]
    number = len(HELD)
    words = f"{number} people of the holdout are on the list and stay there: take them off by hand, or name another."
    assert words in told


def test_nobody_else_who_is_kept_back_stands_in_the_file(engine: Engine) -> None:
    engine.land(people(CROWD))
    rules = {"holdout": SPRING.model_dump(), "require": [{"column": "City", "one_of": ["City 1", "City 2"]}]}
    engine.define(rules=rules)
    run = engine.run()
    found = engine.cloud.blobs.read(layout.holdout(layout.delivery_folder(run.export, run.run, 0)))
    assert found is not None
    wanted = sorted(each.email for each in people(CROWD) if each.email in HELD and each.city in ("City 1", "City 2"))
    assert found[0].decode("utf-8-sig").split() == ["address", *wanted]
    assert len(wanted) < len(HELD)
