"""The one table of commands: what each does, what `--json` prints of it, and which words people try for it.

`--help`, docs/for-engineers.md and "did you mean" are made of it; `python -m cli.table` prints the table of that page.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches

from cli.commands import comparing, definitions, looking, persons, runs, steering

DEFINE, RUN, LOOK, PEOPLE = "Define", "Run", "Look", "People"
"""What commands are for; `--help` shows them in these groups."""


@dataclass(frozen=True, slots=True)
class Command:
    """One command. `does` is a sentence or two, `more` what its own `--help` says beyond that, `prints` its JSON.

    `meant_by` are words that other tools have for it.
    """

    name: str
    carry_out: Callable[..., None]
    group: str
    does: str
    prints: str
    more: str = ""
    meant_by: tuple[str, ...] = ()

    @property
    def help(self) -> str:
        return f"{self.does}\n\n{self.more}" if self.more else self.does


COMMANDS: tuple[Command, ...] = (
    Command(
        "apply",
        definitions.apply,
        DEFINE,
        "Make connections and exports as a file says.",
        "`changes`: each `kind`, `name`, `action` (`create`, `change`, `none`), `differences`; after applying also "
        "`ok`, `warnings`, `error`",
        more="Shows what differs and asks. What is not in the file is left alone, nothing is deleted, and nothing "
        "runs. A property that is not in the file gets its default; but credentials, consent and decisions of a "
        "connection stay.",
        meant_by=("create", "import", "save", "put"),
    ),
    Command(
        "diff",
        definitions.diff,
        DEFINE,
        "Show how the app differs from a file. Exit status 0 where it does not, 6 where it does.",
        "`changes`, as `apply`",
        meant_by=("plan",),
    ),
    Command(
        "export",
        definitions.export,
        DEFINE,
        "Print what is defined, as a file that `apply` takes back.",
        "the file's content; with `--output` how much was written",
        more="Defaults are left out. Connections are for administrators: others get the exports.",
        meant_by=("dump", "backup", "download"),
    ),
    Command(
        "remove",
        steering.remove,
        DEFINE,
        "Remove an export or a connection, after asking.",
        "`removed`",
        more="Nobody is taken off a list by it, but by --exports withdraw. A connection that exports use goes with "
        "--exports, which decides once for all of them and shows how far it is. What stays says why; run the same "
        "again to go on.",
        meant_by=("delete", "rm", "destroy"),
    ),
    Command(
        "run",
        runs.run,
        RUN,
        "Start an export.",
        "`run`, `export`, `state`, `new`; with `--watch` the run as the API shows it",
        more="One that is under way is given back instead of starting a second one. Nothing is asked before it "
        "starts. With --watch the exit status tells how it ended: 0 well, 1 failed or cancelled, 5 waiting for a "
        "decision.",
        meant_by=("start", "trigger", "execute", "deliver", "withdraw"),
    ),
    Command(
        "rehearse",
        runs.rehearse,
        RUN,
        "Foresee what a run would do with the list as it is at the vendor now; nothing is written there.",
        "the run as the API shows it, with `rehearsal` of each target",
        more="It stays until the rehearsal has ended. With --output what is foreseen for each person, with addresses. "
        "The exit status is as that of `run --watch`.",
        meant_by=("rehearsal", "simulate", "predict"),
    ),
    Command(
        "retry",
        runs.retry,
        RUN,
        "Send again what was rejected or stayed unknown (`run --kind retry`).",
        "as `run`",
        meant_by=("rerun", "repeat"),
    ),
    Command(
        "repair",
        runs.repair,
        RUN,
        "Mend what the doctor found in full, and nothing else (`run --kind repair`).",
        "as `run`",
        more="Who is missing is added again, whom the export lost track of is looked after, values that differ are "
        "sent again. Needs a check-up in full (`doctor --export NAME --full`) of the last day, with no delivery since.",
        meant_by=("mend", "fix", "heal"),
    ),
    Command(
        "cancel",
        runs.cancel,
        RUN,
        "Stop a run before its next batch; what was delivered stays.",
        "the run",
        meant_by=("stop", "abort", "kill"),
    ),
    Command(
        "decide",
        runs.decide,
        RUN,
        "Answer a guard that stopped a run: shows what it said, and asks.",
        "the run",
        meant_by=("approve", "confirm", "discard"),
    ),
    Command(
        "pause",
        steering.pause,
        RUN,
        "Switch an export's schedule off; it is kept, and people can still start runs.",
        "`export`, `ok`, `message`",
        meant_by=("disable", "suspend"),
    ),
    Command(
        "resume",
        steering.resume,
        RUN,
        "Switch an export's schedule on again.",
        "`export`, `ok`, `message`",
        meant_by=("enable", "continue", "unpause"),
    ),
    Command(
        "list",
        steering.list_things,
        LOOK,
        "List exports, connections or segments, or the newest run of each export.",
        "a list, as the API has it",
        meant_by=("ls", "exports", "connections", "get"),
    ),
    Command(
        "show",
        steering.show,
        LOOK,
        "Show all that there is to know of one of them.",
        "it, as the API has it",
        meant_by=("describe", "view", "status", "info"),
    ),
    Command(
        "runs",
        runs.runs,
        LOOK,
        "List the runs of an export, newest first.",
        "a list, as the API has it",
        meant_by=("history",),
    ),
    Command(
        "rejected",
        runs.rejected,
        LOOK,
        "Say why people were refused in a run; without --output no address is shown.",
        "`run`, `reasons`",
        meant_by=("refused", "errors", "report"),
    ),
    Command(
        "compare",
        comparing.compare,
        LOOK,
        "Say how many are on one connection of an export and not on another, and why.",
        "`on`, `not_on`, `people`, `missing`, `reasons`: each `outcome`, `code`, `reason`, `people`",
        more="For an export with several connections (`also`). From what the app has on record; no vendor is "
        "asked. Without --output no address is shown.",
        meant_by=("missing", "gaps"),
    ),
    Command(
        "holdout",
        runs.holdout,
        LOOK,
        "Count the people whom a run held out; without --output no address is shown.",
        "`run`, `holdout`: each `target`, `people`, `removed`, `reason`",
        meant_by=("control", "controls"),
    ),
    Command(
        "left-out",
        runs.left_out,
        LOOK,
        "Count the values that a run left out or cut, by target and field.",
        "`run`, `left_out`: each `target`, `field`, `values`",
        meant_by=("dropped",),
    ),
    Command(
        "segments",
        looking.segments,
        LOOK,
        "List the segments with their newest snapshots, and what keeps them from being read.",
        "a list, as the API has it",
        meant_by=("snapshots",),
    ),
    Command(
        "check",
        looking.check,
        LOOK,
        "Ask the vendor whether a connection works; exit status 1 if not.",
        "the API's answer",
        more="Where it leads to another account than its exports', or has a new key that does not tell (Iterable), "
        "the code is account_switched, and the exports do not run until one of the two options says which it is.",
        meant_by=("connect", "ping", "test"),
    ),
    Command(
        "opt-outs",
        looking.opt_outs,
        LOOK,
        "Say who opted out at a connection's vendor came back, or have them read now.",
        "the API's answer",
        more="They are landed where the connection says: as a Common Data Model folder and as Parquet. Reading goes on "
        "in the app, in turn with deliveries of the same account.",
        meant_by=("unsubscribes", "suppressions", "bounces"),
    ),
    Command(
        "doctor",
        looking.doctor,
        LOOK,
        "Look whether everything is well.",
        "`ok`, `findings`: each `check`, `subject`, `state` (`ok`, `warning`, `failed`), `message`; of lists also "
        "`numbers`",
        more="Is the app there and ready, who are we, does every connection work, how did every export do last, can "
        "every segment be read? Exit status 1 if something failed; warnings leave it 0. The service compares lists "
        "in turn with its deliveries, at the vendors' rates; that is waited for, ten minutes at the most.",
        meant_by=("health", "verify", "check-up"),
    ),
    Command(
        "audit",
        steering.audit,
        LOOK,
        "Show who changed what, newest first.",
        "a list, as the API has it",
        meant_by=("log", "logs", "trail"),
    ),
    Command(
        "explain",
        persons.explain,
        PEOPLE,
        "Say why a person is or is not on an export's lists.",
        "the API's answer",
        more="Looks into the newest snapshots, what the service knows of the person, and all that happened to them on "
        "the export's lists.",
        meant_by=("why", "find", "lookup", "events"),
    ),
    Command(
        "members",
        persons.members,
        PEOPLE,
        "Say how many were on an export's list at the end of a day, and fetch who.",
        "`day`, `target`, `people`",
        more="By what was written down of every delivery. Exit status 1 where nothing is known of that day.",
        meant_by=("who",),
    ),
    Command(
        "forget",
        persons.forget,
        PEOPLE,
        "Erase a person from everything that the service keeps, and wait for the certificate.",
        "the request, as the API has it",
        more="Runs go on meanwhile; it is waited for, ten minutes at the most, and goes on by itself. Exit status 0 "
        "where everything was erased, 1 where something remains, 5 while it goes on. Nobody is taken off a list by "
        "this, and a segment that still has the address brings it back.",
        meant_by=("erase", "gdpr"),
    ),
    Command(
        "forgotten",
        persons.forgotten,
        PEOPLE,
        "List requests to forget people, or show how far one is, or its certificate.",
        "a list or the request, as the API has it",
        more="No address is in it, but a salted hash, by which whoever has the address can tell whose it is.",
        meant_by=("certificate", "erasures"),
    ),
)


def meant(word: str) -> str:
    """The command that somebody probably means by a word that is none; empty where no guess is good."""
    known = {each.name: each.name for each in COMMANDS}
    known |= {other: each.name for each in COMMANDS for other in each.meant_by}
    near = get_close_matches(word.lower(), known, n=1, cutoff=0.7)
    return known[near[0]] if near else ""


def lines() -> Iterator[str]:
    """The table of the page docs/for-engineers.md."""
    yield "| command | does | `--json` prints |"
    yield "| --- | --- | --- |"
    yield from (f"| `{each.name}` | {each.does} | {each.prints} |" for each in COMMANDS)


if __name__ == "__main__":
    print("\n".join(lines()))  # noqa: T201  # it is asked for that
