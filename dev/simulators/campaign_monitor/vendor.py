"""Campaign Monitor's endpoints."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from dev.simulators.campaign_monitor import answers, content, oauth
from dev.simulators.campaign_monitor.access import account_of
from dev.simulators.campaign_monitor.accounts import Accounts
from dev.simulators.campaign_monitor.clients import Client
from dev.simulators.campaign_monitor.list_calls import BASE, ListCalls
from dev.simulators.campaign_monitor.settings import CLIENT, Settings
from dev.simulators.campaign_monitor.subscriber_calls import SubscriberCalls
from dev.simulators.common import vendor
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Endpoint

_OPEN = "oauth"  # the account that calls for tokens are counted under


class CampaignMonitor(vendor.Vendor[Settings]):
    """`client()` is the state; `settings` may be replaced or changed at any time."""

    name = "campaign-monitor"

    def __init__(self, settings: Settings | None = None, clock: Clock | None = None) -> None:
        self.settings = settings or Settings()
        self.clock = clock or Clock()
        self.accounts = Accounts(lambda: self.settings, self.clock)
        calls = [*ListCalls(self.accounts).table(), *SubscriberCalls(self.accounts).table()]
        self._open = [
            Endpoint("GET", "/oauth", self._authorise),
            Endpoint("POST", "/oauth", self._authorise),
            Endpoint("POST", "/oauth/token", self._token),
        ]
        self._endpoints = [endpoint for endpoint, _ in calls]
        self._needed = {endpoint.name: permission for endpoint, permission in calls if permission}

    def clear(self) -> None:
        self.accounts.clear()

    def client(self, client_id: str = CLIENT) -> Client:
        """What the client of that id holds. Raises `ValueError` when there is none."""
        self.accounts.catch_up()
        return self.accounts.client(client_id)

    def endpoints(self) -> Sequence[Endpoint]:
        return [*self._open, *self._endpoints]

    def authenticate(self, call: Call) -> str | Answer:
        self.accounts.catch_up()
        if any(call.endpoint == endpoint.name for endpoint in self._open):
            return _OPEN
        return account_of(call, self.settings, self.accounts.tokens, self._needed, self.accounts.now)

    def not_found(self, call: Call) -> Answer:
        if call.path.startswith(BASE) and not call.path.endswith(".json"):
            return answers.not_json()
        return answers.empty(404)

    def rate_limited(self, endpoint: str, account: str) -> Answer:
        return answers.refused(429)

    def told_to_wait(self, limited: Answer, seconds: int) -> Answer:
        if self.settings.wait_header == "retry-after":
            return super().told_to_wait(limited, seconds)
        return limited.with_header("x-ratelimit-remaining", "0").with_header("x-ratelimit-reset", str(seconds))

    def error(self, status: int) -> Answer:
        return answers.own_failure(status)

    def state(self, account: str | None) -> dict[str, Any]:
        client = self.client(account or CLIENT)
        return {"vendor": self.name, "account": client.id, **content.state(client, self.accounts)}

    def members(self, target: str) -> Iterator[dict[str, Any]]:
        self.accounts.catch_up()
        for client in self.accounts.every():
            if mailing_list := client.lists.get(target):
                active = [each for each in mailing_list.subscribers.values() if each.state == "Active"]
                return (content.member(client, mailing_list, each) for each in active)
        raise KeyError(target)

    def load(self, given: Any) -> dict[str, Any]:
        return content.load(self.accounts, content.Content.model_validate(given))

    def _authorise(self, call: Call) -> Answer:
        return oauth.authorise(self.accounts.tokens, self.settings, self.clock, call)

    def _token(self, call: Call) -> Answer:
        return oauth.token(self.accounts.tokens, self.settings, self.clock, call)
