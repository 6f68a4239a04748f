"""Why one person is, or is not, on an export's targets: the snapshot, the checks, the ledger, the last receipts."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import islice
from typing import Any

from shared.catalog.holdout import HOLDOUT
from shared.catalog.models import Export, Mode, Target
from shared.catalog.rules import LIMIT, NO_RULES, Rules, excluded, required
from shared.cloud.cloud import Cloud
from shared.delivery import addresses, segments
from shared.delivery.lookups import happened, other_address
from shared.delivery.lookups.story import story
from shared.delivery.plan.cell_values import REASONS, LeftOut, Matched
from shared.delivery.plan.operations import Source, Wish, staging_query
from shared.delivery.plan.persons import all_reasons
from shared.delivery.sql import literal
from shared.delivery.state import found as found_people
from shared.delivery.state import journal, layout, ledger, lookup
from shared.delivery.state import plan as plans
from shared.delivery.state.lookup import KnownTarget
from shared.delivery.state.records import Delivery, State, now
from shared.delivery.state.runs import Runs
from shared.errors import UserMustAct
from shared.mailbox import normalised, spellings
from shared.snapshots.reading import reader
from shared.wording import Message, say, together

RUNS_LOOKED_AT = 5
MOST_ROWS = 10


def explain(cloud: Cloud, export: Export, address: str) -> dict[str, Any]:
    """Everything that is known about an address, target by target. The answer holds no address."""
    wanted = normalised(address)
    problem = _problem(wanted)
    known = list(lookup.targets(cloud, export))
    return {
        "export": export.name,
        "address": "valid" if problem is None else problem,
        "address_hash": happened.hash_of(cloud, wanted),
        "targets": [
            _of_target(cloud, export, index, target, each, wanted, problem)
            for index, (target, each) in enumerate(zip(export.targets, known, strict=True))
        ],
    }


def _of_target(
    cloud: Cloud, export: Export, index: int, target: Target, known: KnownTarget, address: str, problem: str | None
) -> dict[str, Any]:
    own = Rules(require=export.rules.require)
    found = [
        _in_segment(cloud, export, segment, export.address_column, own, address, _made(export))
        for segment in target.segments
    ]
    barring = [
        _in_segment(cloud, export, each.segment, each.address_column or export.address_column, NO_RULES, address)
        for each in export.rules.exclude
    ]
    inside = any(each["rows"] for each in found)
    row = lookup.ledger_row(cloud, known.ledger, address)
    moved = not inside and other_address.is_in_segment(cloud, export, target, row)
    receipts = list(islice(_receipts(cloud, export, index, address), RUNS_LOOKED_AT))
    written = happened.of_person(cloud, known.ledger, address)
    kept_back = list(_kept_back(cloud, export, index, address, found, barring)) if inside else []
    return {
        "export": export.name,
        "connection": export.connection,
        "target": known.key,
        "segments": found,
        "excluded": barring,
        "kept_back": kept_back,
        "other_address": moved,
        "ledger": _plain(row),
        "receipts": receipts,
        "list_key": written.list_key,
        "events": written.events,
        "known_since": written.known_since.isoformat() if written.known_since else None,
        "all_events": written.complete,
        "verdict": verdict(
            inside,
            problem,
            row,
            export.mode,
            [each["reason"] for each in kept_back],
            _waits(cloud, export, index),
            moved=moved,
        ),
        "story": story(
            [*found, *(each for each in barring if each["rows"])],
            row,
            receipts,
            list(_checked(cloud, export, index, known, address)),
            written.events,
        ),
    }


def _made(export: Export) -> list[Matched]:
    """Fields whose value is made of columns, for what their steps can read; what the fields take is the vendor's to
    tell."""
    made = (match for match in export.matching if match.derived)
    return [Matched(each.field, "", country=export.phone_country, derived=each.derived) for each in made]


def _in_segment(
    cloud: Cloud,
    export: Export,
    segment: str,
    column: str,
    rules: Rules,
    address: str,
    made: Sequence[Matched] = (),
) -> dict[str, Any]:
    """Rows of the newest snapshot with this address, read as a stream, the requirements that they do not meet, and
    what the steps of values could not read in the first of them."""
    wish = Wish(column, made, str(export.mode), rules=rules)
    unmet = "unmet" if rules.require else "NULL"
    reasons = "".join(f", left_out_{number}" for number in range(len(made)))
    try:
        snapshot = segments.newest(cloud, segment)
        with reader(cloud.segments, cloud.settings) as opened:
            query = staging_query(wish, [Source(opened.scan(snapshot, wish.columns).sql)], 1)
            condition = f"address IN ({', '.join(map(literal, spellings(address)))})"
            rows = opened.connection.execute(
                f"SELECT file_index, n, {unmet} {reasons} FROM ({query}) WHERE {condition} ORDER BY n LIMIT {MOST_ROWS}"
            ).fetchall()
    except UserMustAct as error:
        return {"segment": segment, "rows": 0, "problem": error.message}
    return {
        "segment": segment,
        "snapshot": snapshot.key,
        "taken_at": snapshot.taken_at.isoformat(),
        "rows": len(rows),
        "places": [{"file": snapshot.files[file].name, "row_of_snapshot": row} for file, row, *_ in rows],
        **({"unmet": sorted({each[2] for each in rows if each[2] is not None})} if rules.require else {}),
        **({"left_out": _left_out(made, rows[0][3:] if rows else ())} if made else {}),
    }


def _left_out(made: Sequence[Matched], reasons: Sequence[str | None]) -> list[dict[str, str]]:
    return [
        {"field": match.field, "code": why, "reason": REASONS[LeftOut(why)]}
        for match, why in zip(made, reasons, strict=False)
        if why
    ]


def _kept_back(
    cloud: Cloud,
    export: Export,
    index: int,
    address: str,
    found: Sequence[Mapping[str, Any]],
    barring: Sequence[Mapping[str, Any]],
) -> Iterator[dict[str, str]]:
    """The rules that keep a person of the segment back, as the newest snapshots are; of the limit, and of a person's
    other addresses, the last plan knows, since it takes everybody to tell."""
    words = all_reasons(export.rules, export.id_column)
    names = [excluded(number) for number, each in enumerate(barring) if each["rows"]]
    names += [required(number) for number in sorted({number for each in found for number in each.get("unmet", ())})]
    yield from ({"rule": name, "reason": words[name]} for name in names)
    if names:
        return
    by_everybody = words.keys() - {HOLDOUT} if export.id_column else {LIMIT} & words.keys()
    beyond = list(islice(_by_the_plan(cloud, export, index, address, by_everybody), 1))
    yield from beyond
    if export.rules.holdout and export.rules.holdout.holds(address) and not beyond:
        yield {"rule": HOLDOUT, "reason": words[HOLDOUT]}


def _by_the_plan(
    cloud: Cloud, export: Export, index: int, address: str, rules: Collection[str]
) -> Iterator[dict[str, str]]:
    """What the newest plan says of somebody whom one of these rules keeps back."""
    for held, plan in islice(_plans(cloud, export, index), 1 if rules else 0):
        for file in plan.kept_back:
            for row in lookup.rows(cloud, file, f"address = {literal(address)}"):
                if row["rule"] in rules:
                    yield {"rule": row["rule"], "reason": plan.rules[row["rule"]], "run": held.run}


def _waits(cloud: Cloud, export: Export, index: int) -> Message | None:
    """Why whoever was not sent yet waits, as the newest plan is: for a person, or for the next run."""
    for held, plan in islice(_plans(cloud, export, index), 1):
        if held.state is State.BLOCKED:
            return _FOR_A_DECISION
        if plan.balance.later:
            return _FOR_LATER
    return None


def _checked(cloud: Cloud, export: Export, index: int, known: KnownTarget, address: str) -> Iterator[tuple[str, str]]:
    """What the latest check-up in full found of the person, and when; nothing where a delivery came after it."""
    findings = found_people.read(cloud.blobs, export.name, index)
    if findings is None or not findings.fits(ledger.read(cloud.blobs, known.ledger), now().timestamp()):
        return
    at = datetime.fromtimestamp(findings.at, UTC).isoformat()
    for each in findings.files:
        if each.first <= lookup.bucket(address) <= each.last:
            for row in lookup.rows(cloud, each.file, f"address = {literal(address)}"):
                yield at, row["what"]


def _receipts(cloud: Cloud, export: Export, index: int, address: str) -> Iterator[dict[str, Any]]:
    """What became of operations on the address in the export's account, newest run first; those in another account,
    perhaps of a deleted export of this name, are not for whoever may ask about this one."""
    for delivery, plan in _plans(cloud, export, index):
        folder = layout.delivery_folder(export.name, delivery.run, index)
        for operation in _operations(cloud, plan, address):
            yield _receipt(cloud, folder, delivery, plan, operation)


def _plans(cloud: Cloud, export: Export, index: int) -> Iterator[tuple[Delivery, plans.Plan]]:
    """Deliveries of the last runs in the export's account with their plans, newest first."""
    runs = Runs(cloud.runs)
    for run in islice(runs.history(export.name), 50):
        held = runs.delivery(export.name, run.run, index)
        folder = layout.delivery_folder(export.name, run.run, index)
        found = plans.read(cloud.blobs, folder) if held and held.value.account == export.account else None
        if held is not None and found is not None:
            yield held.value, found[0]


def _operations(cloud: Cloud, plan: plans.Plan, address: str) -> Iterator[tuple[plans.PlanFile, int]]:
    part = lookup.bucket(address) * plan.parts // 256
    for file in plan.of_part(part):
        for row in lookup.rows(cloud, file.file, f"address = {literal(address)}"):
            yield file, int(row["place"])


def _receipt(
    cloud: Cloud, folder: str, delivery: Delivery, plan: plans.Plan, operation: tuple[plans.PlanFile, int]
) -> dict[str, Any]:
    file, place = operation
    batch, index = plan.place(file, place)
    folded = journal.fold(cloud.blobs, folder)
    receipt = folded.receipt(batch, index)
    return {
        "run": delivery.run,
        "at": (delivery.finished_at or delivery.heartbeat).isoformat(),
        "operation": str(file.kind),
        "outcome": str(receipt.outcome) if receipt else (say("in flight") if batch in folded.sent else say("not sent")),
        "code": receipt.code if receipt else "",
        "reason": receipt.reason if receipt else "",
    }


def _problem(address: str) -> str | None:
    """The verdict of `addresses.problem` on one address."""
    import duckdb

    with duckdb.connect() as connection:
        found = connection.execute(f"SELECT {addresses.problem('$address')}", {"address": address}).fetchone()
    problem: str | None = found[0] if found else None
    if problem == addresses.DOUBTFUL:
        return addresses.INVALID if list(addresses.invalid([address])) else None
    return problem


_SHOWN = (*ledger.COLUMNS.keys() - {"address", "bucket", "hash", "refused_hash", "person"},)


def _plain(row: Mapping[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {name: str(row[name]) for name in sorted(_SHOWN) if row.get(name) is not None}


def verdict(
    in_segment: bool,
    problem: str | None,
    row: Mapping[str, Any] | None,
    mode: Mode,
    kept_back: Sequence[str] = (),
    waits: Message | None = None,
    *,
    moved: bool = False,
) -> str:
    """One sentence for a marketer."""
    if problem is not None:
        return say("Not on the list: %(why)s", why=addresses.REASONS[problem])
    status = row["status"] if row else None
    if kept_back:
        return _KEPT_BACK[status].filled(why=together(kept_back))
    if waits and in_segment and row is None:
        return waits
    if moved and status in _MOVED:
        return _MOVED[status]
    if mode is Mode.ADD and not in_segment and status in _STAYS:
        return _STAYS[status]
    return _VERDICTS[(in_segment, status)].filled(
        code=(row or {}).get("code") or "", retry=Message((row or {}).get("retry") or "")
    )


_ON_THE_LIST_STILL = say("On the list, and kept back by a rule now: %(why)s The next run takes the person off.")
_NOT_ON_THE_LIST = say("Not on the list: in the segment, and kept back by a rule. %(why)s")
_KEPT_BACK = {
    "member": _ON_THE_LIST_STILL,
    "maybe": _ON_THE_LIST_STILL,
    "removed": say("Not on the list: kept back by a rule, and taken off. %(why)s"),
    "refused": _NOT_ON_THE_LIST,
    None: _NOT_ON_THE_LIST,
}
"""For people in the segment whom a rule keeps back, by what is known of them."""
_MOVED = {
    "member": say("On the list, but the person has another address now: the next run takes this one off."),
    "maybe": say("Perhaps on the list, but the person has another address now: the next run takes this one off."),
    "removed": say("Not on the list: the person has another address now, and this one was taken off."),
}
"""For addresses that are not in the segment, of people who are."""
_STAYS = {
    "member": say("On the list, though not in the segment: this export takes nobody off."),
    "maybe": say("Perhaps on the list, though not in the segment: this export takes nobody off."),
}
_FOR_A_DECISION = say("Not on the list yet: a run is stopped before its first write, and waits for a decision.")
_FOR_LATER = say("Not on the list yet: somebody decided to start with a few people; the next run sends the others.")
_VERDICTS = {
    (True, "member"): say("On the list, and in the segment."),
    (True, "maybe"): say("Perhaps on the list: the vendor did not answer. The next run adds the person again."),
    (True, "removed"): say("Not on the list yet: taken off before, in the segment again; the next run adds."),
    (True, "refused"): say("Not on the list: the vendor refused (%(code)s); tried again: %(retry)s."),
    (True, None): say("Not on the list yet: in the segment, and no run has sent the person."),
    (False, "member"): say("On the list, but not in the segment: the next run takes the person off."),
    (False, "maybe"): say("Perhaps on the list, and not in the segment: the next run takes the person off."),
    (False, "removed"): say("Not on the list: the person left the segment and was taken off."),
    (False, "refused"): say("Not on the list: not in the segment, and refused before (%(code)s)."),
    (False, None): say("Not on the list through this export: not in the segment, and never sent."),
}
