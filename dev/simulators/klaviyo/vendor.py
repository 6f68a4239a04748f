"""Klaviyo's keys, revisions, scopes and rates around its endpoints (contract sections 1 and 8)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from itertools import count
from typing import Any

from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.klaviyo import answers, content, query
from dev.simulators.klaviyo.account import Account
from dev.simulators.klaviyo.answers import HOST, Problem, document
from dev.simulators.klaviyo.jobs import Jobs, settle
from dev.simulators.klaviyo.lists import Lists
from dev.simulators.klaviyo.paging import links
from dev.simulators.klaviyo.profiles import Profiles
from dev.simulators.klaviyo.query import Known
from dev.simulators.klaviyo.rates import Meter
from dev.simulators.klaviyo.settings import ACCOUNT, Key, Scope, Settings

_KEY, _BEARER = "Klaviyo-API-Key ", "Bearer "
_JOBS = "/api/profile-bulk-import-jobs"
_ON_LIST = "/api/lists/{id}/relationships/profiles"

# Contract sections 1 to 6; an endpoint that is not here wants what its method says of lists.
_SCOPES: Mapping[str, tuple[Scope, ...]] = {
    "GET /api/accounts": ("accounts:read",),
    "GET /api/lists/{id}/profiles": ("lists:read", "profiles:read"),
    f"GET {_ON_LIST}": ("lists:read", "profiles:read"),
    f"POST {_ON_LIST}": ("lists:write", "profiles:write"),
    f"DELETE {_ON_LIST}": ("lists:write", "profiles:write"),
    "GET /api/lists/{id}/flow-triggers": ("flows:read", "lists:read"),
    "GET /api/profiles": ("profiles:read",),
    "GET /api/profiles/{id}": ("profiles:read",),
    "PATCH /api/profiles/{id}": ("profiles:write",),
    "POST /api/profile-import": ("profiles:write",),
    "GET /api/profiles/{id}/relationships/lists": ("lists:read", "profiles:read"),
    f"GET {_JOBS}": ("lists:read", "profiles:read"),
    f"POST {_JOBS}": ("lists:write", "profiles:write"),
    f"GET {_JOBS}/{{id}}": ("lists:read", "profiles:read"),
    f"GET {_JOBS}/{{id}}/profiles": ("profiles:read",),
    f"GET {_JOBS}/{{id}}/relationships/profiles": ("profiles:read",),
    f"GET {_JOBS}/{{id}}/import-errors": ("profiles:read",),
}

# What touches consent or takes people away (contract section 5); no key of the simulator may, so all answer 403.
_FORBIDDEN = {
    "/api/profile-subscription-bulk-create-jobs": "subscriptions:write",
    "/api/profile-subscription-bulk-delete-jobs": "subscriptions:write",
    "/api/profile-suppression-bulk-create-jobs": "subscriptions:write",
    "/api/profile-suppression-bulk-delete-jobs": "subscriptions:write",
    "/api/data-privacy-deletion-jobs": "data-privacy:write",
    "/api/profile-merge": "profiles:write",
}


class Klaviyo(vendor.Vendor[Settings]):
    """`account()` is the state; `settings` may be replaced or changed at any time."""

    name = "klaviyo"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self._meter = Meter(self.clock)
        self.clear()

    def clear(self) -> None:
        self._meter.clear()
        self._accounts: dict[str, Account] = {}
        self._list_numbers = count(1)  # no two accounts have a list of the same id

    def account(self, account_id: str = ACCOUNT) -> Account:
        """The account of that id, with everything done that is due; it comes into being when first asked for."""
        if account_id not in self._accounts:
            self._accounts[account_id] = Account(account_id, self._list_numbers)
        account = self._accounts[account_id]
        settle(account, self.settings, self.clock.epoch())
        return account

    def of(self, call: Call) -> Account:
        return self.account(call.account)

    def endpoints(self) -> Sequence[Endpoint]:
        forbidden = [Endpoint("POST", path, partial(self._forbidden, scope)) for path, scope in _FORBIDDEN.items()]
        groups = (Lists(self), Profiles(self), Jobs(self))
        every = [Endpoint("GET", "/api/accounts", self._shown_account), *forbidden]
        every += [endpoint for group in groups for endpoint in group.endpoints()]
        return [replace(endpoint, work=partial(self._metered, endpoint)) for endpoint in every]

    def route(self, path: str) -> str:
        """Paths with a slash at the end are in use too."""
        return path.rstrip("/") if path != "/" else path

    def authenticate(self, call: Call) -> str | Answer:
        key = self._key(call.headers.get("authorization", ""))
        if isinstance(key, Answer):
            return self._headed(key, call)
        if (refused := self._check_revision(call)) is not None:
            return self._headed(refused, replace(call, account=key.account))
        missing = [scope for scope in self._scopes(call) if scope not in key.scopes]
        if missing:
            return self._headed(answers.no_scope(missing[0]), replace(call, account=key.account))
        return key.account

    def _key(self, given: str) -> Key | Answer:
        for scheme, keys in ((_KEY, self.settings.keys), (_BEARER, self.settings.tokens)):
            if given.startswith(scheme):
                return keys.get(given.removeprefix(scheme)) or answers.wrong_key()
        return answers.no_scheme()

    def _check_revision(self, call: Call) -> Answer | None:
        """A retired revision is served by another one, unless the caller asked not to fall forward."""
        given = call.headers.get("revision")
        known = self.settings.revisions.get(given or "")
        if known == "current":
            return None
        if known == "retired":
            opted = call.headers.get("x-klaviyo-revision-fall-forward-opt-out")
            return answers.retired(given or "") if opted else None
        detail = "The revision header is required." if given is None else f"Invalid revision: {given}"
        return answers.refused(400, Problem("invalid", "Invalid input.", detail, {"parameter": "revision"}))

    def _scopes(self, call: Call) -> tuple[Scope, ...]:
        if call.path.rstrip("/") in _FORBIDDEN:
            return ()
        return _SCOPES.get(call.endpoint, ("lists:read",) if call.method == "GET" else ("lists:write",))

    def _headed(self, answer: Answer, call: Call) -> Answer:
        """What every answer carries: the revision that served, the request's id, and the account."""
        given = call.headers.get("revision", "")
        current = [name for name, state in self.settings.revisions.items() if state == "current"]
        served = given if given in current else max(current, default=given)
        answer = answer.with_header("x-klaviyo-api-revision", served)
        answer = answer.with_header("x-klaviyo-req-id", str(uuid.uuid4()))
        return answer.with_header("cid", call.account) if call.account else answer

    def _metered(self, endpoint: Endpoint, call: Call) -> Answer:
        answer = self._meter.take(call, self.settings)
        if answer is None:
            try:
                answer = endpoint.work(call)
            except Refusal as refusal:
                answer = refusal.answer
        return self._headed(self._meter.told(answer, call, self.settings), call)

    def _forbidden(self, scope: str, call: Call) -> Answer:
        self.of(call).counts.forbidden_calls += 1
        return answers.no_scope(scope)

    def _shown_account(self, call: Call) -> Answer:
        """Contract section 1: the check of a key, and the account's identity."""
        fields = ("test_account", "contact_information", "industry", "timezone", "preferred_currency")
        known = Known(fields={"account": (*fields, "public_api_key", "locale", "id")})
        chosen = query.read(call, known, self.settings.longest)
        shown = {
            "type": "account",
            "id": call.account,
            "attributes": {
                "test_account": False,
                "contact_information": {
                    "default_sender_name": "Contoso Coffee",
                    "default_sender_email": "hello@contoso.example",
                    "website_url": None,
                    "organization_name": "Contoso Coffee",
                    "street_address": {"address1": None, "city": "London", "country": "GB", "zip": None},
                },
                "industry": None,
                "timezone": "Europe/London",
                "preferred_currency": "GBP",
                "public_api_key": call.account,
                "locale": "en-GB",
            },
            "links": {"self": f"{HOST}/api/accounts/{call.account}/"},
        }
        return document({"data": [query.cut(shown, chosen.fields.get("account"))], "links": links(call)})

    def not_found(self, call: Call) -> Answer:
        return self._headed(answers.not_found("The path"), call)

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return answers.throttled(1)

    def error(self, status: int) -> Answer:
        return answers.own_failure(status)

    def state(self, account: str | None) -> dict[str, Any]:
        shown = self.account(account or ACCOUNT)
        return {"vendor": self.name, "account": shown.id, **content.state(shown, self.clock.epoch())}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        for account_id in list(self._accounts):
            if (mailing_list := self.account(account_id).lists.get(target)) is not None:
                return map(content.member, list(mailing_list.members))
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        wanted = content.Content.model_validate(given)
        return content.load(self.account(wanted.account or ACCOUNT), wanted, self.settings, self.clock.epoch())
