"""Rounds of runs under faults drawn from a seed, on all vendors at once, each held against the vendor's own log."""

from __future__ import annotations

import json
import random
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any
from unittest import mock

from azure.storage.queue import QueueMessage

from dev.faults.interruptions import Died
from dev.faults.passing import HOUR, let_go
from dev.faults.seam import WatchedCloud, watched_vendors
from shared.catalog.issues import NotNow
from shared.catalog.targets import target_key
from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.slices import active_runs
from shared.delivery.start import starting
from shared.delivery.state import layout, ledger
from shared.delivery.state.records import State, now
from shared.delivery.state.runs import Runs
from shared.delivery.state.transitions import RunKind
from shared.errors import Blocked, Unprocessable
from tests.integration.delivery.engine import Person
from tests.load.accounts import VENDORS, Account
from tests.load.fleet import Desk, Fleet, fleet, one_account_each
from tests.load.host import Host, client_of
from tests.load.leases import Leases, watched
from tests.load.quick import quick
from tests.load.quiet import quiet_libraries
from tests.soak import connections, mishaps, replay
from tests.soak.evidence import Evidence, differences
from tests.soak.opting_out import OptedOut, bring_back
from tests.soak.segments import Segment, rules

PACE, INSTANCES, MOST_PEOPLE, BATCH_ROWS = 60.0, 2, 40, 10
"""Two instances with two messages at once: four workers."""
SUPPRESSED = ".suppressed"
STUCK_SECONDS = 600.0
SAY_NO, REPLAYED = 6, 9
"""One in so many lists has somebody who opts out in a round, and is replayed from its events after it, where there are
so many; all of them are at the end."""
MANIFEST = layout.ledger_manifest("")
SPOILED_IN_CALM = -2
"""The second round without faults: what a run left open has been settled in the first, so a list can be checked."""
KINDS = [RunKind.DELIVERY] * 6 + [RunKind.DRY_RUN, RunKind.FULL_RESYNC, RunKind.FULL_RESYNC, RunKind.RETRY]
DECISIONS = ("deliver", "deliver", "start_small", "additions_only", "discard")
ASKED_ABOUT, FIRST = 12, 6
"""So many more people than there are, and a run asks; so many go first where a person decides so."""


def _suppressed(name: str) -> str:
    """The segment that an export with rules excludes."""
    return name + SUPPRESSED


@dataclass
class Soak:
    """`tally` counts what happened, `wrong` says in words what should not have."""

    seed: int
    fleet: Fleet
    leases: Leases
    accounts: dict[str, Account]
    segments: dict[str, Segment] = field(default_factory=dict)
    tally: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    weather: float = 0.0
    ledgers: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """Export -> its ledger's manifest, as the last round left it, and where it lies."""
    before: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    """The same of the round before that."""
    newer: dict[str, bytes] = field(default_factory=dict)
    """Export whose ledger was put back by a generation -> what it was."""
    older: bytes = b""
    spoiled: set[str] = field(default_factory=set)
    """Exports of whose list somebody changed a value at the vendor, until a repair ended well."""
    lists: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Export, those on other connections too -> its vendor, and the name of its segment and list."""
    beside: dict[str, str] = field(default_factory=dict)
    """Export -> the one that follows it on another connection."""
    opted_out: OptedOut = field(init=False)
    host: Host = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.opted_out = OptedOut(self.accounts)

    def desk(self, export: str) -> Desk:
        return self.fleet.desks[self.lists[export][0]]

    def segment(self, export: str) -> Segment:
        return self.segments[self.lists[export][1]]

    def furnish(self, vendors: Sequence[str], exports: int) -> None:
        """So many exports of each vendor, on one account; an export, its segment and its list share their name."""
        own = connections.planned(vendors, exports)
        self.lists = connections.lists(own)
        for each in own:
            name, desk = each.name, self.fleet.desks[each.vendor]
            chance = random.Random(f"{self.seed}/{name}")
            self.segments[name] = Segment(name, chance, ruled=each.ruled, identified=not each.ruled)
            self._land(name)
            more = {"rules": rules(_suppressed(name))} if each.ruled else {"id_column": "CustomerId"}
            desk.define(name, connection=each.vendor, targets=[{"segments": [name]}], **more)
            if each.beside:
                connections.put_beside(desk, self.fleet.desks[each.beside], each)
                self.beside[name] = each.companion
        for desk in self.fleet.desks.values():
            bring_back(desk)

    def _land(self, name: str) -> None:
        segment = self.segments[name]
        self._put(name, segment.change(MOST_PEOPLE))
        if segment.ruled:
            self._put(_suppressed(name), segment.suppress())

    def _put(self, name: str, rows: list[Person]) -> None:
        desk = self.desk(name.removesuffix(SUPPRESSED))
        desk.at -= timedelta(seconds=59)  # else many landings lead into the future
        desk.land(rows, name)

    # One round

    def round(self, number: int, weather: float) -> None:
        """New snapshots, new faults, a run of each export, and what people do meanwhile; then look at it all."""
        chance, self.weather = random.Random(f"{self.seed}/round/{number}"), weather
        evidence = {vendor: Evidence(desk) for vendor, desk in self.fleet.desks.items()}
        for name in self.segments:
            if weather and chance.random() < 0.9:
                self._land(name)
        if self._is_time_to_spoil(number, chance):
            self._spoil(chance)
        if weather and self.ledgers:
            self._say_no(chance)
        self._check_lists()
        self._set_faults(chance, evidence)
        back = self._put_back(chance) if weather else ""
        runs = self._start_all(back, chance if weather else None)
        if weather:
            self._read_who_said_no()
        self._settle(chance, runs)
        self.spoiled -= {name for name, run in runs.items() if self._is_mended(name, run)}
        for name, run in runs.items():
            self.tally[f"ended: {self.desk(name).current(run).state}"] += 1
        for name, run in runs.items():
            seen, on_list = evidence[self.desk(name).kit.name], self.on_list(name).keys()
            self.wrong += seen.check(name, self.segment(name), run, on_list, self.tally)
        for each in evidence.values():
            each.count_faults(self.tally)
        self._unnoticed()
        self.ledgers = {name: found for name in self.lists if (found := self._ledger(name))}
        self._replay(chance.sample(sorted(self.ledgers), len(self.ledgers) // REPLAYED))

    def _set_faults(self, chance: random.Random, evidence: Mapping[str, Evidence]) -> None:
        for desk in self.fleet.desks.values():
            faults = mishaps.vendor_faults(chance, self.weather) if self.weather else {}
            if self.weather and chance.random() < self.weather:
                faults |= mishaps.outage(chance)
            desk.simulator.faults.set(faults.values())
            evidence[desk.kit.name].faults = list(faults)

    def _start_all(self, back: str, chance: random.Random | None) -> dict[str, Any]:
        """A run of each export. What an export starts beside itself counts for the one there, which is started alone
        where that did not start, or is not of that kind."""
        runs: dict[str, Any] = {}
        for name in self.segments:
            following = self.beside.get(name, "")
            started = self._begin(name, None if back and back in (name, following) else chance)
            runs[name] = started.run
            if following:
                along = next((each.run for each in started.beside), None)
                runs[following] = along or self._begin(following, None).run
                self.tally["runs beside another"] += along is not None
        return runs

    # Events, and people who say no

    def _replay(self, names: Iterable[str]) -> None:
        """Who is on a list by its events is who is on it by its ledger."""
        for name in names:
            place = self.ledgers[name][0].removesuffix(MANIFEST)
            told, kept = replay.by_events(self.fleet.cloud, place), replay.by_ledger(self.fleet.cloud, place)
            self.wrong += (
                [f"{name}: {len(told ^ kept)} people differ between events and ledger"] if told != kept else []
            )
            self.tally["lists replayed from events"] += 1

    def _say_no(self, chance: random.Random) -> None:
        """Somebody on each of some lists opts out at its vendor, and somebody who is on a list of another vendor too:
        that one has to lose them."""
        together = chance.choice(sorted([*self.beside, *self.beside.values()]))
        for name in sorted({together, *chance.sample(sorted(self.lists), len(self.lists) // SAY_NO)}):
            members = sorted(self.on_list(name).keys() & self.segment(name).members().keys())
            if members:
                self._opt_out(name, chance.choice(members))

    def _opt_out(self, name: str, address: str) -> None:
        vendor, segment = self.lists[name]
        self.opted_out.say_no(self.fleet.desks[vendor], segment, address)
        self.segments[segment].opted_out.add(address)
        self.tally["opted out"] += 1

    def _read_who_said_no(self) -> None:
        """Read the rolls of vendors where somebody said no. The timer goes on with a reading that nobody called."""
        if unread := self.unread():
            self._wake(hours=1 if self.weather else 2)
        for vendor in unread:
            self.opted_out.read(self.fleet.desks[vendor])
            self.tally["opt-outs read"] += 1

    def unread(self) -> list[str]:
        """Vendors where somebody said no whom no reading has brought back yet."""
        return [each for each in sorted(self.opted_out.unread) if not self.opted_out.were_read(self.fleet.desks[each])]

    def _wake(self, hours: int = 1) -> None:
        """The timer, an hour later: what it woke is alive until then, so it takes another one to be woken again."""
        later = now() + timedelta(seconds=hours * HOUR)
        self.tally["woken by the timer"] += inbox.wake(self.fleet.cloud, clock=lambda: later)

    # Lists that are not as they were delivered

    def _is_time_to_spoil(self, number: int, chance: random.Random) -> bool:
        """Now and then in bad weather, and once when all is calm, so that a repair is in every soak."""
        if not self.weather:
            return number == SPOILED_IN_CALM
        return bool(self.ledgers) and chance.random() < 0.7

    def _spoil(self, chance: random.Random) -> None:
        """Somebody changes a value of a person at the vendor, which no delivery would send again."""
        ours = {name: self.on_list(name).keys() & self.segments[name].members().keys() for name in self.segments}
        peopled = sorted(name for name, members in ours.items() if members)
        if not peopled:
            return
        name = chance.choice(peopled)
        desk, listed = self.desk(name), sorted(ours[name])
        where, address = self.accounts[desk.kit.name], chance.choice(listed)
        person = {"email": address, "lists": [desk.kit.list_name(name)], "dataFields": dict(desk.kit.spoiled)}
        desk.tell("people", {"account": where.id, "people": [person]})
        self.spoiled.add(name)
        self.tally["values changed by others"] += 1

    def _check_lists(self) -> None:
        """While all is calm, read the lists in full that somebody has written to. Once the weather is over, read who
        said no before anything else is done."""
        if not self.weather:
            self._read_who_said_no()
        for name in self.spoiled:
            self.desk(name).simulator.faults.set([])
            with suppress(NotNow, Unprocessable, Blocked):  # as a run left something open, or a ledger was put back
                self.desk(name).service.start_check_up(name, 0, full=True, by="soak")
                self.tally["lists checked"] += 1
        weather, self.weather = self.weather, 0.0
        with self.host.instances(INSTANCES):
            while not self.host.idle():
                time.sleep(0.02)
        self.weather = weather
        self.spoiled -= {name for name in self.spoiled if self._is_well(name)}

    def _is_well(self, name: str) -> bool:
        """Whether a check found nothing: a delivery wrote the value again, or the person is off the list."""
        with suppress(Blocked):
            latest = self.desk(name).service.doctor(name, 0).latest
            return latest is not None and latest.state == "ended" and latest.differs == 0
        return False

    def _kind_of(self, name: str, chance: random.Random | None) -> RunKind:
        """A repair where a check found something to mend."""
        with suppress(Blocked):
            if name in self.spoiled and self.desk(name).service.doctor(name, 0).repair.differs:
                return RunKind.REPAIR
        return chance.choice(KINDS) if chance else RunKind.DELIVERY

    def _is_mended(self, name: str, run: Any) -> bool:
        ended = self.desk(name).current(run)
        return ended.kind is RunKind.REPAIR and ended.state is State.SUCCEEDED

    # A ledger from a backup

    def _ledger(self, name: str) -> tuple[str, bytes] | None:
        """Where an export's ledger lies, and its manifest."""
        desk = self.desk(name)
        export = desk.catalog.export(name).item
        claim = desk.catalog.targets.owner(export.account, target_key(export.targets[0]))
        place = layout.ledger_manifest(str(claim.memory["ledger"])) if claim and claim.memory.get("ledger") else ""
        found = self.fleet.cloud.blobs.read(place) if place else None
        return (place, found[0]) if found else None

    def _put_back(self, chance: random.Random) -> str:
        """Restore an export's ledger of two rounds ago, where it has a newer one; the export's name."""
        names = [name for name, (_, before) in self.before.items() if self.ledgers.get(name, ("", before))[1] != before]
        if not names:
            self.before = self.ledgers
            return ""
        name = chance.choice(sorted(names))
        place, self.older = self.before[name]
        self.newer[name] = self.ledgers[name][1]
        self.fleet.cloud.blobs.write(place, self.older)
        self.tally["ledgers put back"] += 1
        self.before = self.ledgers
        return name

    def _unnoticed(self) -> None:
        """A run may end before it looked at the ledger, but it must not write over one that is too old."""
        for name, newer in self.newer.items():
            place, _ = self.ledgers[name]
            found = self.fleet.cloud.blobs.read(place)
            if found is None or found[0] != self.older:
                self.wrong.append(f"{name}: nobody noticed that its ledger was put back")
            self.fleet.cloud.blobs.write(place, newer)
            self.tally["older ledgers not looked at"] += 1
        self.newer = {}

    def _answer_older(self, run: Any) -> None:
        """A person reads why the run is blocked, and puts the newer ledger where it was."""
        if self.desk(run.export).delivery(run).code == ledger.OLDER and run.export in self.newer:
            self.fleet.cloud.blobs.write(self.ledgers[run.export][0], self.newer.pop(run.export))
            self.tally["older ledgers noticed"] += 1

    def _begin(self, name: str, chance: random.Random | None) -> Any:
        kind = self._kind_of(name, chance)
        started = self.desk(name).service.begin(name, kind)
        begun = 1 + sum(each.run is not None for each in started.beside)
        self.tally["runs"] += begun
        self.tally[f"kind: {kind}"] += begun
        return started

    def _settle(self, chance: random.Random, runs: dict[str, Any]) -> None:
        """Let everything come to its end; what people do comes after so many messages."""
        acts = self._acts(chance, list(runs)) if self.weather else []
        first, began_at = len(self.host.turns), time.monotonic()
        hour_at = began_at
        with self.host.instances(INSTANCES):
            while not self._all_ended(runs):
                while acts and len(self.host.turns) - first >= acts[0][0]:
                    acts.pop(0)[1]()
                if self.host.idle():
                    self._nudge(chance)
                if time.monotonic() - hour_at > HOUR / PACE / 3:
                    hour_at = time.monotonic()
                    self._an_hour_passes()
                if time.monotonic() - began_at > STUCK_SECONDS:
                    raise AssertionError(f"seed {self.seed}: runs never end: {self._states(runs)}")
                time.sleep(0.02)

    def _all_ended(self, runs: dict[str, Any]) -> bool:
        return not list(active_runs(self.fleet.cloud)) and self.host.idle()

    def _states(self, runs: dict[str, Any]) -> dict[str, str]:
        found = {name: self.desk(name).delivery(run) for name, run in runs.items()}
        return {name: f"{each.state} {each.step} {each.turn} {each.message}" for name, each in found.items()}

    def _acts(self, chance: random.Random, names: list[str]) -> list[tuple[int, Callable[[], Any]]]:
        """What people and the timer do, each after so many messages of the round."""
        cloud = self.fleet.cloud
        acts: list[tuple[int, Callable[[], Any]]] = [
            (chance.randint(0, 30), partial(inbox.wake, cloud, clock=lambda: now() + timedelta(seconds=HOUR)))
        ]
        acts += [(chance.randint(0, 20), partial(self._cancel, name)) for name in chance.sample(names, 2)]
        return sorted(acts, key=lambda each: each[0])

    def _cancel(self, name: str) -> None:
        active = Runs(self.fleet.cloud.runs).active(name)
        if active is not None:
            starting.cancel(self.fleet.cloud, name, active.value.run)
            self.tally["cancelled by a person"] += 1

    def _nudge(self, chance: random.Random) -> None:
        """Nothing goes on by itself: a person decides what is blocked, and the timer wakes what is silent."""
        cloud = self.fleet.cloud
        for held in list(active_runs(cloud)):
            run = held.value
            if run.state is not State.BLOCKED:
                continue
            plan = self.desk(run.export).delivery(run).plan
            decision = chance.choice(DECISIONS) if self.weather else "deliver"
            if decision == "start_small" and self.desk(run.export).delivery(run).counts.get("add", 0) <= FIRST:
                decision = "deliver"
            if plan:
                self.tally[f"decided: {decision}"] += 1
                starting.decide(cloud, run.export, run.run, plan, decision, by="soak")
                self.tally["decided by a person"] += 1
            else:
                self._answer_older(run)
                starting.cancel(cloud, run.export, run.run)
        self._wake()

    # What the host calls

    def carry_out(self, message: QueueMessage) -> None:
        """A worker with a fate of its own, which the seed and the message decide."""
        body = json.loads(message.content)
        of = body.get("export") or body.get("connection")
        turn = f"{body['kind']}/{of}/{body.get('turn')}/{message.dequeue_count}"
        chance = random.Random(f"{self.seed}/{self.tally['runs']}/{turn}")
        name, fate = mishaps.calls(chance, self.weather)
        cloud = WatchedCloud(self.fleet.cloud, fate)
        if name == mishaps.VAULT_AWAY:
            cloud.secrets = mishaps.NoVault()  # type: ignore[assignment]  # only `get` is used
        try:
            inbox.receive(cloud, message.content.encode(), str(message.id), message.dequeue_count or 1)
        finally:
            with self._lock:
                mishaps.struck(self.tally, name, fate)

    def give_up(self, message: QueueMessage) -> None:
        inbox.give_up(self.fleet.cloud, message.content.encode(), str(message.id))
        self.tally["given up"] += 1

    def bury(self, message: QueueMessage) -> None:
        """An hour passes for the account of a worker that is no more: its lease ends."""
        body = json.loads(message.content)
        vendor = self.lists[body["export"]][0] if "export" in body else body["connection"]
        self._let_go(layout.lease(str(self.fleet.desks[vendor].catalog.connection(vendor).item.account)))

    def _an_hour_passes(self) -> None:
        """Leases that nobody let go of properly end, after which newcomers would wait for minutes."""
        for name in list(self.fleet.cloud.blobs.names("leases/")):
            self._let_go(name)

    def _let_go(self, lease: str) -> None:
        blobs = self.fleet.cloud.blobs
        container = blobs.service.get_container_client(blobs.container)
        self.leases.abandoned(lease, lambda: let_go(container, lease, HOUR))

    # What is there in the end

    def on_list(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        """Address -> fields of whoever is on an export's list."""
        vendor, listed = self.lists[name]
        return self.fleet.desks[vendor].on_list(self.accounts[vendor], listed)

    def differences(self) -> list[str]:
        """People who are missing on a list, or should not be on it, or have other values. Vendors differ in whether
        somebody who said no to them is shown on it."""
        found = [differences(name, self.segment(name).members(), self._willing(name)) for name in self.lists]
        return [words for each in found for words in each]

    def replay(self) -> None:
        self._replay(self.lists)

    def _willing(self, name: str) -> Mapping[str, Mapping[str, Any]]:
        said_no = self.opted_out.at(*self.lists[name])
        return {who: fields for who, fields in self.on_list(name).items() if who not in said_no}

    def harm(self) -> dict[str, int]:
        """People who were unsubscribed, resubscribed, suppressed, deleted or written to, by vendor and kind."""
        found: dict[str, int] = {}
        for vendor, where in self.accounts.items():
            desk = self.fleet.desks[vendor]
            state = desk.inspect(f"state?account={where.id}").json()
            found |= {f"{vendor} {name}": state[name] for name in desk.kit.consent_counts if state[name]}
        return found


@contextmanager
def quiet_deaths() -> Iterator[None]:
    """A worker's other threads die without a word."""
    hook = threading.excepthook

    def quiet(arguments: Any) -> None:
        if not issubclass(arguments.exc_type, Died):
            hook(arguments)

    with mock.patch.object(threading, "excepthook", quiet):
        yield


@contextmanager
def soak(
    storage: StorageAddress, unique: str, seed: int, *, exports: int, vendors: Sequence[str] = VENDORS
) -> Iterator[Soak]:
    """Everything in place, and no run yet: so many exports of each of these vendors, which are two at least."""
    assert storage.connection_string is not None
    with ExitStack() as stack:
        stack.enter_context(quiet_libraries())
        leases = stack.enter_context(watched())
        stack.enter_context(quick(PACE, batch_rows=BATCH_ROWS, concurrency=2))
        stack.enter_context(watched_vendors())
        stack.enter_context(quiet_deaths())
        stack.enter_context(mock.patch("shared.delivery.plan.guards.FEW", ASKED_ABOUT))
        stack.enter_context(mock.patch("shared.delivery.plan.small_start.PEOPLE", FIRST))
        made = stack.enter_context(fleet(storage, unique, pace=PACE))
        soak = Soak(seed, made, leases, one_account_each(made))
        client = client_of(made.queue, storage, f"{unique}-slices")
        soak.host = Host(made.queue, client, soak.carry_out, soak.give_up, soak.bury, batch=1, threshold=1)
        soak.furnish(vendors, exports)
        yield soak
