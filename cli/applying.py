"""From a file to the app: what would change, and changing it.

Each write names the version that the difference was taken from (If-Match), or that there was none (If-None-Match), so a
change that somebody made meanwhile is refused by the app and never lost.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any

from cli.api import Answer, Api, path
from cli.differences import Difference, differences
from cli.documents import Document
from cli.failures import Exit, Failure, usage
from cli.shapes import Shapes

_LEFT_TO_PEOPLE = ("secrets", "consent", "decisions")
"""Of a connection, what people type, agree to and decide on its page: a file without it leaves it alone."""


@dataclass(frozen=True, slots=True)
class Change:
    """One definition, and how the app's differs from it. `etag` is the stored version, empty for a new one."""

    kind: str
    name: str
    body: dict[str, Any]
    etag: str
    differences: tuple[Difference, ...]

    @property
    def action(self) -> str:
        if not self.etag:
            return "create"
        return "change" if self.differences else "none"

    def as_json(self) -> dict[str, Any]:
        told = [each.as_json() for each in self.differences]
        return {"kind": self.kind, "name": self.name, "action": self.action, "differences": told}

    def __str__(self) -> str:
        return "\n".join([f"{self.action} {self.kind} {self.name}", *(f"  {each}" for each in self.differences)])


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a change; `warnings` are of the saved definition. `failure` says why it was not made."""

    change: Change
    warnings: tuple[str, ...] = ()
    failure: Failure | None = None

    def as_json(self) -> dict[str, Any]:
        told: dict[str, Any] = {**self.change.as_json(), "ok": self.failure is None, "warnings": list(self.warnings)}
        return told | (self.failure.as_json() if self.failure else {})


def plan(api: Api, document: Document) -> list[Change]:
    """What the file asks for, what others need first. Raises Failure where the file has what no definition has."""
    shapes = Shapes(api.get("/api/openapi.json").body)
    _refuse_unknown(shapes, document)
    segments = [_segment(api, shapes, *each) for each in document.segments.items()]
    connections = [_connection(api, shapes, *each) for each in document.connections.items()]
    return [*segments, *connections, *(_export(api, shapes, *each) for each in document.exports.items())]


def _refuse_unknown(shapes: Shapes, document: Document) -> None:
    parts = (("segment", document.segments), ("connection", document.connections), ("export", document.exports))
    errors = [
        {"pointer": f"/{kind}s/{name}{pointer}", "message": "There is no such property: check its spelling."}
        for kind, definitions in parts
        for name, definition in definitions.items()
        for pointer in shapes.unknown(kind, definition)
    ]
    if errors:
        raise usage("bad_file", "The file has properties that the app does not know.", errors)


def _connection(api: Api, shapes: Shapes, name: str, wanted: dict[str, Any]) -> Change:
    stored = api.find(path("connections", name))
    if stored and "usable" in stored.body:
        message = f"Only administrators may see and save connections ({name}): apply a file without `connections:`."
        raise Failure("forbidden", message, exit_status=Exit.NOT_ALLOWED)
    kept = {part: stored.body[part] for part in _LEFT_TO_PEOPLE if stored and stored.body.get(part)}
    return _compared(shapes, "connection", name, kept | wanted, stored)


def _segment(api: Api, shapes: Shapes, name: str, wanted: dict[str, Any]) -> Change:
    stored = api.find(path("segments", name))
    if stored is None:
        raise Failure("not_found", f"There is no segment {name}: it has to land before anything is said of it.")
    return _compared(shapes, "segment", name, wanted, stored)


def _export(api: Api, shapes: Shapes, name: str, wanted: dict[str, Any]) -> Change:
    stored = api.find(path("exports", name))
    if stored is None or not isinstance(wanted.get("targets"), list):
        return _compared(shapes, "export", name, wanted, stored)
    targets = [
        _settled(api, str(wanted.get("connection")), *pair)
        for pair in zip_longest(wanted["targets"], stored.body["targets"][: len(wanted["targets"])])
    ]
    also = _also_settled(api, wanted.get("also"), stored.body.get("also", []))
    return _compared(shapes, "export", name, wanted | {"targets": targets} | also, stored)


def _also_settled(api: Api, wanted: Any, stored: list[dict[str, Any]]) -> dict[str, Any]:
    """The same for other connections: where the file names no lists, the service copies default lists into it."""
    if not isinstance(wanted, list) or not all(isinstance(each, dict) for each in wanted):
        return {}
    there = {each["connection"]: each["targets"] for each in stored}
    found = []
    for each in wanted:
        copied = there.get(each.get("connection"), [])
        given = each.get("targets") or [{} for _ in copied]
        pairs = zip_longest(given, copied[: len(given)]) if isinstance(given, list) else ()
        settled = [_settled(api, str(each.get("connection")), *pair) for pair in pairs]
        found.append(each | {"targets": settled} if any(settled) else each)
    return {"also": found}


def _settled(api: Api, connection: str, wanted: Any, stored: dict[str, Any] | None) -> Any:
    """A segment may be named with or without where it lies. A target with neither id nor name leans on its connection's
    default list, whose id the service copies into it."""
    if isinstance(wanted, dict) and stored and isinstance(wanted.get("segments"), list):
        wanted = wanted | {"segments": [_as_stored(each, stored["segments"]) for each in wanted["segments"]]}
    leans = isinstance(wanted, dict) and not wanted.get("list_id") and not wanted.get("list_name")
    if not leans or not stored or not stored["list_id"]:
        return wanted
    found = api.find(path("connections", connection))
    defaults = [str(value).strip() for value in found.body.get("settings", {}).values()] if found else []
    return wanted | {"list_id": stored["list_id"]} if stored["list_id"] in defaults else wanted


def _as_stored(wanted: Any, stored: list[str]) -> Any:
    """The segment as the stored target spells it, where both mean the same: `segments:Loyal` and `Loyal`."""
    if not isinstance(wanted, str) or wanted in stored:
        return wanted
    same = (each for each in stored if wanted == each.rpartition(":")[2] or wanted.rpartition(":")[2] == each)
    return next(same, wanted)


def _compared(shapes: Shapes, kind: str, name: str, wanted: dict[str, Any], stored: Answer | None) -> Change:
    after = shapes.complete(kind, wanted)
    before = shapes.complete(kind, stored.body) if stored else {}
    found = differences(before, after if stored else shapes.shorten(kind, after))
    return Change(kind, name, after, stored.etag if stored else "", tuple(found))


def carry_out(api: Api, changes: list[Change], *, keep_members: bool) -> Iterator[Outcome]:
    """Make the changes that are any, each for itself. A connection that is new or leads elsewhere now is checked, since
    exports need to know its account."""
    for change in changes:
        try:
            yield Outcome(change, _saved(api, change, keep_members=keep_members))
        except Failure as failure:
            yield Outcome(change, failure=failure)


def rehearse(api: Api, changes: list[Change], *, keep_members: bool) -> Iterator[Outcome]:
    """Have the app check the changes as it does when it makes them, and make none."""
    coming = {change.name for change in changes if change.kind == "connection" and change.action == "create"}
    for change in changes:
        if change.kind == "export" and change.body.get("connection") in coming:
            later = f"It is checked when it is applied: its connection {change.body['connection']} is not there yet."
            yield Outcome(change, (later,))
            continue
        try:
            yield Outcome(change, _checked(api, change, keep_members=keep_members))
        except Failure as failure:
            yield Outcome(change, failure=failure)


def _checked(api: Api, change: Change, *, keep_members: bool) -> tuple[str, ...]:
    """Warnings that saving it would give. Raises Failure."""
    if change.action == "none" or change.kind == "segment":
        return ()
    body = api.send("POST", path(f"{change.kind}s", change.name, "validate"), change.body, **_how(change, keep_members))
    return tuple(warning["message"] for warning in body.body.get("warnings", ()))


def _how(change: Change, keep_members: bool) -> dict[str, Any]:
    """The version that the difference was taken from, and what becomes of people on lists that are given up."""
    condition = {"If-Match": change.etag} if change.etag else {"If-None-Match": "*"}
    query = {"keep_members": "true"} if keep_members and change.kind == "export" else None
    return {"headers": condition, "query": query}


def _saved(api: Api, change: Change, *, keep_members: bool) -> tuple[str, ...]:
    """Warnings of saving it. Raises Failure."""
    if change.action == "none":
        return ()
    where = path(f"{change.kind}s", change.name)
    saved = api.send("PUT", where, change.body, **_how(change, keep_members)).body
    if change.kind == "export":
        return tuple(warning["message"] for warning in saved["warnings"])
    if change.kind == "segment":
        return tuple(saved["problems"])
    if saved["checked_at"]:
        return ()
    checked = api.send("POST", f"{where}/check").body
    if not checked["ok"]:
        raise Failure(checked["code"], f"It was saved, but its check failed: {checked['message']}")
    return tuple(checked["warnings"])
