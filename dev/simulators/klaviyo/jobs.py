"""Bulk imports: taken whole or not at all, carried out when they end, in no promised order (contract section 3)."""

from __future__ import annotations

import random
import zlib
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any

import orjson

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.klaviyo import answers, bodies, query, shapes
from dev.simulators.klaviyo.account import IDENTIFIERS, Account, Job, RowError
from dev.simulators.klaviyo.answers import Problem, document, invalid, refuse
from dev.simulators.klaviyo.bodies import Rules
from dev.simulators.klaviyo.desk import Desk
from dev.simulators.klaviyo.paging import page
from dev.simulators.klaviyo.query import EQUALITY, Known
from dev.simulators.klaviyo.settings import Settings
from dev.simulators.klaviyo.values import precise
from dev.simulators.klaviyo.writing import ConflictError, NobodyError, named, upsert

PATH = "/api/profile-bulk-import-jobs"
_KIND = "profile-bulk-import-job"
_ROWS = "/data/attributes/profiles/data"
_LIST = "/data/relationships/lists/data"
_STATUSES = ("queued", "processing", "complete")  # contract section 3: the filter knows no `cancelled`
_FIELDS = {_KIND: query.JOB_FIELDS}

_POST = Known(fields=_FIELDS)
_ONE = Known(fields={"list": query.LIST_FIELDS, **_FIELDS}, includes=("lists",))
_MANY = Known(fields=_FIELDS, filters={"status": EQUALITY}, sorts=("created_at",), page=(20, 100))
_PEOPLE = Known(
    fields={"profile": query.PROFILE_FIELDS},
    additional={"profile": ("subscriptions", "predictive_analytics")},
    page=(20, 100),
)
_IDS = Known(page=(20, 100))
_ERRORS = Known(fields={"import-error": query.ERROR_FIELDS}, page=(20, 100))


class Jobs:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._numbers = count(1)

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("POST", PATH, self._create),
            Endpoint("GET", PATH, self._many),
            Endpoint("GET", f"{PATH}/{{id}}", self._one),
            Endpoint("GET", f"{PATH}/{{id}}/profiles", self._profiles),
            Endpoint("GET", f"{PATH}/{{id}}/relationships/profiles", self._profile_ids),
            Endpoint("GET", f"{PATH}/{{id}}/import-errors", self._errors),
        ]

    def _create(self, call: Call) -> Answer:
        settings, account = self._desk.settings, self._desk.of(call)
        chosen = query.read(call, _POST, settings.longest)
        data = bodies.read(call, settings.most_bytes)
        attributes = bodies.resource(data, _KIND)
        profiles = attributes.get("profiles")
        rows = profiles.get("data") if type(profiles) is dict else None
        if type(rows) is not list or not rows:
            raise refuse("The field 'profiles' is required.", "/data/attributes/profiles")
        try:
            self._check(rows, data, account)
        except Refusal as refusal:
            raise Refusal(answers.with_rows(refusal.answer, len(rows))) from None
        job = self._accept(account, rows, self._lists(data, account))
        shown = shapes.job(job, job.created, settings, precise)
        touched = [str(named(row["attributes"]).get("email", "")) for row in rows]
        body = {"data": query.cut(shown, chosen.fields.get(_KIND))}
        return document(body, 202, rows=len(rows), touched=touched)

    def _check(self, rows: Sequence[Any], data: Mapping[str, Any], account: Account) -> None:
        """All or nothing: raises `Refusal` (400) for the first thing that is wrong, or for all of it."""
        settings = self._desk.settings
        if len(rows) > settings.most_rows:
            raise refuse(f"At most {settings.most_rows} profiles are allowed.", "/data/attributes/profiles")
        self._lists(data, account)
        rules = Rules(nulls=False, settings=settings)
        found: list[Problem] = []
        for number, row in enumerate(rows):
            found += bodies.problems(row, rules, f"{_ROWS}/{number}")
            if found and settings.named_rows == "first":
                raise Refusal(answers.refused(400, found[0]))
        if found:
            raise Refusal(answers.refused(400, *found))

    def _lists(self, data: Mapping[str, Any], account: Account) -> tuple[str, ...]:
        """The lists that the job names; anywhere else they are passed over."""
        relationships = data.get("relationships")
        if relationships is None:
            return ()
        lists = relationships.get("lists") if type(relationships) is dict else None
        if type(lists) is not dict or "data" not in lists:
            raise refuse("Only lists can be related to an import.", "/data/relationships")
        if lists["data"] == []:
            return ()
        ids = bodies.identifiers(lists["data"], "list", None, _LIST)
        if len(ids) > 1 and self._desk.settings.many_lists == "refused":
            raise refuse("Only one list is supported.", _LIST)
        for number, each in enumerate(ids):
            if each not in account.lists:
                raise Refusal(answers.refused(400, invalid(f"List {each} does not exist.", f"{_LIST}/{number}/id")))
        return tuple(ids)

    def _accept(self, account: Account, rows: Sequence[Mapping[str, Any]], lists: tuple[str, ...]) -> Job:
        settings, now = self._desk.settings, self._desk.clock.epoch()
        waiting = settings.next_job_statuses
        end = waiting[0] if waiting else "complete"
        self._desk.settings.next_job_statuses = waiting[1:]
        mine = frozenset(key for row in rows if (key := _key(row)) is not None)
        others = frozenset(key for job in account.open_jobs(now) for key in job.identifiers & mine)
        starts = now + settings.queued_seconds
        job = Job(
            number=next(self._numbers),
            account=account.id,
            list_ids=lists,
            total=len(rows),
            created=now,
            starts=starts,
            ends=starts + settings.job_seconds,
            expires=now + settings.job_kept_seconds,
            end_status=end,
            packed=zlib.compress(orjson.dumps(rows), 1),
            identifiers=mine,
            dropped=others if settings.same_person == "dropped" else frozenset(),
        )
        account.jobs[job.id] = job
        return job

    def _one(self, call: Call) -> Answer:
        chosen = query.read(call, _ONE, self._desk.settings.longest)
        job, now = self._job(call), self._desk.clock.epoch()
        body: dict[str, Any] = {"data": query.cut(shapes.job(job, now, self._desk.settings), chosen.fields.get(_KIND))}
        if "lists" in chosen.includes:
            lists = self._desk.of(call).lists
            found = [shapes.mailing_list(lists[each]) for each in job.list_ids if each in lists]
            body["included"] = [query.cut(each, chosen.fields.get("list")) for each in found]
        return document({**body, "links": {"self": body["data"]["links"]["self"]}})

    def _many(self, call: Call) -> Answer:
        chosen = query.read(call, _MANY, self._desk.settings.longest)
        now = self._desk.clock.epoch()
        for condition in chosen.filters:
            if not set(condition.values) <= set(_STATUSES):
                raise answers.refuse_parameter("filter", "Invalid filter provided: no such status.")
        jobs = [
            job
            for job in self._desk.of(call).jobs.values()
            if now < job.expires and all(query.holds(each, job.status(now)) for each in chosen.filters)
        ]
        shown, links = page(call, chosen, jobs, lambda job: (job.number,))
        data = [query.cut(shapes.job(job, now, self._desk.settings), chosen.fields.get(_KIND)) for job in shown]
        return document({"data": data, "links": links})

    def _profiles(self, call: Call) -> Answer:
        chosen = query.read(call, _PEOPLE, self._desk.settings.longest)
        found = sorted({each for each in self._job(call).profiles if not each.gone}, key=lambda each: each.number)
        shown, links = page(call, chosen, found, lambda each: (each.number,))
        data = [shapes.chosen_profile(one, chosen) for one in shown]
        return document({"data": data, "links": links})

    def _profile_ids(self, call: Call) -> Answer:
        chosen = query.read(call, _IDS, self._desk.settings.longest)
        found = sorted({each for each in self._job(call).profiles if not each.gone}, key=lambda each: each.number)
        shown, links = page(call, chosen, found, lambda each: (each.number,))
        return document({"data": [shapes.identifier("profile", each.id) for each in shown], "links": links})

    def _errors(self, call: Call) -> Answer:
        chosen = query.read(call, _ERRORS, self._desk.settings.longest)
        job = self._job(call)
        shown, links = page(call, chosen, job.errors, lambda each: (each.row,))
        data = [
            query.cut(shapes.import_error(each, self._desk.settings), chosen.fields.get("import-error"))
            for each in shown
        ]
        return document({"data": data, "links": links})

    def _job(self, call: Call) -> Job:
        job = self._desk.of(call).jobs.get(call.parameters["id"])
        if job is None or self._desk.clock.epoch() >= job.expires:
            raise Refusal(answers.not_found(f"A bulk import job with id {call.parameters['id']}"))
        return job


def settle(account: Account, settings: Settings, now: float) -> None:
    """Carry out what has ended by `now`, the earliest first; who looks sees everything that is due."""
    due = [job for job in account.jobs.values() if not job.done and job.ends <= now and not job.is_open(now)]
    for job in sorted(due, key=lambda job: job.ends):
        _carry_out(account, job, settings)


def _carry_out(account: Account, job: Job, settings: Settings) -> None:
    rows = list(enumerate(orjson.loads(zlib.decompress(job.packed))))
    job.packed, job.done = b"", True
    random.Random(job.number).shuffle(rows)  # no order is promised, so nobody may come to rely on one
    if job.end_status != "complete":
        written = {"half": len(rows) // 2, "nothing": 0, "all": len(rows)}
        rows = rows[: written[settings.cancelled_writes]]
    seen = set(job.dropped)
    for number, row in rows:
        key = _key(row)
        if key is not None and key in seen:
            account.counts.dropped_rows += 1
            continue
        if key is not None and settings.same_person == "dropped":
            seen.add(key)
        _write(account, job, number, row, settings)
    job.errors.sort(key=lambda each: each.row)
    job.identifiers = frozenset()


def _write(account: Account, job: Job, number: int, row: Mapping[str, Any], settings: Settings) -> None:
    if (detail := _refusal(row, settings)) is not None:
        job.errors.append(RowError(number, "invalid", "Invalid input", detail, row["attributes"]))
        return
    attributes = {name: value for name, value in row["attributes"].items() if value is not None}
    unset = bodies.unset_names(row) if settings.bulk_unset == "honoured" else ()
    try:
        profile, _ = upsert(account, {**row, "attributes": attributes}, job.ends, unset)
    except ConflictError:
        detail = "A profile already exists with one of these identifiers."
        job.errors.append(RowError(number, "invalid", "Invalid input", detail, row["attributes"]))
        return
    except NobodyError:
        detail = "A profile must have at least one identifier."
        job.errors.append(RowError(number, "invalid", "Invalid input", detail, row["attributes"]))
        return
    job.profiles.append(profile)
    for list_id in job.list_ids:
        if (mailing_list := account.lists.get(list_id)) is not None:
            account.add(mailing_list, profile, job.ends)


def _refusal(row: Mapping[str, Any], settings: Settings) -> str | None:
    """Why a row fails that the request was not refused for."""
    if len(orjson.dumps(row)) > settings.most_row_bytes:
        return "The profile is too large."
    rules = Rules(nulls=False, settings=settings)
    for name in ("email", "phone_number"):
        value = row["attributes"].get(name)
        if type(value) is str and (detail := bodies.wrong_identifier(name, value, rules)) is not None:
            return detail
    return None


def _key(row: Mapping[str, Any]) -> str | None:
    """What tells that two rows are about the same person."""
    given = named(row["attributes"])
    return next((f"{name}:{given[name]}" for name in IDENTIFIERS if given.get(name)), None)
