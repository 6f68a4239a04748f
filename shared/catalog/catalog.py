"""Everything that people define: saving, deleting and checking it, with claims on targets kept in step.

Writes name the version that they follow (`held`, None for a new one) and raise Conflict where it is no longer that.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from shared.access.actions import GONE, Action, Shareable, require
from shared.access.person import Person, SharedWith
from shared.catalog import companions
from shared.catalog.connection_validation import connection_issues
from shared.catalog.dialects import DialectStore
from shared.catalog.export_validation import (
    Judgement,
    SegmentKnown,
    Surroundings,
    judge,
    owned_issue,
    target_identity,
)
from shared.catalog.holdout import NamedElsewhere
from shared.catalog.issues import Invalid, Issue, NotFound, NotNow
from shared.catalog.models import (
    NAME,
    NAME_RULE,
    RESERVED,
    Also,
    AlsoTarget,
    Connection,
    ConnectionInput,
    Consent,
    Export,
    ExportInput,
    Mode,
    Schedule,
    SettingDecision,
)
from shared.catalog.opt_outs import OptOutsWanted
from shared.catalog.schedules import schedule_issues
from shared.catalog.store import Held, connection_store, export_store
from shared.catalog.targets import Claim, Owned, TargetStore, default_list, rival, settled, target_key
from shared.cloud.tables import Rows
from shared.vendors.contract import CheckResult, Definition
from shared.wording import say, shortened

BeforeWriting = Callable[[Export], None]

ABANDONED = timedelta(minutes=15)
"""A claim whose export does not use it may be in the middle of being saved; after so long it is a leftover."""

PlaceJudged = Callable[[str, OptOutsWanted], Sequence[Issue]]
"""Connection and where its opt-outs are to be landed -> what forbids that."""

SegmentsSeen = Callable[[Sequence[str]], Mapping[str, SegmentKnown]]
"""References of segments -> those that exist."""


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
        self._segments = segments
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
        if before and before.vendor != sent.vendor and (users := self.users(name)):
            raise NotNow(
                "in_use",
                say("The vendor cannot change while exports use the connection: %(users)s.", users=", ".join(users)),
            )
        return Connection.model_validate(self._connection_values(name, sent, caller, before))

    def delete_connection(self, held: Held[Connection], caller: Person) -> None:
        """Raises Forbidden, NotNow while exports use it, and Conflict."""
        require(caller, Action.REMOVE_CONNECTION)
        if users := self.users(held.item.name) or self._also_on(held.item.name):
            message = say(
                "Exports use this connection: %(exports)s. Delete them or give them another connection.",
                exports=", ".join(users),
            )
            raise NotNow("in_use", message)
        self.connections.delete(held.item.name, held.etag)

    def exports_on(self, connection: str) -> list[Export]:
        """The exports on a connection, by name."""
        return [held.item for held in self.exports.all() if held.item.connection == connection]

    def users(self, connection: str) -> list[str]:
        """Names of the exports on a connection."""
        return [each.name for each in self.exports_on(connection)]

    def _also_on(self, connection: str) -> list[str]:
        """Names of exports that have the connection beside their own, though nothing follows from it yet."""
        every = [held.item for held in self.exports.all()]
        return [each.name for each in every if any(entry.connection == connection for entry in each.also)]

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
        changes = {"secrets": dict(secrets), **unchecked, **self._stamps(caller, held.item)}
        return self.connections.replace(held.item.model_copy(update=changes), held.etag)

    def accounts(self, connection: str) -> set[str]:
        """Accounts in which exports on the connection have their targets."""
        return {each.account for each in self.exports_on(connection)}

    def strangers(self, connection: Connection) -> list[str]:
        """Exports on the connection whose targets were claimed in another account than it has now."""
        return [export.name for export in self.exports_on(connection.name) if export.account != connection.account]

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
        with self._claimed(item):
            before_writing(item)
            saved = self.exports.replace(item, held.etag) if held else self.exports.insert(item)
        self._release(dropped)
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
        around, verdict = self._judged(name, sent, caller)
        beside = self._companions_judged(name, sent, caller)
        found = [*_name_issues(name), *verdict.issues, *companions.shape_issues(sent), *beside.issues]
        if issues := list(dict.fromkeys([*found, *self._same_lists(sent)])):
            raise Invalid(issues)
        verdict = Judgement((), tuple(dict.fromkeys([*verdict.warnings, *beside.warnings])))
        item = self._export(name, sent, caller, around, held.item if held else None)
        dropped = self._dropped(held.item, item) if held else []
        if running and dropped:
            raise NotNow(
                "running", say("A run is writing to a target that this would drop: cancel it, or wait for it.")
            )
        return item, dropped, verdict.warnings

    def _judged(self, name: str, sent: ExportInput, caller: Person, family: str = "") -> tuple[Surroundings, Judgement]:
        """What there is to say of a definition; `family` is the owner of a companion. Raises Forbidden."""
        connection = self.connections.get(sent.connection)
        if connection:
            require(caller, Action.EDIT_EXPORT, connection.item)
        else:
            require(caller, Action.EDIT_EXPORT)
        around = self._surroundings(name, sent, connection.item if connection else None, family)
        return around, judge(sent, around)

    def _companions_judged(self, owner: str, sent: ExportInput, caller: Person) -> Judgement:
        """What there is to say of an export's other connections. Raises Forbidden."""
        issues: list[Issue] = []
        warnings: list[Issue] = []
        for index, (name, definition) in enumerate(companions.wanted(owner, sent).items()):
            taken = self.exports.get(name)
            if taken and taken.item.owned_by != owner:
                words = say('The export "%(name)s" has the name that this one needs: remove it.', name=name)
                issues.append(Issue(f"/also/{index}/connection", words))
            _, verdict = self._judged(name, definition, caller, owner)
            issues += companions.placed(verdict.issues, index)
            warnings += companions.placed(verdict.warnings, index)
        return Judgement(tuple(issues), tuple(warnings))

    def _same_lists(self, sent: ExportInput) -> Iterator[Issue]:
        definitions = [sent, *(companions.definition(sent, each) for each in sent.also)]
        held = [self.connections.get(each.connection) for each in definitions]
        return companions.same_lists(
            [
                companions.places(each, connection.item if connection else None, self.definitions)
                for each, connection in zip(definitions, held, strict=True)
            ]
        )

    def settled(self, sent: ExportInput) -> ExportInput:
        """The export as it will be stored: with the connection's default list where a target leans on it."""
        also = tuple(each.model_copy(update={"targets": self._also_settled(sent, each)}) for each in sent.also)
        return settled(sent.model_copy(update={"also": also}), self._default_list(sent.connection))

    def _also_settled(self, sent: ExportInput, entry: Also) -> tuple[AlsoTarget, ...]:
        if not (list_id := self._default_list(entry.connection)):
            return entry.targets
        before = companions.definition(sent, entry)
        there = settled(before, list_id).targets
        if there == before.targets:
            return entry.targets
        return tuple(
            AlsoTarget(list_id=each.list_id, list_name=each.list_name, existing=each.existing) for each in there
        )

    def _default_list(self, connection: str) -> str:
        held = self.connections.get(connection)
        return default_list(held.item if held else None, self.definitions)

    def companions_of(self, name: str, sent: ExportInput, by: str) -> list[tuple[Held[Export] | None, Export]]:
        """The companions of an export of this name as they are stored, and as they will be: of those whose connection
        has an account, and whose name is not another export's."""
        found = []
        for companion, definition in companions.wanted(name, sent).items():
            held, connection = self.exports.get(companion), self.connections.get(definition.connection)
            stranger = held is not None and held.item.owned_by != name
            if connection and connection.item.account and not stranger:
                account = connection.item.account
                found.append((held, self._companion(companion, definition, account, name, by, held)))
        return found

    def _companion(
        self, name: str, definition: ExportInput, account: str, owner: str, by: str, held: Held[Export] | None
    ) -> Export:
        now = self.now()
        created = (held.item.created_at, held.item.created_by) if held else (now, by)
        stamps = {"created_at": created[0], "created_by": created[1], "updated_at": now, "updated_by": by}
        kept = {"name": name, "account": account, "owned_by": owner}
        return Export.model_validate({**dict(definition), **kept, **stamps})

    def owned(self, name: str) -> list[Held[Export]]:
        """The companions of an export, as they are stored."""
        return [held for held in self.exports.all() if held.item.owned_by == name]

    def put_companion(self, held: Held[Export] | None, item: Export) -> None:
        """Store a companion and its claims. Raises Invalid where a list is another export's, and Conflict."""
        dropped = self._dropped(held.item, item) if held else []
        with self._claimed(item):
            if held:
                self.exports.replace(item, held.etag)
            else:
                self.exports.insert(item)
        self._release(dropped)

    def drop_companion(self, held: Held[Export]) -> None:
        """Delete a companion and free its targets. Raises Conflict."""
        dropped = self._dropped(held.item, None)
        self.exports.delete(held.item.name, held.etag)
        self._release(dropped)

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
        dropped = self._dropped(held.item, None)
        self.exports.delete(held.item.name, held.etag)
        self._release(dropped)

    def detach_export(self, held: Held[Export], caller: Person, *, running: bool = False) -> Held[Export]:
        """Take its connection off; its targets stay its own. Raises Forbidden, NotNow while it runs, and Conflict."""
        self.require_editor(held.item, caller)
        require_its_own(held.item)
        if running:
            raise NotNow(
                "running", say("A run of this export is under way: cancel it, or wait for it, and detach then.")
            )
        item = held.item.model_copy(update={"connection": "", **self._stamps(caller, held.item)})
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
        item = held.item.model_copy(update={**timing, **self._stamps(caller, held.item)})
        before_writing(item)
        return self.exports.replace(item, held.etag)

    def require_editor(self, export: Export, caller: Person, action: Action = Action.EDIT_EXPORT) -> None:
        """Raises Forbidden where the caller may not change or steer the export."""
        require(caller, action, self.scope(export))

    def _connection_values(
        self, name: str, sent: ConnectionInput, caller: Person, before: Connection | None
    ) -> dict[str, object]:
        reach = ("vendor", "settings", "secrets")
        same = before is not None and all(getattr(before, part) == getattr(sent, part) for part in reach)
        checked = ("account", "checked_at", "check_code", "check_message", "probe")
        kept = {part: getattr(before, part) for part in checked} if same else {}
        consent = self._consent(sent.consent, before.consent if before else None, caller)
        decisions = self._decisions(sent.decisions, before.decisions if before else {}, caller)
        values = {**dict(sent), "consent": consent, "decisions": decisions, "name": name}
        return {**values, **kept, **self._stamps(caller, before)}

    def _consent(self, sent: Consent | None, before: Consent | None, caller: Person) -> Consent | None:
        """The consent as it is stored: a request cannot say who agreed, or when."""
        if sent is None or (before and before.text == sent.text):
            return sent and before
        return sent.model_copy(update={"agreed_by": caller.name, "agreed_at": self.now()})

    def _decisions(
        self, sent: Mapping[str, SettingDecision], before: Mapping[str, SettingDecision], caller: Person
    ) -> dict[str, SettingDecision]:
        """The decisions as they are stored: a request cannot say who decided, or when."""
        stamps = {"decided_by": caller.name, "decided_at": self.now()}
        return {
            name: old
            if (old := before.get(name)) and (old.choice, old.text) == (new.choice, new.text)
            else new.model_copy(update=stamps)
            for name, new in sent.items()
        }

    def _export(
        self, name: str, sent: ExportInput, caller: Person, around: Surroundings, before: Export | None
    ) -> Export:
        account = around.connection.account if around.connection else None
        values = {**dict(sent), "name": name, "account": account, **self._stamps(caller, before)}
        return Export.model_validate(values)

    def _stamps(self, caller: Person, before: Connection | Export | None) -> dict[str, object]:
        now = self.now()
        return {
            "created_at": before.created_at if before else now,
            "created_by": before.created_by if before else caller.name,
            "updated_at": now,
            "updated_by": caller.name,
        }

    def _surroundings(
        self, name: str, sent: ExportInput, connection: Connection | None, family: str = ""
    ) -> Surroundings:
        definition = self.definitions.get(connection.vendor) if connection else None
        account = connection.account if connection else None
        everyone = [held.item for held in self.exports.all()]
        claims = self.targets.claims(account) if account else []
        others = [each for each in everyone if each.name != name and each.account == account]
        seen = self._segments(sent.followed)
        return Surroundings(
            connection=connection,
            definition=definition,
            default_list=default_list(connection, self.definitions),
            segments={reference: each.columns for reference, each in seen.items()},
            ids={reference: each.id for reference, each in seen.items()},
            owners={**_owned(others, sent, definition), **self._owners(claims, name, sent)} if account else {},
            writers=_writers(others) if account and definition and not definition.fields_of_list else {},
            holdouts={
                each.rules.holdout.name: NamedElsewhere(each.name, each.rules.holdout.share)
                for each in everyone
                if each.rules.holdout and (family or name) not in (each.name, each.owned_by)
            },
            stays=_stays(claims, sent, [each for each in everyone if each.name == name]),
        )

    def _owners(self, claims: list[Claim], name: str, sent: ExportInput) -> dict[str, str]:
        """Target key -> the other export that owns it; leftovers of interrupted saves are freed on the way."""
        found = {target_key(target): rival(claims, target_key(target), name) for target in sent.targets}
        return {key: claim.export for key, claim in found.items() if claim and not self._freed(claim)}

    def _freed(self, claim: Claim) -> bool:
        owner = self.exports.get(claim.export)
        used = owner is not None and (claim.account, claim.key) in _places(owner.item)
        if used or self.now() - claim.touched_at < ABANDONED:
            return False
        return self.targets.release(claim, self.now())

    @contextmanager
    def _claimed(self, export: Export) -> Iterator[None]:
        """Claims the export's targets, and frees the new ones again where what follows fails."""
        fresh: list[Claim] = []
        try:
            for index, target in enumerate(export.targets):
                fresh += self._claim(export, index, target_key(target))
            yield
        except BaseException:
            self._release(fresh)
            raise

    def _claim(self, export: Export, index: int, key: str) -> list[Claim]:
        try:
            claim = self.targets.claim(export.account, key, export.name, self.now())
        except Owned as error:
            raise Invalid([owned_issue(index, export, error.export)]) from None
        return [claim] if claim.fresh else []

    def _dropped(self, before: Export, after: Export | None) -> list[Claim]:
        """Claims that `after` no longer needs, as they are before it is written."""
        gone = _places(before) - (_places(after) if after else set())
        claims = [self.targets.owner(account, key) for account, key in sorted(gone)]
        return [claim for claim in claims if claim and claim.export == before.name]

    def _release(self, claims: Sequence[Claim]) -> None:
        for claim in claims:
            self.targets.release(claim, self.now())


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


def _places(export: Export) -> set[tuple[str, str]]:
    return {(export.account, target_key(target)) for target in export.targets}


def _owned(others: Sequence[Export], sent: ExportInput, definition: Definition | None) -> dict[str, str]:
    """Target key -> the other export that has the same list under another name."""
    taken = {target_identity(target, definition): each.name for each in others for target in each.targets}
    found = {target_key(target): taken.get(target_identity(target, definition)) for target in sent.targets}
    return {key: owner for key, owner in found.items() if owner}


def _stays(claims: Sequence[Claim], sent: ExportInput, before: Sequence[Export]) -> bool:
    """Whether somebody may be on its lists whom its holdout came too late for and whom it never takes off."""
    if sent.mode is not Mode.ADD or any(each.rules.holdout == sent.rules.holdout for each in before):
        return False
    keys = [target_key(target) for target in sent.targets]
    return any(claim.memory.get("ledger") for claim in claims if any(map(claim.covers, keys)))


def _writers(others: Sequence[Export]) -> dict[str, list[str]]:
    """Field, its case folded -> the exports that fill it."""
    found: dict[str, list[str]] = {}
    for each in others:
        for match in each.matching:
            found.setdefault(match.field.casefold(), []).append(each.name)
    return found


def _name_issues(name: str) -> list[Issue]:
    if name in RESERVED:
        return [Issue("", say('The name "%(name)s" is taken by a page of the app: choose another.', name=name))]
    return (
        []
        if NAME.fullmatch(name)
        else [Issue("", say("The name in the address cannot be used. %(rule)s", rule=NAME_RULE))]
    )
