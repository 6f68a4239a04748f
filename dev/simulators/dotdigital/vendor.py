"""Dotdigital's regions, credentials and rates around its endpoints (contract sections 1 and 9)."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.dotdigital import answers, content
from dev.simulators.dotdigital.account import Account
from dev.simulators.dotdigital.account_calls import ACCOUNT_INFO, AccountCalls
from dev.simulators.dotdigital.contact_calls import ContactCalls
from dev.simulators.dotdigital.list_calls import ListCalls
from dev.simulators.dotdigital.rates import Meter
from dev.simulators.dotdigital.settings import ACCOUNT, Settings
from dev.simulators.dotdigital.suppressions import SuppressionCalls

_FIRST_LIST = 345579
_FIRST_CONTACT = 35212311

_PREFIX = re.compile(r"/(r[123])(?=/)")
_HOST = re.compile(r"(r[123])-api\.")
_HOME_REGION = "r1"  # where a call goes that names none, and where anybody may ask for account-info


class Dotdigital(vendor.Vendor[Settings]):
    """`account()` is the state; `settings` may be replaced or changed at any time.

    One simulator is all three regional hosts: https://r2-api.dotdigital.com is served at /r2.
    """

    name = "dotdigital"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self._meter = Meter(self.clock)
        self._groups = (AccountCalls(self, self._meter), ListCalls(self), ContactCalls(self), SuppressionCalls(self))
        self.clear()

    def clear(self) -> None:
        self._meter.clear()
        self._accounts: dict[int, Account] = {}
        self._list_ids = count(_FIRST_LIST)
        self._contact_ids = count(_FIRST_CONTACT)

    def account(self, number: int = ACCOUNT) -> Account:
        """The account of that number, in the region of its API users; it comes into being when first asked for.
        Jobs whose time has come are ended.
        """
        if number not in self._accounts:
            region = next((user.region for user in self.settings.users.values() if user.account == number), "r1")
            self._accounts[number] = Account(number, region, self._list_ids, self._contact_ids)
        account = self._accounts[number]
        account.jobs.settle(self.settings, self.clock.monotonic())
        return account

    def of(self, call: Call) -> Account:
        """The account that the call's credentials belong to."""
        return self.account(int(call.account))

    def endpoints(self) -> Sequence[Endpoint]:
        every = [endpoint for group in self._groups for endpoint in group.endpoints()]
        return [replace(endpoint, work=partial(self._metered, endpoint)) for endpoint in every]

    def route(self, path: str) -> str:
        """Without the region; and without a slash at the end, which the vendor's own PHP library sends."""
        return _PREFIX.sub("", path, count=1).rstrip("/") if path != "/" else path

    def authenticate(self, call: Call) -> str | Answer:
        name, secret = _credentials(call.headers.get("authorization", ""))
        user = self.settings.users.get(name)
        if user is None or user.password != secret:
            return answers.unauthorized(_is_v3(call))
        region = _region(call)
        if region != user.region and not (region == _HOME_REGION and call.endpoint == f"GET {ACCOUNT_INFO}"):
            return answers.forbidden(self.settings.forbidden_body)
        return str(user.account)

    def not_found(self, call: Call) -> Answer:
        return answers.no_such_path(_is_v3(call))

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return self._meter.refusal(account, endpoint, self.settings)

    def error(self, status: int) -> Answer:
        return answers.own_failure(status)

    def state(self, account: str | None) -> dict[str, Any]:
        shown = self.account(int(account) if account else ACCOUNT)
        return {"vendor": self.name, "account": str(shown.id), **content.state(shown)}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        for number in list(self._accounts):
            account = self.account(number)
            if (mailing_list := account.lists.get(int(target))) is not None:
                return (content.member(account, mailing_list, each) for each in list(mailing_list.members))
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        wanted = content.Content.model_validate(given)
        return content.load(self.account(wanted.account or ACCOUNT), wanted, self.clock.epoch())

    def _metered(self, endpoint: Endpoint, call: Call) -> Answer:
        refusal = self._meter.take(call.account, endpoint.name, self.settings)
        if refusal is not None:
            return refusal
        try:
            answer = endpoint.work(call)
        except Refusal as stopped:
            answer = stopped.answer
        return self._meter.told(answer, call.account, endpoint.name, self.settings)


def _credentials(header: str) -> tuple[str, str]:
    """Name and password of a Basic authorization; empty where it is none."""
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        name, _, secret = base64.b64decode(token, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return name, secret


def _region(call: Call) -> str:
    found = _PREFIX.match(call.path) or _HOST.match(call.headers.get("host", ""))
    return found[1] if found else _HOME_REGION


def _is_v3(call: Call) -> bool:
    return "/contacts/v3" in call.path
