"""Many rows at once: subscribe and bulkUpdate (both upsert people), unsubscribe (contract sections 4 to 6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from dev.simulators.iterable.addresses import valid_address, valid_user_id
from dev.simulators.iterable.project import Event, Identity, MailingList, Person, Project
from dev.simulators.iterable.settings import Settings
from dev.simulators.iterable.types import mismatch, typed_parts, without_unknown

Row = Mapping[str, Any]


class TypesMismatchedError(Exception):
    """The whole batch is refused: `errors` has one row for each field at fault."""

    def __init__(self, errors: dict[str, dict[str, Any]]) -> None:
        super().__init__("data types differ from what the project has")
        self.errors = errors


class TooManyFieldsError(Exception):
    """The whole batch is refused: its new fields go over the project's limit."""


class _RowError(Exception):
    """`reason` is the start of the name of an array of `failedUpdates`, `identity` what goes there."""

    def __init__(self, reason: str, identity: Identity) -> None:
        super().__init__(reason)
        self.reason = reason
        self.identity = identity


@dataclass(slots=True)
class Outcome:
    """`failed` is by name of the answer's array; `done` are the identifiers that the call took effect on."""

    failed: defaultdict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    done: list[str] = field(default_factory=list)
    unchanged: list[Identity] = field(default_factory=list)
    created: set[str] = field(default_factory=set)
    dropped: set[str] = field(default_factory=set)

    def fail(self, error: _RowError) -> None:
        self.failed[error.reason + error.identity.kind].append(error.identity.value)


class _Accepted(NamedTuple):
    identity: Identity
    claims: Sequence[Identity]
    data: Mapping[str, Any]
    plain: bool
    merge: bool


class Upsert:
    """Writes people, and puts them on `mailing_list` where one is given.

    All rows are judged before the first is written: a batch that is refused leaves nothing behind.
    """

    def __init__(
        self,
        project: Project,
        settings: Settings,
        now: float,
        mailing_list: MailingList | None = None,
        refused: bool = False,
        create_fields: bool = True,
    ) -> None:
        self._project = project
        self._settings = settings
        self._now = now
        self._mailing_list = mailing_list
        self._refused = refused
        self._create_fields = create_fields
        self._known = dict(project.types)
        self._text_fields = _text_fields(self._known)
        self._mismatches: dict[str, dict[str, Any]] = {}
        self._seen: set[Identity] = set()
        self._outcome = Outcome()

    def run(self, rows: Sequence[Row]) -> Outcome:
        """Raises `TypesMismatchedError` and `TooManyFieldsError`; then nothing was written."""
        accepted = []
        for row in rows:
            try:
                accepted.append(self._judge(row))
            except _RowError as error:
                self._outcome.fail(error)
        if self._mismatches and self._settings.type_mismatch == "batch":
            raise TypesMismatchedError(self._mismatches)
        if len(self._known) > self._settings.unique_fields:
            raise TooManyFieldsError
        for each in accepted:
            self._write(each)
        self._outcome.created = self._known.keys() - self._project.types.keys()
        self._project.types = self._known
        return self._outcome

    def _judge(self, row: Row) -> _Accepted:
        identity = _identity(row)
        if identity.value in self._project.forgotten:
            raise _RowError("forgotten", identity)
        person = self._project.find(identity)
        if person is None:
            self._judge_newcomer(identity, row)
        data = row.get("dataFields") or {}
        plain = self._is_plain(data)
        if not plain:
            data = self._judge_data(identity, data)
        claims = () if plain and "userId" not in row else _claims(identity, row, data)
        for claim in claims:
            self._judge_claim(person, claim)
        if self._settings.duplicate_rows == "first_wins":
            if identity in self._seen:
                data = {}
            self._seen.add(identity)
        return _Accepted(identity, claims, data, plain, bool(row.get("mergeNestedObjects")))

    def _judge_newcomer(self, identity: Identity, row: Row) -> None:
        if _malformed(identity, self._settings):
            raise _RowError("invalid", identity)
        if self._settings.project_type == "hybrid":
            missing = self._refused
        else:
            missing = identity.kind == "UserIds" and not row.get("preferUserId")
        if missing:
            raise _RowError("notFound", identity)

    def _is_plain(self, data: Mapping[str, Any]) -> bool:
        """Nothing but text, in fields that take any text: the usual row, told apart for speed."""
        values = data.values()
        return (
            data.keys() <= self._text_fields
            and set(map(type, values)) <= _ONLY_TEXT
            and max(map(len, values), default=0) <= self._settings.longest_value
        )

    def _judge_data(self, identity: Identity, data: Mapping[str, Any]) -> Mapping[str, Any]:
        if not self._create_fields:
            data = without_unknown(data, self._known, self._outcome.dropped)
        fresh: dict[str, str] = {}
        for name, value in data.items():
            if type(value) is str:
                if len(value) > self._settings.longest_value:
                    raise _RowError("invalidData", identity)
                if name in self._text_fields:
                    continue
            self._judge_types(identity, name, value, fresh)
        if fresh:
            self._known |= fresh
            self._text_fields = _text_fields(self._known)
        return data

    def _judge_types(self, identity: Identity, name: str, value: Any, fresh: dict[str, str]) -> None:
        for dotted, incoming, part in typed_parts(name, value):
            expected = self._known.get(dotted) or fresh.setdefault(dotted, incoming[0])
            if expected not in incoming:
                self._mismatches.setdefault(dotted, mismatch(incoming, expected, part))
                raise _RowError("invalidData", identity)

    def _judge_claim(self, person: Person | None, claim: Identity) -> None:
        if _malformed(claim, self._settings):
            raise _RowError("invalid", claim)
        owner = self._project.find(claim)
        if owner is not None and owner is not person:
            raise _RowError("conflict", claim)

    def _write(self, accepted: _Accepted) -> None:
        person = self._project.find(accepted.identity) or self._create(accepted.identity)
        done = person.named(accepted.identity.kind) or ""
        for claim in accepted.claims:
            self._project.identify(person, claim)
        changed = self._store(person, accepted) if accepted.data else False
        if self._mailing_list is not None and person not in self._mailing_list.members:
            self._mailing_list.members[person] = None
            changed = True
        if changed or self._settings.no_ops == "counted":
            self._outcome.done.append(done)
        else:
            self._outcome.unchanged.append(accepted.identity)

    def _create(self, identity: Identity) -> Person:
        person = self._project.create(identity)
        person.created = person.updated = self._now
        if identity.kind == "UserIds" and self._settings.project_type == "email":
            self._project.identify(person, Identity("Emails", f"{identity.value.lower()}@placeholder.email"))
        return person

    def _store(self, person: Person, accepted: _Accepted) -> bool:
        fields = person.fields
        person.updated = self._now
        if accepted.plain:
            fields.update(accepted.data)
            return person.store(fields)
        for name, value in accepted.data.items():
            if name in _OWN_MEANING:
                self._set_own_meaning(person, name, value)
            elif value is None:
                fields.pop(name, None)
            elif accepted.merge and type(value) is dict and type(fields.get(name)) is dict:
                fields[name] = {**fields[name], **value}
            else:
                fields[name] = value
        return person.store(fields)

    def _set_own_meaning(self, person: Person, name: str, value: Any) -> None:
        if name in ("emailListIds", "userListIds"):
            for mailing_list in self._project.lists.values():
                mailing_list.members.pop(person, None)
                if mailing_list.id in (value or ()):
                    mailing_list.members[person] = None
        elif name == "unsubscribedChannelIds":
            self._project.resubscribes += person.global_unsubscribe and not value
            person.global_unsubscribe = bool(value)


# Fields of a profile that say something else than a value of its own (bulkUpdate's description in the Swagger file).
_OWN_MEANING = frozenset({"email", "userId", "emailListIds", "userListIds", "unsubscribedChannelIds"})
_ONLY_TEXT = frozenset({str})


def _text_fields(types: Mapping[str, str]) -> frozenset[str]:
    return frozenset(name for name, kind in types.items() if kind == "string") - _OWN_MEANING


def unsubscribe(
    project: Project, settings: Settings, mailing_list: MailingList, rows: Sequence[Row], channel: bool, now: float
) -> Outcome:
    """Take people off a list; with `channel` also off the whole channel, which is a global unsubscribe."""
    outcome = Outcome()
    project.channel_unsubscribe_calls += channel
    for row in rows:
        identity = _identity(row)
        try:
            person = _to_unsubscribe(project, settings, identity, now)
        except _RowError as error:
            outcome.fail(error)
            continue
        if person in mailing_list.members:
            fields = {"emailListIds": [mailing_list.id], "unsubSource": "ApiLink"}
            project.events.append(Event("emailUnSubscribe", now, person.email or "", fields))
        mailing_list.members.pop(person, None)
        person.global_unsubscribe |= channel
        outcome.done.append(person.named(identity.kind) or "")
    return outcome


def _to_unsubscribe(project: Project, settings: Settings, identity: Identity, now: float) -> Person:
    if identity.value in project.forgotten:
        raise _RowError("forgotten", identity)
    if person := project.find(identity):
        return person
    if _malformed(identity, settings):
        raise _RowError("invalid", identity)
    creates = settings.project_type == "email" and settings.unsubscribe_creates_unknown
    if identity.kind == "UserIds" or not creates:
        raise _RowError("notFound", identity)
    project.created_by_unsubscribe += 1
    person = project.create(identity)
    person.created = person.updated = now
    return person


def _identity(row: Row) -> Identity:
    email: str | None = row.get("email")
    if email is not None:
        return Identity("Emails", email.lower())
    return Identity("UserIds", row["userId"])


def _claims(identity: Identity, row: Row, data: Mapping[str, Any]) -> Sequence[Identity]:
    """Further identifiers that the row gives its person, beside the one that names it."""
    emails = [data["email"].lower()] if data.get("email") else []
    user_ids = [one for one in (row.get("userId"), data.get("userId")) if one is not None]
    if not emails and not user_ids:
        return ()
    claims = [Identity("Emails", one) for one in emails] + [Identity("UserIds", one) for one in user_ids]
    return [claim for claim in claims if claim != identity]


def _malformed(identity: Identity, settings: Settings) -> bool:
    if identity.kind == "Emails":
        return not valid_address(identity.value, settings.known_domains_only)
    return not valid_user_id(identity.value)
