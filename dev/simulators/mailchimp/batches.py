"""Many operations in one call, carried out later, in no promised order (contract section 4d)."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Sequence
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.mailchimp import answers, bodies, queries, shapes
from dev.simulators.mailchimp.account import Account, Desk
from dev.simulators.mailchimp.answers import invalid, nothing, shown
from dev.simulators.mailchimp.jobs import Batch, packed

MANY = "/batches"
_MEMBER = re.compile(r"/lists/([^/]+)/members/([0-9a-f]{32})(?:\?|$)")


class Batches:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._numbers = count(0x8B2428D747)

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", MANY, self._many),
            Endpoint("POST", MANY, self._create),
            Endpoint("GET", f"{MANY}/{{batch_id}}", self._one),
            Endpoint("DELETE", f"{MANY}/{{batch_id}}", self._delete),
        ]

    def _create(self, call: Call) -> Answer:
        settings, account, now = self._desk.settings, self._desk.of(call), self._desk.clock.epoch()
        body = bodies.read(call, bodies.OPERATIONS, account.counts.ignored_keys)
        errors = [
            error
            for number, each in enumerate(body["operations"])
            for error in bodies.wrong(each, bodies.OPERATION, account.counts.ignored_keys, f"operations.{number}.")
        ]
        if errors:
            return invalid(*errors)
        if sum(each.status(now) == "pending" for each in account.batches.values()) >= settings.most_pending:
            return answers.too_many_batches(settings.most_pending)
        operations, key = body["operations"], call.headers.get("authorization", "")
        made = Batch(f"{next(self._numbers):010x}", key, now, operations, len(operations))
        account.batches[made.id] = made
        schedule(account, self._desk, now)
        return shown(made.shown(now, ""), rows=len(operations), touched=_people(account, operations))

    def _batch(self, call: Call) -> Batch:
        found = self._desk.of(call).batches.get(call.parameters["batch_id"])
        if found is None or self._is_old(found):
            raise Refusal(answers.not_found())
        return found

    def _is_old(self, batch: Batch) -> bool:
        return self._desk.clock.epoch() >= batch.submitted + self._desk.settings.batch_kept_seconds

    def _one(self, call: Call) -> Answer:
        return shown(queries.cut(call, self._shown(self._batch(call), call), shapes.ONE_BATCH))

    def _many(self, call: Call) -> Answer:
        found = [each for each in self._desk.of(call).batches.values() if not self._is_old(each)]
        page = queries.page(call, found, self._desk.settings.most_count)
        body = {"batches": [self._shown(each, call) for each in page], "total_items": len(found), "_links": []}
        return shown(queries.cut(call, body, shapes.BATCHES))

    def _shown(self, batch: Batch, call: Call) -> dict[str, Any]:
        """Whoever looks at a finished batch gets a new address of its results, good for some minutes."""
        settings, now = self._desk.settings, self._desk.clock.epoch()
        if not batch.done:
            return batch.shown(now, "")
        secret = secrets.token_urlsafe(16)
        batch.secrets[secret] = now + settings.results_seconds
        host = settings.results_host or f"http://{call.headers.get('host', '')}"
        return batch.shown(now, f"{host}/results/{batch.id}-response.tar.gz?Signature={secret}")

    def _delete(self, call: Call) -> Answer:
        account = self._desk.of(call)
        del account.batches[self._batch(call).id]
        account.counts.batches_deleted += 1
        return nothing()


def _people(account: Account, operations: Sequence[dict[str, Any]]) -> list[str]:
    """Addresses of the members that a batch is about."""
    places = (_MEMBER.match(each["path"]) for each in operations)
    known = ((account.audiences.get(place[1]), place[2]) for place in places if place)
    members = (audience.members.get(member) for audience, member in known if audience is not None)
    return [each.email.lower() for each in members if each is not None]


def results(call: Call, accounts: Sequence[Account], now: float) -> Answer:
    """The archive; object storage, so it has no key, and an Authorization beside the signature is refused."""
    batch_id = call.parameters["name"].partition("-")[0]
    for account in accounts:
        batch = account.batches.get(batch_id)
        if batch is None:
            continue
        if "authorization" in call.headers:
            account.counts.results_with_key += 1
            return _xml(400, "InvalidArgument")
        until = batch.secrets.get(call.query.get("Signature", ""))
        if until is None or now >= until:
            return _xml(403, "AccessDenied")
        return Answer(200, batch.archive, "application/x-gzip")
    return _xml(404, "NoSuchKey")


def _xml(status: int, code: str) -> Answer:
    return Answer(status, f"<Error><Code>{code}</Code></Error>".encode(), "application/xml")


def schedule(account: Account, desk: Desk, now: float) -> None:
    """Give batches that wait their moments, and carry out what has ended by `now`."""
    settings = desk.settings
    while True:
        batches = list(account.batches.values())
        for batch in batches:
            if batch.starts is not None and batch.ends is not None and not batch.done and batch.ends <= now:
                _carry_out(batch, desk)
        waiting = [each for each in batches if each.starts is None]
        running = [each.ends or now for each in batches if each.starts is not None and not each.done]
        if not waiting or (settings.batches_at_once is not None and len(running) >= settings.batches_at_once):
            return
        free = max([each.ends or 0.0 for each in batches if each.done], default=0.0)
        batch = waiting[0]
        after = max(batch.submitted, free if settings.batches_at_once == 1 else 0.0)
        batch.starts = after + settings.batch_pending_seconds
        batch.ends = batch.starts + settings.batch_seconds


def _carry_out(batch: Batch, desk: Desk) -> None:
    batch.done = True
    settings = desk.settings
    order = list(enumerate(batch.operations, 1))
    random.Random(batch.id).shuffle(order)  # no order is promised, so nobody may come to rely on one
    told = []
    for number, operation in order:
        every = settings.fail_operations_every
        if every is not None and number % every == 0:
            answer = answers.own_failure(settings.fail_operations_status)
        else:
            answer = desk.perform(_call(operation, batch, all_params=settings.batch_params == "all"))
        batch.errored += answer.status >= 400
        result = {"status_code": answer.status, "response": answer.body.decode()}
        told.append({**result, "operation_id": operation.get("operation_id")})
    batch.archive = packed(told, settings.results_per_file)
    batch.operations = []


def _call(operation: dict[str, Any], batch: Batch, all_params: bool) -> Call:
    path, _, inline = operation["path"].partition("?")
    query = dict(parse_qsl(inline, keep_blank_values=True))
    if operation["method"] == "GET" or all_params:
        query |= dict(parse_qsl(urlencode(operation.get("params", {})), keep_blank_values=True))
    body = operation.get("body", "").encode()
    headers = {"authorization": batch.key, "content-type": "application/json"}
    return Call(operation["method"], path, "", query=query, headers=headers, body=body)
