"""What the vendor shows of a target, beside what its ledger says after a delivery."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from shared.catalog.models import Connection, Export
from shared.catalog.targets import TargetStore
from shared.cloud.cloud import Cloud
from shared.delivery.account.connecting import Opened
from shared.delivery.state import layout, ledger
from shared.delivery.state import plan as plans
from shared.delivery.state.plan import Plan
from shared.delivery.state.records import Delivery, Verdict
from shared.delivery.state.runs import Versioned
from shared.delivery.verify import sample, verdicts
from shared.delivery.verify.verdicts import Expected, Naming
from shared.errors import ExportError
from shared.vendors.contract import TargetFound, Vendor
from shared.wording import say

_OUTDATED = say("A newer run came before this one was verified.")


@dataclass(frozen=True, slots=True)
class Subject:
    """What is verified, and with what."""

    held: Versioned[Delivery]
    export: Export
    connection: Connection

    @property
    def delivery(self) -> Delivery:
        return self.held.value

    @property
    def folder(self) -> str:
        return layout.delivery_folder(self.delivery.export, self.delivery.run, self.delivery.index)

    @property
    def commit_name(self) -> str:
        return f"{self.delivery.run}-{self.delivery.index:03d}"


class Outdated(ExportError):
    """The target is not as this delivery left it."""


def compare(cloud: Cloud, subject: Subject, opened: Opened) -> tuple[dict[str, Any], bool]:
    """What was found, and whether another look could not change it."""
    delivery = subject.delivery
    expected, made = _expected(cloud, subject), plans.read(cloud.blobs, subject.folder)
    if made is None:
        raise Outdated(say("The plan of the run is gone."))
    found = delivery.target
    target = TargetFound(str(found["list_id"]), str(found["name"]), details=found["details"])
    count = opened.vendor.count(target)
    sample = _sample(cloud, subject.folder, made[0], opened.vendor, target)
    naming = Naming(opened.definition.label, opened.definition.target_word)
    verdict, words = verdicts.judge(expected, count, sample, naming)
    before = report_of(cloud, subject.folder).get("evidence_of_receipts", {})
    facts = {
        "verdict": str(verdict),
        "message": words,
        "expected": expected.members,
        "maybe": expected.maybe,
        "strangers": expected.strangers,
        "counted": count.people if count else None,
        "difference": verdicts.difference(expected, count),
        "sample": asdict(sample),
        "evidence": verdicts.evidence(before, verdict, expected, count, sample),
    }
    removed = made[0].balance.remove > 0
    # People whom the vendor has yet to take off look like strangers.
    settled = verdict is Verdict.AGREES or (verdict is not Verdict.DIFFERS and not removed)
    return facts, settled


def _sample(cloud: Cloud, folder: str, made: Plan, vendor: Vendor, target: TargetFound) -> verdicts.Sample:
    sampled = sample.draw(cloud, folder, made)
    return sample.compare(sampled, vendor.look_at(target, [each.row for each in sampled]))


def _expected(cloud: Cloud, subject: Subject) -> Expected:
    """From the ledger, while it is this delivery's. Raises Outdated, and Blocked for a damaged one."""
    delivery = subject.delivery
    claim = TargetStore(cloud.targets).owner(delivery.account, delivery.target_key)
    memory: Mapping[str, Any] = claim.memory if claim else {}
    where = str(memory.get("ledger") or layout.ledger_folder(delivery.account, delivery.target_key))
    kept = ledger.read(cloud.blobs, where)
    if kept.commit != subject.commit_name or memory.get("open"):
        raise Outdated(_OUTDATED)
    maybe = sum(each.maybe for each in kept.files)
    strangers = (memory.get("protected") or {}).get("rows", 0)
    return Expected(kept.members - maybe, maybe, int(strangers))


def report_of(cloud: Cloud, folder: str) -> dict[str, Any]:
    """A delivery's report; empty where there is none."""
    stored = cloud.blobs.read(layout.report(folder))
    return json.loads(stored[0]) if stored else {}
