"""Mailchimp's data centres, keys and roles around its endpoints (contract section 1)."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from starlette.routing import compile_path

from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.mailchimp import answers, audiences, batches, content, oauth
from dev.simulators.mailchimp.account import Account
from dev.simulators.mailchimp.audiences import Audiences
from dev.simulators.mailchimp.batches import Batches
from dev.simulators.mailchimp.bulk import Bulk
from dev.simulators.mailchimp.members import Members
from dev.simulators.mailchimp.segments import Segments
from dev.simulators.mailchimp.settings import ACCOUNT, Key, Settings

_PREFIX = re.compile(r"/([a-z]{2}\d{1,3}|login)(?=/)")
_HOST = re.compile(r"([a-z]{2}\d{1,3})\.api\.mailchimp\.com")
_VERSION = "/3.0"
_RESULTS = "/results/{name}"
_OPEN = (oauth.AUTHORIZE, oauth.TOKEN, oauth.METADATA, _RESULTS)


class Mailchimp(vendor.Vendor[Settings]):
    """`account()` is the state; `settings` may be replaced or changed at any time.

    One simulator is all hosts: https://us6.api.mailchimp.com is served at /us6, https://login.mailchimp.com at /login.
    """

    name = "mailchimp"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        members = Members(self)
        groups = (Audiences(self), members, Bulk(self), Segments(self, members), Batches(self))
        self._api = [
            Endpoint("GET", "/ping", audiences.ping),
            Endpoint("GET", "/", self._root),
            *(endpoint for group in groups for endpoint in group.endpoints()),
        ]
        self._patterns = [(compile_path(each.path)[0], each) for each in self._api]
        self.clear()

    def clear(self) -> None:
        self._accounts: dict[str, Account] = {}
        self.oauth = oauth.Desk()

    def account(self, account_id: str = ACCOUNT) -> Account:
        """The account of that id, with everything done that is due; it comes into being when first asked for."""
        now = self.clock.epoch()
        if account_id not in self._accounts:
            number = 0 if account_id == ACCOUNT else 1 + len(self._accounts.keys() - {ACCOUNT})
            self._accounts[account_id] = Account(account_id, number, now)
        account = self._accounts[account_id]
        batches.schedule(account, self, now)
        return account

    def of(self, call: Call) -> Account:
        return self.account(call.account)

    def endpoints(self) -> Sequence[Endpoint]:
        told = [replace(endpoint, work=partial(self._told, endpoint)) for endpoint in self._api]
        return [
            *told,
            Endpoint("GET", oauth.AUTHORIZE, lambda call: self.oauth.authorize(call, self.settings)),
            Endpoint("POST", oauth.TOKEN, lambda call: self.oauth.exchange(call, self.settings)),
            Endpoint("GET", oauth.METADATA, lambda call: self.oauth.metadata(call, self.settings)),
            Endpoint("GET", _RESULTS, self._results),
        ]

    def route(self, path: str) -> str:
        """Without data centre and version; what is under neither is nowhere."""
        rest = _PREFIX.sub("", path, count=1)
        if rest == _VERSION or rest.startswith(f"{_VERSION}/"):
            return rest.removeprefix(_VERSION).rstrip("/") or "/"
        return rest if rest.startswith(("/oauth2/", "/results/")) else f"/nowhere{rest}"

    def authenticate(self, call: Call) -> str | Answer:
        if call.endpoint.partition(" ")[2] in _OPEN:
            return ""
        if call.headers.get("x-trigger-error") == "APIKeyMissing" or "authorization" not in call.headers:
            return self._with_id(answers.missing_key())
        key = self._key(call)
        if key is None:
            return self._with_id(answers.wrong_key())
        if (called := _data_centre(call)) is not None and called != key.data_centre:
            return self._with_id(answers.wrong_data_centre(key.data_centre))
        if key.disabled:
            return self._with_id(answers.disabled())
        if call.method != "GET" and key.role not in self.settings.writing_roles:
            return self._with_id(answers.role_forbids())
        return key.account

    def _key(self, call: Call) -> Key | None:
        """Keys and tokens are taken alike, as Basic's password under any name and as Bearer."""
        scheme, _, rest = call.headers.get("authorization", "").partition(" ")
        secret = rest.strip() if scheme.lower() == "bearer" else _password(rest) if scheme.lower() == "basic" else ""
        return self.settings.keys.get(secret) or self.settings.tokens.get(secret)

    def _told(self, endpoint: Endpoint, call: Call) -> Answer:
        if len(call.body) > self.settings.most_bytes:
            return self._with_id(answers.too_large())
        try:
            return self._with_id(endpoint.work(call))
        except Refusal as refusal:
            return self._with_id(refusal.answer)

    def _with_id(self, answer: Answer) -> Answer:
        return answer.with_header("x-request-id", str(uuid.uuid4()))

    def perform(self, call: Call) -> Answer:
        """An operation of a batch."""
        key = self._key(call)
        if key is None:
            return answers.wrong_key()
        for pattern, endpoint in self._patterns:
            match = pattern.match(call.path)
            if match is not None and endpoint.method == call.method:
                known = replace(call, endpoint=endpoint.name, parameters=match.groupdict(), account=key.account)
                try:
                    return endpoint.work(known)
                except Refusal as refusal:
                    return refusal.answer
        return answers.not_found()

    def _root(self, call: Call) -> Answer:
        return audiences.root(call, self.of(call), self._key(call) or Key())

    def _results(self, call: Call) -> Answer:
        accounts = [self.account(each) for each in list(self._accounts)]
        return batches.results(call, accounts, self.clock.epoch())

    def not_found(self, call: Call) -> Answer:
        path = self.route(call.path)
        others = any(pattern.match(path) for pattern, _ in self._patterns)
        return answers.method_not_allowed() if others else answers.not_found()

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return answers.too_many_connections()

    def error(self, status: int) -> Answer:
        return answers.own_failure(status)

    def state(self, account: str | None) -> dict[str, Any]:
        shown = self.account(account or ACCOUNT)
        told = {"vendor": self.name, "account": shown.id, "token_exchanges": self.oauth.exchanges}
        return {**told, **content.state(shown, self.clock.epoch())}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        """Everybody who has the tag, whatever their status."""
        for account_id in list(self._accounts):
            for audience in self.account(account_id).audiences.values():
                if (segment := audience.segments.get(int(target))) is not None:
                    return map(content.member, list(segment.members))
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        wanted = content.Content.model_validate(given)
        return content.load(self.account(wanted.account or ACCOUNT), wanted, self.settings, self.clock.epoch())


def _data_centre(call: Call) -> str | None:
    """The one that was called; None on the host that is every account's."""
    found = _PREFIX.match(call.path) or _HOST.match(call.headers.get("host", ""))
    return found[1] if found else None


def _password(token: str) -> str:
    try:
        return base64.b64decode(token.strip(), validate=True).decode().partition(":")[2]
    except (binascii.Error, UnicodeDecodeError):
        return ""
