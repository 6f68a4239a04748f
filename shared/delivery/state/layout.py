"""Names of the blobs that runs and targets leave in the service's container, all in one place."""

from __future__ import annotations

import hashlib

PROBES = "probes/"
VERIFYING = "verifying/"
DOCTOR = "doctor/"
COLLECTING = "collecting/"
OPT_OUTS = "opt-outs/"
FORGETTING = "forgetting/"
LEDGERS = "ledgers/"
RUNS = "runs/"
FOUND = "found/"
EVENTS = "events/"


def run_folder(export: str, run: str) -> str:
    """Everything that expires with a run."""
    return f"{RUNS}{export}/{run}/"


def delivery_folder(export: str, run: str, delivery: int) -> str:
    return f"{run_folder(export, run)}{delivery:03d}/"


def plan_files(folder: str) -> str:
    """The manifest, and the files of all attempts to plan."""
    return f"{folder}plan/"


def plan_folder(folder: str, attempt: str) -> str:
    """Files of one attempt to plan; only those that the manifest names are the plan."""
    return f"{plan_files(folder)}{attempt}/"


def plan_manifest(folder: str) -> str:
    return f"{plan_files(folder)}manifest.json"


def attempts(folder: str) -> str:
    """What attempts to plan over slices leave until there is a plan."""
    return f"{plan_files(folder)}attempts/"


def attempt(folder: str) -> str:
    """The attempt that slices go on with."""
    return f"{attempts(folder)}current.json"


def attempt_folder(folder: str, attempt: str) -> str:
    return f"{attempts(folder)}{attempt}/"


def piece(attempt: str, number: int) -> str:
    """The record of a piece that was staged; `attempt` is its folder."""
    return f"{attempt}pieces/{number:04d}.json"


def staged(attempt: str, number: int, execution: str) -> str:
    """Rows of a piece, by part."""
    return f"{attempt}staged/{number:04d}-{execution}"


def line(attempt: str) -> str:
    """The record of where a rule's limit cuts."""
    return f"{attempt}line.json"


def people(attempt: str) -> str:
    """The record of people who have several addresses, or move."""
    return f"{attempt}people.json"


def people_table(attempt: str, execution: str, table: str) -> str:
    """Rows of one kind that the record names."""
    return f"{attempt}people/{table}-{execution}.parquet"


def part(attempt: str, number: int) -> str:
    """The record of a part that was planned."""
    return f"{attempt}parts/{number:03d}.json"


def journal_folder(folder: str) -> str:
    return f"{folder}journal/"


def journal(folder: str, turn: int) -> str:
    return f"{journal_folder(folder)}{turn:06d}.jsonl"


def vendor_ids(folder: str, turn: int, batch: int) -> str:
    """Ids that the vendor gave to the people of one batch; the journal names the file that counts."""
    return f"{folder}ids/{batch:06d}-{turn:06d}.parquet"


def report(folder: str) -> str:
    return f"{folder}report.json"


def rejected(folder: str) -> str:
    return f"{folder}rejected.csv"


def holdout(folder: str) -> str:
    """Who of the segment is in the export's holdout."""
    return f"{folder}holdout.csv"


def rehearsed(folder: str) -> str:
    """What a rehearsal foresees for each person."""
    return f"{folder}rehearsal.csv"


def rehearsal(folder: str) -> str:
    """What a rehearsal that is under way knows; gone when it ends."""
    return f"{folder}rehearsal/"


def listed(folder: str) -> str:
    """Who is on the list at the vendor, for a rehearsal; `folder` is that of the rehearsal."""
    return f"{folder}listed.parquet"


def left_out(folder: str) -> str:
    return f"{folder}left-out.csv"


def committing(folder: str) -> str:
    """Records of parts, of a commit that goes on over slices; gone when it is done."""
    return f"{folder}committing/"


def committed_part(folder: str, of: str, part: int) -> str:
    """`of` says what was committed to what."""
    return f"{committing(folder)}{of}/{part:03d}.json"


def rejected_files(folder: str) -> str:
    """What `rejected.csv` is made from, dropped once it is."""
    return f"{folder}rejected/"


def sample(folder: str) -> str:
    """A few people of a plan that somebody looks at, as the vendor would get them."""
    return f"{folder}sample.json"


def planned(folder: str) -> str:
    """Everybody of a plan that somebody looks at."""
    return f"{folder}planned.csv"


def ledger_folder(account: str, target: str) -> str:
    """A target's ledger; the target's key may hold any character, so its hash names the folder."""
    digest = hashlib.sha256(target.encode()).hexdigest()[:16]
    return f"{LEDGERS}{account}/{digest}/"


def ledger_manifest(ledger: str) -> str:
    return f"{ledger}manifest.json"


def protected(ledger: str) -> str:
    """Addresses that were on the list before us."""
    return f"{ledger}protected.parquet"


def events_folder(ledger: str) -> str:
    """What happened to the people of the target whose ledger this is."""
    return EVENTS + ledger.removeprefix(LEDGERS)


def events(folder: str, commit: str, first: int, last: int) -> str:
    """What a commit did with the people of some buckets. Its name begins with the time of the run."""
    return f"{folder}{commit}-{first:02x}-{last:02x}.parquet"


def event_list(folder: str, commit: str, first: int, last: int) -> str:
    """Who was on the list before a commit."""
    return f"{folder}{commit}-{first:02x}-{last:02x}-list.parquet"


def event_salt() -> str:
    """Beside the events and not among them: who may read those cannot try addresses by it."""
    return "salts/events.json"


def lease(account: str) -> str:
    return f"leases/{account}.json"


def probe(connection: str) -> str:
    """What a probe that is under way knows; it holds the canaries' address, so it goes when the probe ends."""
    return f"{PROBES}{connection}.json"


def verification(export: str, run: str, delivery: int) -> str:
    """A verification that is under way; gone when it ends."""
    return f"{VERIFYING}{export}/{run}-{delivery:03d}.json"


def check_up(export: str, target: int) -> str:
    """The latest check-up of a target."""
    return f"{DOCTOR}{export}/{target:03d}.json"


def differences(export: str, target: int) -> str:
    """The file of people who differed in the latest check-up; it holds addresses."""
    return f"{DOCTOR}{export}/{target:03d}.csv"


def collecting(connection: str) -> str:
    """A reading of opt-outs that is under way; gone when it ends."""
    return f"{COLLECTING}{connection}.json"


def opt_outs(connection: str) -> str:
    """What is known of a connection's opt-outs: how far they were read, and what was landed. It holds no address."""
    return f"{OPT_OUTS}{connection}.json"


def forgetting(request: str) -> str:
    """Somebody who is being forgotten, by a salted hash; gone when it ends."""
    return f"{FORGETTING}{request}.json"


def found_folder(export: str, target: int) -> str:
    """What the latest check-up of a target in full found, for a repair; it holds addresses."""
    return f"{FOUND}{export}/{target:03d}/"


def found_manifest(export: str, target: int) -> str:
    """Its name has the ending by which manifests are told from files with addresses."""
    return f"{found_folder(export, target)}manifest.json"


def lock(secret: str) -> str:
    """Leased by whoever replaces a secret of this name by what a vendor gave for it."""
    return f"locks/{secret}"
