"""First step of a delivery: make the plan, or find it made, and let the guards look at it."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from itertools import islice

from shared.delivery.plan import attempt as attempts
from shared.delivery.plan import drift, first_run, giving_way, guards, persons, planned_people, size, small_start
from shared.delivery.plan.cell_values import Matched, matched
from shared.delivery.plan.drift import Look
from shared.delivery.plan.guards import Facts, Finding
from shared.delivery.plan.operations import BARRING, HELD_OUT_AND_THERE, Tally, Wish
from shared.delivery.plan.parts import plan_parts
from shared.delivery.plan.persons import IdFacts
from shared.delivery.plan.recognising import recognising
from shared.delivery.plan.staging import Staged, stage
from shared.delivery.state import found, ledger, once
from shared.delivery.state import plan as plans
from shared.delivery.state.files import DataFile
from shared.delivery.state.found import Findings
from shared.delivery.state.journal import Folded
from shared.delivery.state.ledger import Commit, Ledger
from shared.delivery.state.plan import Balance, Plan
from shared.delivery.state.records import State, Step
from shared.delivery.state.transitions import RunKind
from shared.delivery.work import Work
from shared.errors import Blocked
from shared.snapshots.dialect import in_words
from shared.snapshots.unreadable import SnapshotChanged
from shared.vendors.contract import SWITCHED, Kind
from shared.wording import read, say, say_many

log = logging.getLogger(__name__)

_USUAL = frozenset({RunKind.DELIVERY, RunKind.FULL_RESYNC})
_WELL = frozenset({State.SUCCEEDED, State.WARNINGS})
"""Runs that say what is usual: those that changed something."""
_LOOKED = _WELL | {State.NOTHING}
"""Runs that read the whole segment, and left the list as it says."""

_WITHOUT_IDS = frozenset({RunKind.WITHDRAW, RunKind.REPAIR})
"""Kinds of runs that are about addresses as they are on the list, whoever has another one in the segment."""

UNGUARDED = frozenset({RunKind.WITHDRAW})
"""Kinds of runs that a person asked for with that very outcome in mind."""


def plan(work: Work) -> None:
    """Make the plan. Where a guard is not satisfied the delivery is blocked, and waits for a decision.

    Raises Blocked where a person has to choose before there can be a plan, UserMustAct where the segment, the data
    matching or the vendor stands in the way, SliceOver where the next slice has to go on.
    """
    work.planned = (None if work.first else work.plan()) or _make(work)
    if work.delivery.decision == guards.START_SMALL:
        work.planned = small_start.cut(work, *work.planned)
    made, fingerprint = work.planned
    total = made.balance.operations
    left_out = made.balance.left_out
    passed_over = [why for each in made.snapshots for why in each["passed_over"]]
    beside = [why for each in (*made.snapshots, *made.excluded) for why in each.get("beside", ())]
    planned = {
        "plan": fingerprint,
        "total": total,
        "counts": made.balance.counts(),
        "left_out": left_out,
        "warnings": [
            *(say("A newer snapshot was not used: %(why)s.", why=read(why)) for why in passed_over),
            *(say("Something in the segment's folder was not used: %(why)s.", why=read(why)) for why in beside),
            *made.warnings,
        ],
    }
    findings = [Finding(each["guard"], each["message"]) for each in made.findings]
    if work.run.kind.only_looks:
        planned_people.write(work, made)
        rehearses = work.run.kind is RunKind.REHEARSAL and total
        work.note(step=Step.REHEARSE if rehearses else Step.COMMIT, **planned)
    elif not guards.may_go_on(findings, work.delivery.decision):
        planned_people.write(work, made)
        message = say("Blocked before the first write: %(why)s.", why=made.stopped_by())
        work.save(state=State.BLOCKED, code=findings[0].guard, message=message, **planned)
    elif not total:
        work.note(step=Step.COMMIT, **planned)
    else:
        work.note(step=Step.PREPARE, **planned)


def require_same_account(work: Work) -> None:
    """Raises Blocked where the export's list is in another account than its connection leads to now."""
    account = work.connection.account
    if account and account != work.delivery.account:
        raise Blocked(
            SWITCHED,
            say(
                "The connection leads to another account than the one that this export's list is in. If it "
                "is the same account with a new key, check the connection with same_account=true; else "
                "save the export again, which starts a new list there. Then run the export again."
            ),
        )


def _make(work: Work) -> tuple[Plan, str]:
    giving_way.give_way(work)
    if work.run.kind is RunKind.REBUILD or (work.run.kind is RunKind.FULL_RESYNC and attempts.is_fresh(work)):
        return _make_from(work, ledger.emptied(work.cloud.blobs, work.ledger_folder), fresh=True)
    try:
        return _make_from(work, _ledger(work), fresh=False)
    except Blocked as error:
        if work.run.kind is not RunKind.FULL_RESYNC:
            raise
        if error.code == ledger.OLDER:  # who left since then is still in it
            work.base = ledger.read(work.cloud.blobs, work.ledger_folder)
            return _make_from(work, work.base, fresh=False)
    log.warning("The ledger of run %s is lost; everyone in the segment is sent again.", work.run.run)
    attempts.give_up(work)
    return _make_from(work, ledger.emptied(work.cloud.blobs, work.ledger_folder), fresh=True)


def _ledger(work: Work) -> Ledger:
    work.base = ledger.read(work.cloud.blobs, work.ledger_folder, committed=Commit.of(work.memory()))
    return work.base


def _make_from(work: Work, before: Ledger, *, fresh: bool) -> tuple[Plan, str]:
    wish, findings = wish_of(work), _found(work, before)
    try:
        knows = recognising(work.files, wish, before, work.where)
        staged = stage(work, wish, before, fresh=fresh, findings=findings, recognising=knows)
        tally = plan_parts(work, wish, staged, before, findings)
    except (once.Unusable, SnapshotChanged):
        work.lease.hold()  # only who still has the account may give the attempt up
        attempts.give_up(work)
        raise
    made = _manifest(work, wish, staged, tally, before, fresh=fresh)
    if work.run.kind is RunKind.REPAIR and findings is None:
        made = replace(made, mentions=[*made.mentions, found.CHECK_FIRST])
    made.balance.check()
    published = plans.publish(work.cloud.blobs, work.folder, made)
    if published[0] is made:  # nobody else can have sent anything of it
        work.folded = Folded()
    if staged.attempt:
        attempts.clear(work)
    return published


def wish_of(work: Work) -> Wish:
    """What the export wants of the target."""
    export, kind = work.export, work.run.kind
    id_column = export.id_column if kind not in _WITHOUT_IDS else None
    return Wish(export.address_column, _matched(work), str(export.mode), kind, export.rules, id_column)


def _found(work: Work, before: Ledger) -> Findings | None:
    """What a repair mends; None where it is no repair, or where the target was not checked as it is now."""
    if work.run.kind is not RunKind.REPAIR:
        return None
    findings = found.read(work.cloud.blobs, work.export.name, work.delivery.index)
    return findings if findings and findings.fits(before, work.clock().timestamp()) else None


def _manifest(work: Work, wish: Wish, staged: Staged, tally: Tally, before: Ledger, *, fresh: bool) -> Plan:
    batch_rows = _batch_rows(work)
    balance = tally.balance()
    looks = [*_looks(wish, staged, tally), *_barring_looks(staged, tally)]
    drifted = drift.drift(looks, work.memory().get("looks") or {})
    facts = _facts(work, staged, tally, before, drifted.stops, fresh) if work.run.kind not in UNGUARDED else None
    asked = first_run.question(work, facts, _additions(tally)) if facts else None
    findings = [*(guards.findings(facts, work.guards) if facts else ()), *([asked.finding()] if asked else ())]
    return Plan(
        batch_rows=batch_rows,
        parts=staged.parts,
        base=before.commit,
        base_generation=before.generation,
        folder=work.folder,
        rules=dict(persons.all_reasons(wish.rules, wish.id_column)),
        kept_back=tally.kept_back_files,
        known_before=tally.known_before,
        newly_known=tally.newly_known,
        recognisable=tally.recognisable,
        excluded=[each.snapshot.to_json() for each in staged.barring],
        excluded_rows=[tally.segment_rows.get(each.number, 0) for each in staged.barring],
        grows_to=facts.after if facts and facts.grows_much else 0,
        first_run=asked.plain() if asked else {},
        fresh=fresh,
        members_before=before.members,
        snapshots=[snapshot.to_json() for snapshot in staged.snapshots],
        snapshot_rows=[tally.segment_rows.get(number, 0) for number in range(len(staged.snapshots))],
        balance=balance,
        fields={match.field: match.type.sent_as for match in wish.matches},
        files=plans.number(tally.files, batch_rows),
        refused=tally.refused_files,
        values_left_out=tally.left_out_files,
        file_starts=[(segment, file, start) for (segment, file), start in sorted(tally.starts.items())],
        findings=[asdict(finding) for finding in findings],
        looks=drift.plain(looks),
        warnings=[*drifted.warnings, *_held_out_and_there(tally)],
        mentions=list(drifted.mentions),
        made_at=work.clock().isoformat(),
    )


def _looks(wish: Wish, staged: Staged, tally: Tally) -> list[Look]:
    """The columns whose filling is compared with the last run's, by segment. The address column is left to the guard
    for invalid rows."""
    ids = [wish.id_column] if wish.id_column else []
    matched_columns = dict.fromkeys([*(column for match in wish.matches for column in match.columns), *ids])
    looks = []
    for number, (snapshot, types) in enumerate(zip(staged.snapshots, staged.types, strict=True)):
        rows = tally.segment_rows.get(number, 0)

        def share(counts: Mapping[tuple[int, str], int], column: str, at: int = number, of: int = rows) -> float:
            return round(counts[at, column] / of, 3) if of else 0.0

        looks.append(
            Look(
                segment=snapshot.segment_id,
                name=snapshot.name,
                rows=rows,
                dialect=in_words(snapshot.format),
                filled={column: share(tally.filled, column) for column in matched_columns},
                types={column: types[column] for column in matched_columns if column in types},
                columns=snapshot.columns,
                texts={column: part for column in matched_columns if (part := share(tally.texts, column))},
            )
        )
    return looks


def _barring_looks(staged: Staged, tally: Tally) -> list[Look]:
    """An excluded segment that suddenly names nobody lets everybody through."""
    return [
        Look(
            segment=each.snapshot.segment_id,
            name=each.snapshot.name,
            rows=(rows := tally.segment_rows.get(each.number, 0)),
            dialect=in_words(each.snapshot.format),
            filled={each.column: round(tally.filled.get((each.number, BARRING), 0) / rows, 3) if rows else 0.0},
            bars=True,
        )
        for each in staged.barring
    ]


def _held_out_and_there(tally: Tally) -> Iterator[str]:
    if people := tally.counts.get(HELD_OUT_AND_THERE):
        yield say_many(
            "%(num)s person of the holdout is on the list and stays there: take them off by hand, or name another.",
            "%(num)s people of the holdout are on the list and stay there: take them off by hand, or name another.",
            people,
        )


def _additions(tally: Tally) -> list[DataFile]:
    return [file for kind, _, file in tally.files if kind is Kind.ADD]


def _facts(work: Work, staged: Staged, tally: Tally, before: Ledger, emptied: Sequence[str], fresh: bool) -> Facts:
    return Facts(
        balance=tally.balance(),
        members_before=before.members,
        snapshot_taken_at=min(snapshot.taken_at for snapshot in staged.snapshots),
        delivered_before=_delivered_before(before),
        now=work.clock(),
        max_profiles=size.most_people(work),
        removed_before=_removed_before(work, tally.balance().leavers, before.members),
        refused_before=_refused_before(work, tally.balance()),
        emptied=emptied,
        agreed=work.memory().get("agreed") or 0,
        lost=fresh and bool(Commit.of(work.memory()).name),
        ids=IdFacts(**tally.ids),
    )


def _refused_before(work: Work, balance: Balance) -> int | None:
    """Rows without a usable address in the last delivery to this target, where the guards want to know."""
    if not guards.may_be_unreadable(balance):
        return None
    return next((counts.get("refused_here", 0) for counts in _counts_before(work, _LOOKED)), None)


def _counts_before(work: Work, states: Collection[State]) -> Iterator[Mapping[str, int]]:
    """Counts of the last runs' deliveries to this target, the newest first."""
    ended = (run for run in work.runs.history(work.run.export) if run.kind in _USUAL and run.state in states)
    found = (work.runs.delivery(run.export, run.run, work.delivery.index) for run in islice(ended, guards.RUNS))
    return (held.value.counts for held in found if held and held.value.target_key == work.delivery.target_key)


def _removed_before(work: Work, remove: int, members: int) -> list[int]:
    """How many the last runs took off this target, where the guards want to know."""
    if not guards.may_be_unusual(remove, members):
        return []
    return [counts.get("remove", 0) - counts.get("moved", 0) for counts in _counts_before(work, _WELL)]


def _matched(work: Work) -> list[Matched]:
    """The data matching with what each field takes, as the vendor has it now."""
    matching, vendor = work.export.matching, work.opened.vendor
    if not matching:
        return []
    return matched(
        matching,
        work.opened.definition,
        work.export.phone_country,
        vendor.field_types(),
        vendor.fits(work.wanted, work.remembered(), [match.field for match in matching]),
    )


def _batch_rows(work: Work) -> int:
    chosen = work.connection.settings.get("batch_rows")
    return int(chosen) if chosen else work.opened.definition.batch_rows


def _delivered_before(before: Ledger) -> datetime | None:
    times = [datetime.fromisoformat(each["taken_at"]) for each in before.snapshots]
    return min(times).astimezone(UTC) if times else None
