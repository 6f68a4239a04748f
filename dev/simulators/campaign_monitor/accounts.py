"""All clients, who may see which, and what is still on its way into a list."""

from __future__ import annotations

from collections.abc import Callable
from itertools import count

from dev.simulators.campaign_monitor import answers
from dev.simulators.campaign_monitor.clients import Client, MailingList
from dev.simulators.campaign_monitor.oauth import Tokens
from dev.simulators.campaign_monitor.settings import Settings
from dev.simulators.common.clock import Clock
from dev.simulators.common.vendor import Answer, Call, Refusal
from dev.simulators.common.windows import Windows

_UNKNOWN_LIST: dict[str, Callable[[], Answer]] = {
    "401_101": lambda: answers.refused(101),
    "400_101": lambda: answers.envelope(400, 101, answers.message(101)),
    "404_empty": lambda: answers.empty(404),
}


class Accounts:
    """The simulator's state. `settings` is asked for anew at every call, since it may be replaced."""

    def __init__(self, settings: Callable[[], Settings], clock: Clock) -> None:
        self._settings = settings
        self.clock = clock
        self.clear()

    def clear(self) -> None:
        self._list_numbers = count(1)
        self._clients: dict[str, Client] = {}
        self._queued: list[tuple[float, Callable[[], None]]] = []
        self.tokens = Tokens(self.settings, self.now)
        self.hammered = Windows(self.clock)

    @property
    def settings(self) -> Settings:
        return self._settings()

    @property
    def now(self) -> float:
        """Epoch seconds."""
        return self.clock.epoch()

    def later(self, seconds: float, work: Callable[[], None]) -> None:
        """Do `work` when `seconds` have passed, or rather at the first look after that."""
        self._queued.append((self.clock.monotonic() + seconds, work))

    def catch_up(self) -> None:
        """Do what has fallen due by now. Call it before looking at any list."""
        now = self.clock.monotonic()
        due = [work for moment, work in self._queued if moment <= now]
        self._queued = [each for each in self._queued if each[0] > now]
        for work in due:
            work()

    def client(self, client_id: str) -> Client:
        """Raises `ValueError` when there is none of that id."""
        if client_id not in self._clients:
            if client_id not in self.settings.clients:
                raise ValueError("no such client")
            self._clients[client_id] = Client(client_id, self.settings.clients[client_id].name, self._list_numbers)
        return self._clients[client_id]

    def every(self) -> list[Client]:
        return [self.client(client_id) for client_id in self.settings.clients]

    def seen_by(self, account: str) -> list[Client]:
        """The clients of an account, or the one client whose own key this is."""
        named = self.settings.clients.items()
        return [self.client(client_id) for client_id, known in named if account in (client_id, known.account)]

    def client_of(self, call: Call) -> Client:
        """The client in the path. Raises `Refusal` (401, 102): also for one of somebody else."""
        for client in self.seen_by(call.account):
            if client.id == call.parameters["clientid"]:
                return client
        raise Refusal(answers.refused(102))

    def list_of(self, call: Call) -> tuple[Client, MailingList]:
        """The list in the path, and whose it is. Raises `Refusal`: also for one of somebody else."""
        for client in self.seen_by(call.account):
            if mailing_list := client.lists.get(call.parameters["listid"]):
                return client, mailing_list
        raise Refusal(_UNKNOWN_LIST[self.settings.unknown_list]())
