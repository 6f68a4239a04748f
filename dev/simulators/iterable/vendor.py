"""Iterable's endpoints."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import count
from typing import Any

from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import TEXT, Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.iterable import answers, bodies, content
from dev.simulators.iterable.addresses import valid_address
from dev.simulators.iterable.bulk import Outcome, Row, TooManyFieldsError, TypesMismatchedError, Upsert, unsubscribe
from dev.simulators.iterable.project import MailingList, Person, Project
from dev.simulators.iterable.settings import PROJECT, Settings

_FIRST_LIST = 4411201
_PREVIEW = 1000
_EVENTS = ("emailUnSubscribe", "emailBounce", "emailComplaint", "emailSubscribe")
_LONGEST_PREVIEW = 5000


class Iterable(vendor.Vendor[Settings]):
    """`project()` is the state; `settings` may be replaced or changed at any time."""

    name = "iterable"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.clear()

    def clear(self) -> None:
        self._list_ids = count(_FIRST_LIST)
        self._projects: dict[int, Project] = {}

    def project(self, number: int = PROJECT) -> Project:
        """The project of that number; it comes into being when first asked for."""
        if number not in self._projects:
            self._projects[number] = Project(number, self._list_ids)
        return self._projects[number]

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", "/api/lists", self._lists),
            Endpoint("POST", "/api/lists", self._create_list),
            Endpoint("DELETE", "/api/lists/{listId:int}", self._delete_list),
            Endpoint("GET", "/api/lists/{listId:int}/size", self._size),
            Endpoint("GET", "/api/lists/getUsers", self._get_users),
            Endpoint("GET", "/api/lists/previewUsers", self._preview_users),
            Endpoint("POST", "/api/lists/subscribe", self._subscribe),
            Endpoint("POST", "/api/lists/unsubscribe", self._unsubscribe),
            Endpoint("POST", "/api/users/bulkUpdate", self._bulk_update),
            Endpoint("GET", "/api/users/getFields", self._get_fields),
            Endpoint("GET", "/api/users/getByEmail", self._get_by_email),
            Endpoint("GET", "/api/users/{email:path}", self._get_by_path),
            Endpoint("GET", "/api/channels", self._channels),
            Endpoint("GET", "/api/export/data.json", self._export),
        ]

    def authenticate(self, call: Call) -> str | Answer:
        secret = call.headers.get("api-key") or call.headers.get("api_key") or ""
        key = self.settings.keys.get(secret)
        if key is None or key.data_center != self.settings.data_center:
            return answers.invalid_key(call)
        if key.disabled or key.type != "Standard":
            return answers.insufficient_key(call, secret, key)
        return str(key.project)

    def not_found(self, call: Call) -> Answer:
        return answers.action_not_found()

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        _, _, path = endpoint.partition(" ")
        return answers.rate_limited(path, account or str(PROJECT))

    def error(self, status: int) -> Answer:
        return answers.own_failure(status)

    def state(self, account: str | None) -> dict[str, Any]:
        project = self.project(int(account) if account else PROJECT)
        return {"vendor": self.name, "account": str(project.id), **content.state(project)}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        for project in self._projects.values():
            if (mailing_list := project.lists.get(int(target))) is not None:
                return map(content.member, list(mailing_list.members))
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        wanted = content.Content.model_validate(given)
        project = self.project(int(wanted.account) if wanted.account else PROJECT)
        return content.load(project, wanted, self.clock.epoch())

    def _of(self, call: Call) -> Project:
        return self.project(int(call.account))

    def _list(self, call: Call, list_id: int) -> MailingList:
        mailing_list = self._of(call).lists.get(list_id)
        if mailing_list is None:
            raise self._invalid_list(call, list_id)
        return mailing_list

    def _list_to_write(self, call: Call, list_id: int) -> MailingList:
        mailing_list = self._list(call, list_id)
        if not mailing_list.is_known(self.clock.monotonic()):
            raise self._invalid_list(call, list_id)
        if mailing_list.list_type != "Standard":
            raise Refusal(answers.bad_params(f"List {list_id} is not a static list"))
        return mailing_list

    def _invalid_list(self, call: Call, list_id: int) -> Refusal:
        status = self.settings.invalid_list_status
        return Refusal(answers.invalid_list(status, int(call.account), list_id))

    def _lists(self, call: Call) -> Answer:
        return json_answer({"lists": [each.details() for each in reversed(self._of(call).lists.values())]})

    def _create_list(self, call: Call) -> Answer:
        body = bodies.read(call, bodies.CREATE_LIST)
        project, name = self._of(call), body["name"]
        longest = self.settings.longest_list_name
        if not name.strip() or (longest is not None and len(name) > longest):
            return answers.bad_params("Invalid list name")
        if not self.settings.duplicate_list_names and any(each.name == name for each in project.lists.values()):
            return answers.bad_params("A list of that name exists")
        created = project.create_list(name, int(self.clock.epoch() * 1000))
        created.description = body.get("description")
        created.known_from = self.clock.monotonic() + self.settings.new_list_invalid_seconds
        created.calls_until_known = self.settings.new_list_invalid_calls
        return json_answer({"listId": created.id})

    def _delete_list(self, call: Call) -> Answer:
        mailing_list = self._list(call, call.parameters["listId"])
        if mailing_list.in_use:
            return answers.list_in_use(mailing_list.id)
        del self._of(call).lists[mailing_list.id]
        return answers.list_deleted(int(call.account), mailing_list.id)

    def _size(self, call: Call) -> Answer:
        mailing_list = self._list(call, call.parameters["listId"])
        return Answer(200, str(len(mailing_list.members)).encode(), TEXT)

    def _get_users(self, call: Call) -> Answer:
        people = list(self._list(call, _number(call, "listId")).members)
        # The vendor promises no order, so nobody may come to rely on one.
        start = random.randrange(len(people)) if people else 0
        return _identifiers(call, people[start:] + people[:start])

    def _preview_users(self, call: Call) -> Answer:
        people = list(self._list(call, _number(call, "listId")).members)
        size = _number(call, "size", _PREVIEW)
        if not 0 <= size <= _LONGEST_PREVIEW:
            return answers.bad_params(f"size must be at most {_LONGEST_PREVIEW}")
        return _identifiers(call, random.sample(people, min(size, len(people))))

    def _subscribe(self, call: Call) -> Answer:
        def write(body: dict[str, Any], rows: Sequence[Row]) -> Outcome:
            return Upsert(
                self._of(call),
                self.settings,
                self.clock.epoch(),
                mailing_list=self._list_to_write(call, body["listId"]),
                refused=bool(body.get("updateExistingUsersOnly")),
                create_fields=not self.settings.drop_unknown_fields,
            ).run(rows)

        return self._bulk(call, bodies.SUBSCRIBE, "subscribers", write)

    def _unsubscribe(self, call: Call) -> Answer:
        def write(body: dict[str, Any], rows: Sequence[Row]) -> Outcome:
            given = body.get("channelUnsubscribe")
            channel = self.settings.channel_unsubscribe_default if given is None else given
            mailing_list = self._list_to_write(call, body["listId"])
            return unsubscribe(self._of(call), self.settings, mailing_list, rows, channel, self.clock.epoch())

        return self._bulk(call, bodies.UNSUBSCRIBE, "subscribers", write)

    def _bulk_update(self, call: Call) -> Answer:
        def write(body: dict[str, Any], rows: Sequence[Row]) -> Outcome:
            given = body.get("createNewFields")
            create = not self.settings.drop_unknown_fields if given is None else given
            return Upsert(self._of(call), self.settings, self.clock.epoch(), create_fields=create).run(rows)

        return self._bulk(call, bodies.BULK_UPDATE, "users", write)

    def _bulk(
        self,
        call: Call,
        shape: bodies.Shape,
        rows_name: str,
        write: Callable[[dict[str, Any], Sequence[Row]], Outcome],
    ) -> Answer:
        body = bodies.read(call, shape)
        rows = body[rows_name]
        try:
            if len(rows) > self.settings.most_rows or len(call.body) > self.settings.most_bytes:
                return replace(answers.batch_too_large(self.settings.too_large_status), rows=len(rows))
            bodies.check_rows(call, rows_name, rows)
            return answers.bulk(write(body, rows), self.settings.answer_shape == "minimal", len(rows))
        except Refusal as refusal:
            return replace(refusal.answer, rows=len(rows))
        except TypesMismatchedError as error:
            return replace(answers.types_mismatched(int(call.account), error.errors), rows=len(rows))
        except TooManyFieldsError:
            return replace(answers.too_many_fields(int(call.account)), rows=len(rows))

    def _get_fields(self, call: Call) -> Answer:
        return json_answer({"fields": self._of(call).types})

    def _get_by_email(self, call: Call) -> Answer:
        if "email" not in call.query:
            return answers.bad_params("email is required")
        if not valid_address(call.query["email"]):
            return answers.invalid_email(call.query["email"])
        return self._profile(call, call.query["email"])

    def _get_by_path(self, call: Call) -> Answer:
        return self._profile(call, call.parameters["email"])

    def _profile(self, call: Call, address: str) -> Answer:
        project = self._of(call)
        person = project.person(address)
        list_field = "emailListIds" if self.settings.project_type == "email" else "userListIds"
        return json_answer(content.profile(project, person, list_field) if person else {})

    def _export(self, call: Call) -> Answer:
        """Events of one type within a window, one a line; the vendor promises no order."""
        kind, begin, end = call.query.get("dataTypeName"), _moment(call, "startDateTime"), _moment(call, "endDateTime")
        if kind not in _EVENTS:
            return answers.bad_params("Invalid value for dataTypeName")
        found = [each for each in self._of(call).events if each.kind == kind and begin <= each.at < end]
        lines = [json.dumps(content.event(each)) for each in random.sample(found, len(found))]
        return Answer(200, "\n".join(lines).encode(), TEXT)

    def _channels(self, call: Call) -> Answer:
        return json_answer({"channels": content.CHANNELS})


def _moment(call: Call, name: str) -> float:
    """`2026-11-22 10:00:00` in UTC, as epoch seconds."""
    try:
        return datetime.fromisoformat(call.query.get(name, "")).replace(tzinfo=UTC).timestamp()
    except ValueError:
        raise Refusal(answers.bad_params(f"Invalid value for {name}")) from None


def _number(call: Call, name: str, default: int | None = None) -> int:
    text = call.query.get(name)
    if text is None and default is not None:
        return default
    if text is None or not text.isdecimal():
        raise Refusal(answers.bad_params(f"Invalid value for {name}"))
    return int(text)


def _identifiers(call: Call, people: Sequence[Person]) -> Answer:
    kind = "UserIds" if call.query.get("preferUserId") == "true" else "Emails"
    lines = [person.named(kind) or person.email or person.user_id or "" for person in people]
    return Answer(200, "\n".join(lines).encode(), TEXT)
