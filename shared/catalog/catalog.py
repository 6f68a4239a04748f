"""Everything that people define: saving, deleting and checking it.

Writes name the version that they follow (`held`, None for a new one) and raise Conflict where it is no longer that.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime

from shared.access.actions import GONE, Action, Shareable, require
from shared.access.person import Person, SharedWith
from shared.catalog import stamps
from shared.catalog.claims import Claims
from shared.catalog.connection_validation import connection_issues
from shared.catalog.default_lists import default_list, settled
from shared.catalog.dialects import DialectStore
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow
from shared.catalog.judging import Judging
from shared.catalog.models import (
    NAME,
    NAME_RULE,
    RESERVED,
    Connection,
    ConnectionInput,
    Export,
    ExportInput,
    Schedule,
)
from shared.catalog.neighbours import Neighbours, SegmentsSeen
from shared.catalog.opt_outs import OptOutsWanted
from shared.catalog.schedules import schedule_issues
from shared.catalog.store import Held, connection_store, export_store
from shared.catalog.stored_companions import StoredCompanions
from shared.catalog.targets import Claim, TargetStore
from shared.cloud.tables import Rows
from shared.vendors.contract import CheckResult, Definition
from shared.wording import say, shortened

BeforeWriting = Callable[[Export], None]

PlaceJudged = Callable[[str, OptOutsWanted], Sequence[Issue]]
"""Connection and where its opt-outs are to be landed -> what forbids that."""


def _now() -> datetime:
    return datetime.now(UTC)


class Catalog:
    """Connections, exports and the owners of targets."""

    def __init__(
        self,
        *,
        connections: Rows,
        exports: Rows,
        targets: Rows,
        dialects: Rows,
        definitions: Mapping[str, Definition],
        segments: SegmentsSeen,
        place: PlaceJudged = lambda name, wanted: (),
        clock: Callable[[], datetime] = _now,
    ) -> None:
        self.connections = connection_store(connections)
        self.exports = export_store(exports)
        self.targets = TargetStore(targets)
        self.dialects = DialectStore(dialects)
        self.definitions = definitions
        self.now = clock
        self.claims = Claims(self.targets, self.exports, clock)
        self.companions = StoredCompanions(self.connections, self.exports, self.claims, clock)
        neighbours = Neighbours(self.exports, self.claims, definitions, segments)
        self._judging = Judging(self.connections, self.exports, definitions, neighbours)
        self._place = place

    def connection(self, name: str) -> Held[Connection]:
        """Raises NotFound."""
        held = self.connections.get(name)
        if held is None:
            raise NotFound("connection", name)
        return held

    def export(self, name: str) -> Held[Export]:
        """Raises NotFound."""
        held = self.exports.get(name)
        if held is None:
            raise NotFound("export", name)
        return held

    def save_connection(
        self, name: str, sent: ConnectionInput, caller: Person, held: Held[Connection] | None
    ) -> Held[Connection]:
        """Raises Invalid, Forbidden, NotNow (exports would change vendor) and Conflict."""
        item = self.checked_connection(name, sent, caller, held)
        return self.connections.replace(item, held.etag) if held else self.connections.insert(item)

    def checked_connection(
        self, name: str, sent: ConnectionInput, caller: Person, held: Held[Connection] | None
    ) -> Connection:
        """What saving would store, after every check of it. Raises what `save_connection` does, but for Conflict."""
        require(caller, Action.EDIT_CONNECTION)
        if issues := [*_name_issues(name), *connection_issues(sent, self.definitions)]:
            raise Invalid(issues)
        before = held.item if held else None
        moved = sent.opt_outs if before is None or before.opt_outs != sent.opt_outs else None
        if moved and (forbidden := self._place(name, moved)):
            raise Invalid(list(forbidden))
        if before and before.vendor != sent.vendor and (users := self._having(name)):
            raise NotNow(
                "in_use",
                say("The vendor cannot change while exports use the connection: %(users)s.", users=", ".join(users)),
            )
        return Connection.model_validate(self._connection_values(name, sent, caller, before))

    def delete_connection(self, held: Held[Connection], caller: Person) -> None:
        """Raises Forbidden, NotNow while exports use it, and Conflict."""
        require(caller, Action.REMOVE_CONNECTION)
        if users := self._having(held.item.name):
            message = say(
                "Exports use this connection: %(exports)s. Delete them, or give them another connection.",
                exports=", ".join(users),
            )
            raise NotNow("in_use", message)
        self.connections.delete(held.item.name, held.etag)

    def exports_on(self, connection: str) -> list[Export]:
        """The exports on a connection, by name."""
        return [held.item for held in self.exports.all() if held.item.connection == connection]

    def users(self, connection: str) -> list[str]:
        """Names of the exports whose own connection it is."""
        return [each.name for each in self.exports_on(connection) if not each.owned_by]

    def beside(self, connection: str) -> list[str]:
        """Names of the exports that have the connection beside their own."""
        every = [held.item for held in self.exports.all()]
        return [each.name for each in every if any(entry.connection == connection for entry in each.also)]

    def _having(self, connection: str) -> list[str]:
        return [*self.users(connection), *self.beside(connection)]

    def record_check(self, held: Held[Connection], result: CheckResult) -> Held[Connection]:
        """Keep what a connection check found; Conflict where the connection was changed while it was checked."""
        account = result.account if result.ok and result.account else held.item.account
        found = {
            "account": account,
            "probe": held.item.probe if account == held.item.account else None,
            "checked_at": self.now(),
            "check_code": result.code,
            "check_message": shortened(result.message, 1000),
        }
        return self.connections.replace(held.item.model_copy(update=found), held.etag)

    def name_secrets(self, held: Held[Connection], secrets: Mapping[str, str], caller: Person) -> Held[Connection]:
        """The credentials are in the Key Vault secrets of these names now. What the last check found no longer holds,
        except the account: new keys of the same account are the rule. Raises Conflict."""
        unchecked = {"checked_at": None, "check_code": "", "check_message": ""}
        changes = {"secrets": dict(secrets), **unchecked, **stamps.written(held.item, caller.name, self.now())}
        return self.connections.replace(held.item.model_copy(update=changes), held.etag)

    def accounts(self, connection: str) -> set[str]:
        """Accounts in which exports on the connection have their targets."""
        return {each.account for each in self.exports_on(connection)}

    def strangers(self, connection: Connection) -> list[str]:
        """Exports with targets that were claimed in another account than the connection has now."""
        others = [each for each in self.exports_on(connection.name) if each.account != connection.account]
        return [each.owned_by or each.name for each in others]

    def save_export(
        self,
        name: str,
        sent: ExportInput,
        caller: Person,
        held: Held[Export] | None,
        *,
        running: bool = False,
        before_writing: BeforeWriting = lambda export: None,
    ) -> tuple[Held[Export], tuple[Issue, ...]]:
        """The stored export and its warnings. `running`: a run of it is under way, so its targets may not go.
        `before_writing` is called once nothing speaks against it, with what will be stored.

        Raises Invalid, Forbidden, NotNow and Conflict.
        """
        item, dropped, warnings = self.checked_export(name, sent, caller, held, running=running)
        with self.claims.held(item):
            before_writing(item)
            saved = self.exports.replace(item, held.etag) if held else self.exports.insert(item)
        self.claims.release(dropped)
        return saved, warnings

    def checked_export(
        self, name: str, sent: ExportInput, caller: Person, held: Held[Export] | None, *, running: bool = False
    ) -> tuple[Export, list[Claim], tuple[Issue, ...]]:
        """What saving would store, the targets that it would give up, and its warnings, after every check of it. Raises
        what `save_export` does, but for Conflict."""
        if held:
            self.require_editor(held.item, caller)
            require_its_own(held.item)
        sent = self.settled(sent)
        around, verdict = self._judging.verdict(name, sent, caller)
        if issues := [*_name_issues(name), *verdict.issues]:
            raise Invalid(issues)
        account = around.connection.account if around.connection else None
        stamped = stamps.written(held.item if held else None, caller.name, self.now())
        item = Export.model_validate({**dict(sent), "name": name, "account": account, **stamped})
        dropped = self.claims.dropped(held.item, item) if held else []
        if running and dropped:
            raise NotNow(
                "running", say("A run is writing to a target that this would drop: cancel it, or wait for it.")
            )
        return item, dropped, verdict.warnings

    def settled(self, sent: ExportInput) -> ExportInput:
        """The export as it will be stored: with the connection's default list where a target leans on it."""
        return settled(sent, self._default_list)

    def _default_list(self, connection: str) -> str:
        held = self.connections.get(connection)
        return default_list(held.item if held else None, self.definitions)

    def scope(self, export: Export, own: Connection | None = None) -> Shareable:
        """What decides who may change and steer an export: the strictest of all its connections; `own` is its own,
        where it was read already."""
        names = [*([] if own else [export.connection]), *(each.connection for each in export.also)]
        held = [self.connections.get(name) for name in names]
        found: list[Shareable] = [*([own] if own else []), *(each.item if each else GONE for each in held)]
        return next((each for each in found if each.shared_with is not SharedWith.CONTRIBUTORS), found[0])

    def delete_export(self, held: Held[Export], caller: Person, *, running: bool = False) -> None:
        """Delete it and free its targets. Raises Forbidden, NotNow while it runs, and Conflict."""
        self.require_editor(held.item, caller, Action.REMOVE_EXPORT)
        require_its_own(held.item)
        if running:
            raise NotNow(
                "running", say("A run of this export is under way: cancel it, or wait for it, and delete then.")
            )
        self.claims.delete(held)

    def detach_export(self, held: Held[Export], caller: Person, *, running: bool = False) -> Held[Export]:
        """Take its connection off; its targets stay its own. Raises Forbidden, NotNow while it runs, and Conflict."""
        self.require_editor(held.item, caller)
        require_its_own(held.item)
        if running:
            raise NotNow(
                "running", say("A run of this export is under way: cancel it, or wait for it, and detach then.")
            )
        item = held.item.model_copy(update={"connection": "", **stamps.written(held.item, caller.name, self.now())})
        return self.exports.replace(item, held.etag)

    def set_schedule(
        self,
        held: Held[Export],
        caller: Person,
        *,
        paused: bool,
        schedule: Schedule | None = None,
        before_writing: BeforeWriting = lambda export: None,
    ) -> Held[Export]:
        """Change when it runs and nothing else, so nothing else is judged; `before_writing` as in `save_export`. Raises
        Forbidden, Invalid and Conflict."""
        self.require_editor(held.item, caller)
        require_its_own(held.item)
        if schedule and (issues := schedule_issues(schedule)):
            raise Invalid(issues)
        timing = {"paused": paused, "schedule": schedule or held.item.schedule}
        item = held.item.model_copy(update={**timing, **stamps.written(held.item, caller.name, self.now())})
        before_writing(item)
        return self.exports.replace(item, held.etag)

    def require_editor(self, export: Export, caller: Person, action: Action = Action.EDIT_EXPORT) -> None:
        """Raises Forbidden where the caller may not change or steer the export."""
        require(caller, action, self.scope(export))

    def _connection_values(
        self, name: str, sent: ConnectionInput, caller: Person, before: Connection | None
    ) -> dict[str, object]:
        now = self.now()
        reach = ("vendor", "settings", "secrets")
        same = before is not None and all(getattr(before, part) == getattr(sent, part) for part in reach)
        checked = ("account", "checked_at", "check_code", "check_message", "probe")
        kept = {part: getattr(before, part) for part in checked} if same else {}
        consent = stamps.consent(sent.consent, before.consent if before else None, caller, now)
        decisions = stamps.decisions(sent.decisions, before.decisions if before else {}, caller, now)
        values = {**dict(sent), "consent": consent, "decisions": decisions, "name": name}
        return {**values, **kept, **stamps.written(before, caller.name, now)}


def require_its_own(export: Export) -> None:
    """Raises NotNow for an export that follows from another one."""
    if export.owned_by:
        raise NotNow(
            "owned",
            say(
                'It is another connection of the export "%(export)s", from which all of it follows: change it there.',
                export=export.owned_by,
            ),
        )


def _name_issues(name: str) -> list[Issue]:
    if name in RESERVED:
        return [Issue("", say('The name "%(name)s" is taken by a page of the app: choose another.', name=name))]
    return (
        []
        if NAME.fullmatch(name)
        else [Issue("", say("The name in the address cannot be used. %(rule)s", rule=NAME_RULE))]
    )
