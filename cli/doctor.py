"""Is everything well? Each check asks one thing of the app; another one is a function more in CHECKS."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from cli.api import Api, path
from cli.failures import Exit, Failure
from cli.findings import Check, Finding, State
from cli.watching import GOOD, UNDER_WAY


def ready(api: Api) -> Iterator[Finding]:
    """Storage, queue, tables and Key Vault are within the app's reach."""
    version = api.get("/api/ready").body["version"]
    yield Finding("ready", "app", "ok", f"version {version}")


def signed_in(api: Api) -> Iterator[Finding]:
    """The app knows who asks."""
    me = api.get(path("me")).body
    roles = ", ".join(me["roles"])
    yield Finding("signed in", me["name"], "ok" if roles else "failed", roles or "No role: ask for one in Entra ID.")


def connections(api: Api) -> Iterator[Finding]:
    """The live check of every connection."""
    for connection in api.get(path("connections")).body:
        name = connection["name"]
        try:
            found = api.send("POST", path("connections", name, "check")).body
        except Failure as failure:
            # Whoever may not check one has not found it broken.
            refused = failure.exit_status is Exit.NOT_ALLOWED
            yield Finding("connection", name, "warning" if refused else "failed", failure.message)
            continue
        state: State = "warning" if found["warnings"] else "ok"
        said = " ".join([found["message"], *found["warnings"]])
        yield Finding("connection", name, state if found["ok"] else "failed", said)


def exports(api: Api) -> Iterator[Finding]:
    """How every export did last."""
    for export in api.get(path("exports")).body:
        last = export["last_run"]
        if last is None:
            yield Finding("last run", export["name"], "warning", "It never ran.")
            continue
        good = last["state"] in GOOD or last["state"] in UNDER_WAY
        state: State = "ok" if good else "warning" if last["state"] in ("blocked", "cancelled") else "failed"
        yield Finding("last run", export["name"], state, " ".join(filter(None, [last["state"], last["message"]])))


def segments(api: Api) -> Iterator[Finding]:
    """Snapshots can be read."""
    for segment in api.get(path("segments")).body:
        problems = " ".join(segment["problems"])
        state: State = "ok" if not problems else "failed" if segment["exports"] else "warning"
        yield Finding("segment", segment["id"], state, problems)


CHECKS: tuple[Check, ...] = (ready, signed_in, connections, exports, segments)


BEGINNING: tuple[Check, ...] = (ready, signed_in)
"""What comes before a look at one export alone."""


FEW = 3
"""So many findings of one kind are told one by one."""


def summed_up(findings: Sequence[Finding]) -> list[Finding]:
    """For people: many of one kind that say the same are one, with how many and the first of them."""
    kinds: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        kinds.setdefault((each.check, each.state, each.message), []).append(each)
    shown = []
    for same in kinds.values():
        if len(same) <= FEW:
            shown += same
            continue
        first = ", ".join(each.subject for each in same[:FEW])
        shown.append(replace(same[0], subject=f"{len(same)}: {first} …"))
    return shown


def total(findings: Sequence[Finding]) -> str:
    """`312 ok, 3 warnings, 1 failed`."""
    counts = Counter(each.state for each in findings)
    warnings = f"{counts['warning']} warning{'s' * (counts['warning'] != 1)}"
    return f"{counts['ok']} ok, {warnings}, {counts['failed']} failed"


def examine(api: Api, checks: Sequence[Check] = CHECKS) -> tuple[list[Finding], Exit]:
    """Every finding, and what they mean for a script. Where nobody answers or knows us, the rest is not asked."""
    found: list[Finding] = []
    worst = Exit.OK
    for check in checks:
        try:
            found += check(api)
        except Failure as failure:
            found.append(Finding(check.__name__.replace("_", " "), "app", "failed", failure.message))
            worst = max(worst, failure.exit_status)
            if failure.status in (0, 401):
                break
    if worst is Exit.OK and any(each.state == "failed" for each in found):
        worst = Exit.FAILED
    return found, worst
