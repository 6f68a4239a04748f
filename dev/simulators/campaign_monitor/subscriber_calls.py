"""The calls about people: import, one by one, off a list, suppression, reading (contract sections 4, 5 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dev.simulators.campaign_monitor import answers, bodies, reading
from dev.simulators.campaign_monitor.access import READS
from dev.simulators.campaign_monitor.accounts import Accounts
from dev.simulators.campaign_monitor.addresses import valid_address
from dev.simulators.campaign_monitor.clients import STATES, Client, MailingList, Subscriber
from dev.simulators.campaign_monitor.fields import TooLongError
from dev.simulators.campaign_monitor.imports import TOO_LONG, Flags, Importer
from dev.simulators.campaign_monitor.list_calls import BASE
from dev.simulators.campaign_monitor.settings import State
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer

MOST_ROWS = 1000
_LISTS, _IMPORT = "ManageLists", "ImportSubscribers"


class SubscriberCalls:
    """`table` has each endpoint with the permission that it takes."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def table(self) -> Sequence[tuple[Endpoint, str | None]]:
        one, client = f"{BASE}/subscribers/{{listid}}", f"{BASE}/clients/{{clientid}}"
        return [
            (Endpoint("POST", f"{one}/import.json", self._import), _IMPORT),
            (Endpoint("POST", f"{one}/unsubscribe.json", self._unsubscribe), _LISTS),
            (Endpoint("GET", f"{one}.json", self._get), READS),
            (Endpoint("POST", f"{one}.json", self._add), _IMPORT),
            (Endpoint("PUT", f"{one}.json", self._update), _IMPORT),
            (Endpoint("DELETE", f"{one}.json", self._delete), _LISTS),
            (Endpoint("GET", f"{client}/suppressionlist.json", self._suppression_list), READS),
            (Endpoint("GET", f"{client}/listsforemail.json", self._lists_for_email), READS),
            (Endpoint("POST", f"{client}/suppress.json", self._suppress), _LISTS),
            (Endpoint("PUT", f"{client}/unsuppress.json", self._unsuppress), _LISTS),
            *(
                (Endpoint("GET", f"{BASE}/lists/{{listid}}/{state.lower()}.json", self._reader(state)), READS)
                for state in STATES
            ),
        ]

    def _importer(self, client: Client, mailing_list: MailingList, flags: Flags) -> Importer:
        return Importer(client, mailing_list, self._accounts.settings, flags, self._accounts.now)

    def _import(self, call: Call) -> Answer:
        client, mailing_list = self._accounts.list_of(call)
        body = bodies.read(call, bodies.IMPORT, "subscribers")
        rows = body.get("Subscribers", [])
        most = self._accounts.settings.most_bytes
        if most is not None and len(call.body) > most:
            return replace(answers.empty(413), rows=len(rows))
        try:
            answer = self._import_rows(client, mailing_list, Flags.of(body), rows)
        except Refusal as refusal:
            answer = refusal.answer
        return replace(answer, rows=len(rows))

    def _import_rows(self, client: Client, mailing_list: MailingList, flags: Flags, rows: Sequence[Any]) -> Answer:
        settings = self._accounts.settings
        if not rows:
            return answers.refused(212)
        if len(rows) > MOST_ROWS:
            return answers.refused(209)
        bodies.check_rows(rows)
        if settings.consent_errors == "request":
            bodies.check_consent(rows)
        if settings.poison and any((row.get("EmailAddress") or "").lower() in settings.poison for row in rows):
            return answers.own_failure(500)
        outcome = self._importer(client, mailing_list, flags).run(rows)
        told = outcome.as_json(settings.failure_codes == "texts")
        answer = answers.refused(210, ResultData=told) if outcome.failures else json_answer(told, 201)
        return replace(answer, touched=outcome.done, worked=bool(outcome.done))

    def _add(self, call: Call) -> Answer:
        """Checked at once, on the list a little later."""
        client, mailing_list = self._accounts.list_of(call)
        row = bodies.read(call, bodies.ONE, "subscriber")
        bodies.check_rows([row])
        bodies.check_consent([row])
        address = row.get("EmailAddress", "")
        key = address.lower()
        rate = self._accounts.settings.same_subscriber
        if rate is not None and self._accounts.hammered.take(mailing_list.id, [(key, rate)]) > 0:
            return answers.envelope(429, 429, answers.HAMMERED)
        importer = self._importer(client, mailing_list, Flags.of(row))
        if code := importer.refusal(key, row, mailing_list.find(address)):
            return answers.refused(code)

        def write() -> None:
            importer.run([row])

        self._accounts.later(self._accounts.settings.single_add_seconds, write)
        return replace(answers.created(address), rows=1, touched=[key])

    def _update(self, call: Call) -> Answer:
        client, mailing_list, subscriber = self._subscriber(call)
        row = bodies.read(call, bodies.ONE, "subscriber")
        bodies.check_rows([row])
        bodies.check_consent([row])
        old, address = subscriber.address, row.get("EmailAddress", subscriber.address)
        if not valid_address(address, self._accounts.settings.international_addresses):
            return answers.refused(211)
        if mailing_list.find(address) not in (None, subscriber):
            return answers.refused(201)
        importer = self._importer(client, mailing_list, Flags.of(row))
        if code := importer.refusal(old.lower(), row, subscriber):
            return answers.refused(code)
        try:
            importer.write(old.lower(), row, subscriber)
        except TooLongError:
            return answers.refused(TOO_LONG)
        mailing_list.rename(subscriber, address)
        return replace(answers.empty(), rows=1, touched=[address.lower()])

    def _get(self, call: Call) -> Answer:
        client, mailing_list, subscriber = self._subscriber(call)
        given = reading.parameters(call)
        shown = reading.subscriber_line(client, mailing_list, self._accounts.settings, given)
        return json_answer(shown(subscriber))

    def _delete(self, call: Call) -> Answer:
        client, mailing_list = self._accounts.list_of(call)
        address = _email(call)
        subscriber = mailing_list.find(address)
        if subscriber is None or subscriber.state == "Deleted":
            return _ABSENT[self._accounts.settings.delete_absent]()
        client.delete(mailing_list, subscriber, self._accounts.now)
        return replace(answers.empty(), rows=1, touched=[address.lower()])

    def _unsubscribe(self, call: Call) -> Answer:
        client, mailing_list = self._accounts.list_of(call)
        client.counts.unsubscribe_calls += 1
        address = bodies.read(call, bodies.ADDRESS, "subscriber").get("EmailAddress", "")
        subscriber = mailing_list.find(address)
        if subscriber is None:
            return answers.refused(203)
        client.unsubscribe(mailing_list, subscriber, self._accounts.now)
        return replace(answers.empty(), rows=1, touched=[address.lower()])

    def _subscriber(self, call: Call) -> tuple[Client, MailingList, Subscriber]:
        client, mailing_list = self._accounts.list_of(call)
        subscriber = mailing_list.find(_email(call))
        if subscriber is None:
            raise Refusal(answers.refused(203))
        return client, mailing_list, subscriber

    def _reader(self, state: State) -> Callable[[Call], Answer]:
        def read(call: Call) -> Answer:
            client, mailing_list = self._accounts.list_of(call)
            settings = self._accounts.settings
            wish = reading.wanted(call, settings, reading.SUBSCRIBER_ORDERS)
            shown = reading.subscriber_line(client, mailing_list, settings, reading.parameters(call))
            return reading.page(reading.subscribers(mailing_list, state, wish), wish, settings, shown)

        return read

    def _suppression_list(self, call: Call) -> Answer:
        client, settings = self._accounts.client_of(call), self._accounts.settings
        wish = reading.wanted(call, settings, reading.SUPPRESSED_ORDERS, dated=False)
        return reading.page(reading.suppressed(client, wish), wish, settings, reading.suppressed_line(settings))

    def _lists_for_email(self, call: Call) -> Answer:
        client, address = self._accounts.client_of(call), _email(call)
        offset = self._accounts.settings.utc_offset_hours
        return json_answer(
            [
                {
                    "ListID": each.id,
                    "ListName": each.title,
                    "SubscriberState": subscriber.state,
                    "DateSubscriberAdded": reading.local_date(subscriber.joined, offset),
                }
                for each in client.lists.values()
                if (subscriber := each.find(address)) is not None
            ]
        )

    def _suppress(self, call: Call) -> Answer:
        client = self._accounts.client_of(call)
        client.counts.suppress_calls += 1
        body = bodies.read(call, bodies.ADDRESSES, "emailAddresses")
        addresses = bodies.texts(body.get("EmailAddresses", ()), "emailAddresses")
        for address in addresses:
            client.suppress(address, "Manually suppressed", self._accounts.now)
        return replace(answers.empty(), rows=len(addresses), touched=[address.lower() for address in addresses])

    def _unsuppress(self, call: Call) -> Answer:
        client = self._accounts.client_of(call)
        client.counts.unsuppress_calls += 1
        if client.suppressed.pop(_email(call).lower(), None) is None:
            return answers.refused(176)
        return answers.empty()


_ABSENT: dict[str, Callable[[], Answer]] = {
    "203": lambda: answers.refused(203),
    "404": lambda: answers.empty(404),
    "200": answers.empty,
}


def _email(call: Call) -> str:
    """The address in the query. Raises `Refusal` (400, 1) when there is none."""
    address = reading.parameters(call).get("email", "")
    if not address:
        raise Refusal(answers.refused(1))
    return address
