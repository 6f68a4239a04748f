"""One export over two vendors, for every vendor: both lists are the segment, each in its own time, and one page says
who is on one and not on the other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import pytest

from shared.access.person import LOCAL
from shared.cloud.settings import StorageAddress
from shared.control import comparing, exports
from shared.delivery.state.records import ENDED, State
from shared.delivery.state.transitions import RunKind
from tests.contract.conftest import connected
from tests.contract.outcomes import GOOD, accounted, clean
from tests.contract.pairs import NAME, Pair, pair
from tests.integration.delivery.engine import Engine, Person, people
from tests.kits import KITS, Kit

ODD = "unusual@example.com"
PAIRS = list(combinations(KITS.values(), 2))


@pytest.fixture
def both(engine: Engine) -> Iterator[Pair]:
    with pair(engine) as made:
        engine.land(people(6))
        yield made


@pytest.mark.in_turn("two", 2)
@pytest.mark.parametrize("two", PAIRS, ids=lambda two: "-".join(kit.name for kit in two))
def test_both_lists_are_the_segment_and_stay_it(
    two: tuple[Kit, Kit], storage: StorageAddress, unique: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    own, beside = two
    for name, seconds in {**own.waits, **beside.waits}.items():
        monkeypatch.setattr(name, seconds)
    with connected(own, storage, unique) as engine, pair(engine, beside) as both:
        engine.land(people(6))
        both.save()
        for run, each in zip(both.run(), (engine, both.other), strict=True):
            assert run.state in GOOD, run.message
            assert accounted(each, run) == {"add accepted": 6}
        engine.land([*people(4, 2), Person("new@example.com")])
        for run, each in zip(both.run(), (engine, both.other), strict=True):
            assert run.state in GOOD, run.message
            assert accounted(each, run) == {"add accepted": 1, "remove accepted": 2}
            assert each.members().keys() == {*(person.email for person in people(4, 2)), "new@example.com"}
            clean(each)
        for on, not_on in ("", ""), (beside.name, own.name):
            found = comparing.compare(engine.service, NAME, on, not_on)
            assert (found.people, found.missing) == (5, 0)


@pytest.mark.in_turn("kit", 2)
def test_rules_and_a_holdout_keep_the_same_people_off_both(both: Pair) -> None:
    both.engine.land([*people(40), Person("elsewhere@example.com", city="Nowhere")])
    require = [{"column": "City", "one_of": [f"City {number}" for number in range(7)]}]
    both.save(rules={"require": require, "holdout": {"name": "autumn", "share": 0.3}})
    ours, theirs = both.run()
    assert both.engine.members().keys() == both.other.members().keys() != set()
    assert 0 < len(both.engine.members()) < 40
    assert both.engine.report(ours)["rows"]["kept_back"] == both.engine.report(theirs)["rows"]["kept_back"]


@pytest.mark.in_turn("kit", 2)
def test_a_dry_run_sends_nothing_to_either(both: Pair) -> None:
    both.save()
    started = both.engine.service.begin(NAME, RunKind.DRY_RUN)
    both.engine.pump()
    runs = [started.run, *(each.run for each in started.beside if each.run)]
    assert [both.engine.current(each).counts["add"] for each in runs] == [6, 6]
    for engine in (both.engine, both.other):
        assert engine.members() == {}


@pytest.mark.in_turn("kit", 2)
def test_a_vendor_that_is_down_keeps_the_other_one_from_nothing(both: Pair) -> None:
    both.save()
    with both.down():
        started = both.engine.service.begin(NAME)
        [beside] = started.beside
        assert beside.run is not None
        both.pump_until(beside.run)
        assert both.engine.current(started.run).state not in ENDED
        assert both.other.members().keys() == {each.email for each in people(6)}
    both.engine.pump()
    assert both.engine.current(started.run).state in GOOD
    assert both.engine.members().keys() == {each.email for each in people(6)}


@pytest.mark.in_turn("kit", 2)
def test_who_is_on_one_and_not_on_the_other_is_said_with_the_reason(both: Pair) -> None:
    both.save()
    both.other.kit.refuse(both.other, ODD)
    both.engine.land([*people(5), Person(ODD)])
    ours, theirs = both.run()
    assert ours.state in GOOD, ours.message
    assert theirs.state is State.WARNINGS, theirs.message
    found = comparing.compare(both.engine.service, NAME, "", "")
    assert (found.on, found.not_on) == (both.engine.kit.name, both.other.kit.name)
    assert (found.people, found.missing) == (6, 1)
    [reason] = found.reasons
    assert (reason.outcome, reason.people) == ("rejected", 1)
    [refused] = both.other.rejected(theirs)
    assert (reason.code, str(reason.reason)) == (refused["code"], refused["reason"])
    with comparing.people(both.engine.service, NAME, "", "") as path:
        lines = path.read_text("utf-8-sig").splitlines()
    assert [line.split(",")[:4] for line in lines[1:]] == [[ODD, "Loyal", "rejected", refused["code"]]]
    back = comparing.compare(both.engine.service, NAME, found.not_on, found.on)
    assert (back.people, back.missing) == (5, 0)


@pytest.mark.in_turn("kit", 2)
def test_before_the_other_connection_ran_everybody_is_not_delivered_yet(both: Pair) -> None:
    both.save(also=[])
    both.engine.run()
    both.save()
    found = comparing.compare(both.engine.service, NAME, "", "")
    assert [(each.outcome, each.people, str(each.reason)) for each in found.reasons] == [
        ("not yet", 6, "Nothing has been delivered there yet.")
    ]


@pytest.mark.in_turn("kit", 2)
def test_explain_says_it_of_both(both: Pair) -> None:
    both.save()
    both.run()
    told = both.engine.service.explain(NAME, "person1@example.com")["targets"]
    assert [(each["export"], each["connection"]) for each in told] == [
        (NAME, both.engine.kit.name),
        (both.companion, both.other.kit.name),
    ]
    assert all(each["ledger"]["status"] == "member" for each in told)


@pytest.mark.in_turn("kit", 2)
def test_a_connection_that_is_left_out_is_no_longer_delivered_to(both: Pair) -> None:
    both.save()
    both.run()
    both.save(also=[])
    assert both.engine.catalog.exports.get(both.companion) is None
    assert both.engine.service.begin(NAME).beside == ()
    both.engine.pump()
    exports.delete(both.engine.service, both.engine.catalog.export(NAME), LOCAL, keep_members=True)
