"""What pages call the service's own words, and in which colour. `N_` marks them for the catalogues."""

from __future__ import annotations

from shared.cloud.events import Event
from shared.delivery.state.records import GROUPS as STATE_GROUPS
from shared.delivery.state.records import State, Step
from shared.delivery.state.transitions import RunKind
from shared.vendors.opt_outs import OptOutKind


def N_(text: str) -> str:  # noqa: N802  # the name that extraction of messages looks for
    return text


STATES: dict[str, tuple[str, str]] = {
    State.QUEUED: (N_("Queued"), "busy"),
    State.RUNNING: (N_("Running"), "busy"),
    State.SUCCEEDED: (N_("Succeeded"), "good"),
    State.WARNINGS: (N_("Succeeded with warnings"), "warn"),
    State.FAILED: (N_("Failed"), "bad"),
    State.BLOCKED: (N_("Waits for a decision"), "warn"),
    State.CANCELLED: (N_("Cancelled"), ""),
    State.NOTHING: (N_("Nothing to do"), "good"),
}
TAB = "tab"
"""A tab in a list of choices, whose values lose their blanks."""
DELIMITERS: dict[str, str] = {
    "": N_("what the header shows"),
    ",": N_("commas"),
    ";": N_("semicolons"),
    TAB: N_("tabs"),
    "|": N_("vertical bars"),
}
STEPS: dict[str, str] = {
    Step.PLAN: N_("Compare the segment with the list"),
    Step.PREPARE: N_("Prepare the list"),
    Step.DELIVER: N_("Deliver"),
    Step.REHEARSE: N_("Rehearse"),
    Step.COMMIT: N_("Record what was delivered"),
    Step.DONE: N_("Done"),
}
KINDS: dict[str, str] = {
    RunKind.DELIVERY: N_("Delivery"),
    RunKind.DRY_RUN: N_("Dry run"),
    RunKind.REHEARSAL: N_("Rehearsal"),
    RunKind.FULL_RESYNC: N_("Full resync"),
    RunKind.REBUILD: N_("Rebuild of the list"),
    RunKind.WITHDRAW: N_("Withdrawal of everyone"),
    RunKind.RETRY: N_("Retry"),
    RunKind.REPAIR: N_("Repair"),
}
OPT_OUT_KINDS: dict[str, str] = {
    OptOutKind.UNSUBSCRIBED: N_("unsubscribed"),
    OptOutKind.BOUNCED: N_("bounced"),
    OptOutKind.COMPLAINED: N_("complained"),
    OptOutKind.SUPPRESSED: N_("suppressed"),
    OptOutKind.DELETED: N_("deleted, or taken off the list"),
}
TRIGGERS: dict[str, str] = {
    "on demand": N_("started by a person"),
    "schedule cron": N_("started by its schedule"),
    "schedule on_refresh": N_("started by a new snapshot"),
    "verification": N_("started by a verification that differed"),
}
OUTCOMES: dict[str, str] = {
    "refused here": N_("Not sent"),
    "refused": N_("Not sent"),
    "kept back": N_("Kept back by a rule"),
    "rejected": N_("Rejected by the vendor"),
    "skipped": N_("Skipped"),
    "unknown": N_("Outcome unknown"),
}
MISSING: dict[str, str] = OUTCOMES | {
    "refused": N_("Refused in an earlier run"),
    "removed": N_("Taken off"),
    "not yet": N_("Not delivered yet"),
}
"""What became of people on a connection where they are not."""
RETRIES: dict[str, str] = {
    "never": N_("never"),
    "when changed": N_("when the row changes"),
    "next run": N_("by the next run"),
}
OPERATIONS: dict[str, str] = {
    "add": N_("Add"),
    "change": N_("Change"),
    "remove": N_("Remove"),
    "refused": N_("Not sent"),
    "kept back": N_("Kept back by a rule"),
}
FORESEEN: dict[str, tuple[str, str]] = {
    "joins": (N_("Would join"), ""),
    "there already": (N_("Are on the list already, and get the values"), ""),
    "updated": (N_("Would get other values"), ""),
    "leaves": (N_("Would leave"), ""),
    "gone already": (N_("Are to leave, and are not on the list"), ""),
    "lost": (N_("Are not at the vendor any more: the run after it adds them again"), "warn"),
    "refused": (N_("Would be rejected by the vendor"), "warn"),
    "left alone": (N_("Would be left alone"), "warn"),
    "unknown": (N_("Cannot be foreseen"), "warn"),
}
"""What a rehearsal foresees, and in which colour."""
DECISIONS: dict[str, str] = {
    "deliver": N_("Deliver all"),
    "start_small": N_("Start small"),
    "additions_only": N_("Additions only"),
    "discard": N_("Discard"),
}
COMPARED: tuple[tuple[str, str], ...] = (
    ("rows_read", N_("Rows read")),
    ("refused_here", N_("Without a usable address")),
    ("duplicates", N_("Duplicates")),
    ("kept_back", N_("Kept back by a rule")),
    ("add", N_("To add")),
    ("change", N_("To change")),
    ("remove", N_("To remove")),
    ("removed_by_rules", N_("To remove because of a rule")),
    ("moved", N_("To remove because of another address")),
)
"""What a plan that waits for a decision is compared by with the last run."""
SHARING: dict[str, str] = {
    "administrators": N_("Administrators"),
    "administrators and contributors": N_("Administrators and contributors"),
}
COUNTS: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        N_("What was planned"),
        (
            ("add", N_("To add")),
            ("change", N_("To change")),
            ("remove", N_("To remove")),
            ("removed_by_rules", N_("Removed because of a rule")),
            ("moved", N_("Moved to another address")),
        ),
    ),
    (
        N_("What the vendor said"),
        (
            ("accepted", N_("Delivered")),
            ("rejected", N_("Rejected by the vendor")),
            ("skipped", N_("Skipped")),
            ("unknown", N_("Outcome unknown")),
        ),
    ),
    (
        N_("What was read"),
        (
            ("rows_read", N_("Rows read")),
            ("unchanged", N_("Unchanged")),
            ("refused_here", N_("Without a usable address")),
            ("duplicates", N_("Duplicates")),
            ("held", N_("Held back")),
            ("kept_back", N_("Kept back by a rule")),
            ("later", N_("Left for later runs")),
            ("shared_addresses", N_("Addresses of several people")),
            ("without_id", N_("Without an id")),
        ),
    ),
)
"""What a run counted, in groups that each are a whole."""
PARTS: dict[str, str] = {
    "display_name": N_("Name"),
    "connection": N_("Connection"),
    "targets": N_("Who, and onto which list"),
    "address_column": N_("Column with the e-mail address"),
    "id_column": N_("Column with an id of the person"),
    "matching": N_("Data matching"),
    "phone_country": N_("Country of telephone numbers"),
    "mode": N_("People who leave the segment"),
    "rules": N_("Rules"),
    "settings": N_("Settings"),
    "guards": N_("Guards"),
    "first_run": N_("The first run"),
    "repair": N_("Repair by itself"),
    "schedule": N_("Schedule"),
    "paused": N_("Paused"),
    "tags": N_("Tags"),
    "also": N_("Other connections"),
    "shared_with": N_("Who may use it"),
    "secrets": N_("Credentials"),
    "rate_budget": N_("Share of the vendor's limits"),
    "disabled": N_("Disabled"),
}
"""Parts of definitions as the forms name them."""
SCHEDULE_FIELDS: dict[str, str] = {
    "every": N_("How often"),
    "time_zone": N_("Time zone"),
    "times": N_("Times"),
    "days": N_("Days"),
    "day": N_("Day of the month"),
    "minute": N_("Minutes past the hour"),
    "expression": N_("Cron expression"),
}
"""Fields of a schedule as the form names them."""
VERDICTS: dict[str, tuple[str, str]] = {
    "agrees": (N_("Agrees"), "good"),
    "explained": (N_("Agrees, with an explanation"), "good"),
    "differs": (N_("Differs"), "warn"),
    "not verified": (N_("Not verified"), ""),
}
FORGETTING_STATES: dict[str, tuple[str, str]] = {
    "running": (N_("Under way"), "busy"),
    "done": (N_("Forgotten"), "good"),
    "incomplete": (N_("Not everything was erased"), "bad"),
}
PLACES: tuple[tuple[str, str], ...] = (
    ("ledgers", N_("Records of who is on a list")),
    ("protected", N_("Records of who was on a list before us")),
    ("runs", N_("Runs, counted for each list")),
    ("plans", N_("Plans of runs")),
    ("rejected", N_("Files of refused people")),
    ("planned", N_("Files of planned people")),
    ("holdouts", N_("Files of who is held out")),
    ("rehearsals", N_("Files of what was foreseen")),
    ("samples", N_("Samples of planned people")),
    ("check_ups", N_("Files of who differed in a check-up, which go whoever is in them")),
    ("opt_outs", N_("Opt-outs that were landed, counted for each connection")),
    ("events", N_("Files of what happened to whom")),
)
"""Places that somebody is erased from, as certificates name them."""
WEEKDAYS: dict[str, str] = {
    "1": N_("Monday"),
    "2": N_("Tuesday"),
    "3": N_("Wednesday"),
    "4": N_("Thursday"),
    "5": N_("Friday"),
    "6": N_("Saturday"),
    "7": N_("Sunday"),
}
GROUPS: tuple[tuple[str, str], ...] = (
    ("blocked", N_("Waits for a decision")),
    ("failed", N_("Failed")),
    ("running", N_("Under way")),
    ("warnings", N_("Succeeded with warnings")),
    ("well", N_("Ended well")),
    ("cancelled", N_("Cancelled")),
    ("never", N_("Never run")),
    ("paused", N_("Paused")),
)
"""Filters of the list of exports."""
RUN_GROUPS = tuple(each for each in GROUPS if each[0] in STATE_GROUPS)
"""Filters of lists of runs."""
SCHEDULES: tuple[tuple[str, str], ...] = (
    ("cron", N_("At set times")),
    ("on_refresh", N_("When a new snapshot lands")),
    ("manual", N_("Only when started by a person")),
)
DEEDS: dict[str, str] = {
    "run": N_("Run"),
    "dry run": N_("Dry run"),
    "pause": N_("Pause"),
    "resume": N_("Resume"),
    "schedule": N_("Schedule"),
    "withdraw": N_("Pause and withdraw everyone"),
    "detach": N_("Detach from the connection"),
    "remove": N_("Remove"),
}
TYPES: dict[str, str] = {
    "string": N_("text"),
    "integer": N_("whole number"),
    "number": N_("number"),
    "boolean": N_("yes or no"),
    "date": N_("date"),
    "phone": N_("telephone number"),
}
SEPARATORS: dict[str, str] = {
    "blank": N_("a blank"),
    "comma": N_("a comma and a blank"),
    "hyphen": N_("a hyphen"),
    "nothing": N_("nothing"),
    "other": N_("something else"),
}
"""What stands between joined columns."""
OTHERWISE: dict[str, str] = {
    "leave_out": N_("is left out and counted"),
    "keep": N_("stays as it is"),
    "use": N_("is sent as …"),
}
"""What becomes of a value that a map does not name."""
DATE_ORDERS: dict[str, str] = {
    "day_month_year": N_("day, month, year: 31.12.2026"),
    "month_day_year": N_("month, day, year: 12/31/2026"),
    "year_month_day": N_("year, month, day: 2026/12/31"),
}
EVENTS: dict[str, str] = {
    Event.RUN_FAILED: N_("A run failed"),
    Event.RUN_BLOCKED: N_("A run waits for a decision"),
    Event.RUN_RECOVERED: N_("An export works again after a failed run"),
    Event.REJECTED_SHARE: N_("Many people of a run were refused"),
    Event.SCHEDULE_MISSED: N_("A run did not begin when it was due"),
    Event.EXPORT_OVERDUE: N_("An export is due again and did not end well meanwhile"),
    Event.VERIFICATION_DIFFERS: N_("A list is another than it has to be after a delivery"),
    Event.POISON_MESSAGE: N_("A part of a run failed five times and was given up"),
}
"""What people may be notified of; the other events are for the log."""
AUDITED: dict[str, tuple[str, str]] = {
    "done": (N_("Done"), "good"),
    "refused": (N_("Refused"), ""),
    "failed": (N_("Failed"), "bad"),
    "begun": (N_("Under way"), "busy"),
    "open": (N_("Not known"), "warn"),
}
"""What became of an entry of the audit trail; `open` is one that begun long ago."""
AREA_VERDICTS: dict[str, tuple[str, str]] = {
    "ok": (N_("Works"), "good"),
    "warning": (N_("Look at it"), "warn"),
    "failed": (N_("Does not work"), "bad"),
}
WORDS: tuple[tuple[str, str], ...] = (
    (N_("vendor"), N_("who sends the mail, such as Dotdigital or Iterable")),
    (N_("connection"), N_("how to reach one account at a vendor: credentials, settings, and the agreement")),
    (N_("segment"), N_("a named set of people, which lands here as files")),
    (N_("snapshot"), N_("a segment as it was at one moment; a run always reads one snapshot")),
    (N_("export"), N_("which segment goes over which connection onto which list, with which values, and when")),
    (N_("data matching"), N_("which column of the segment fills which field at the vendor")),
    (N_("mirror"), N_("people who leave the segment are taken off the list")),
    (N_("add"), N_("nobody is ever taken off")),
    (N_("run"), N_("one time that an export is carried out")),
    (N_("dry run"), N_("a run that plans everything and sends nothing")),
    (N_("guard"), N_("a check that stops a run before anything is sent, and waits for a person's decision")),
    (N_("withdrawal"), N_("a run that takes everyone off the list whom the export added")),
    (N_("full resync"), N_("a run that sends everyone again")),
    (N_("repair"), N_("a run that mends only what a check-up of the list found")),
)
"""The words of the pages, and what they mean."""
DOCUMENTS: tuple[tuple[str, str], ...] = (
    ("for-marketers.md", N_("define exports, and see what became of people")),
    ("for-administrators.md", N_("connections, secrets, consent and roles")),
    ("coming-from-customer-insights.md", N_("each step of the former exports, and where it is here")),
    ("matching.md", N_("how cells become values")),
    ("repair.md", N_("mending a list that is not as it was delivered")),
    ("segments.md", N_("what lands as a segment, and what is refused")),
    ("operations.md", N_("alerts, and what to do about them")),
    ("for-engineers.md", N_("command line, exports as code, API")),
)
"""Files in the folder docs."""
GUARDS: tuple[tuple[str, str, str], ...] = (
    ("max_removed_share", N_("Taken off, of those on the list"), "%"),
    ("max_removed_people", N_("So many removals are always fine"), ""),
    ("max_removed_times", N_("Taken off, times the most of the last ten runs"), ""),
    ("max_moved_share", N_("Moved to another address, of those on the list"), "%"),
    ("max_invalid_share", N_("Rows without a usable address"), "%"),
    ("max_unreadable_share", N_("Leavers whose address cannot be read any more"), "%"),
    ("max_age_days", N_("Age of the snapshot, days"), ""),
    ("min_profiles", N_("People at the least"), ""),
    ("max_profiles", N_("People at the most"), ""),
    ("max_deviation_share", N_("Change of the number of people since the last run"), "%"),
)
"""Guards as the form names them; those with a unit are shares in the API."""
CLEARINGS: dict[str, tuple[str, str]] = {
    "detach": (
        N_("Pause them, and keep their definitions"),
        N_("They run again once somebody gives them another connection. People stay on the lists."),
    ),
    "remove": (
        N_("Remove them, and leave people on the lists"),
        N_("Their definitions are deleted. Nobody is taken off a list, and nobody looks after those people any more."),
    ),
    "withdraw": (
        N_("Take people off the lists first, then remove them"),
        N_("Everyone whom they added is taken off, then their definitions are deleted. That takes as long as a run."),
    ),
}
"""What becomes of all exports on a connection that is removed, and what it means."""
RESTORED = N_("This is what you had typed before you signed in again. Nothing of it is saved yet.")
AGREEMENT = N_(
    "Profiles of the segments that are exported over this connection, with personal data such as e-mail addresses, "
    "leave this system and go to %(vendor)s at the instruction of our organisation. We have the consent, or another "
    "lawful basis, that this needs, and we are satisfied that %(vendor)s meets our requirements for data privacy and "
    "compliance. An administrator may disable or remove this connection at any time, which stops further transfers; "
    "what %(vendor)s has received by then stays there."
)
"""What an administrator agrees to; recorded word for word."""
