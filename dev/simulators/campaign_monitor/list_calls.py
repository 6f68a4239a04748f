"""The calls about clients, lists and custom fields (contract sections 1, 2 and 3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from dev.simulators.campaign_monitor import answers, bodies, reading
from dev.simulators.campaign_monitor.accounts import Accounts
from dev.simulators.campaign_monitor.clients import UNSUBSCRIBE_SETTINGS, Client, MailingList
from dev.simulators.campaign_monitor.fields import DATA_TYPES, MULTI_SELECT, Field, derived_key
from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer

BASE = "/api/v3.3"
_LISTS = "ManageLists"


class ListCalls:
    """`table` has each endpoint with the permission that it takes; None: any credentials do."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts

    def table(self) -> Sequence[tuple[Endpoint, str | None]]:
        fields = f"{BASE}/lists/{{listid}}/customfields"
        return [
            (Endpoint("GET", f"{BASE}/systemdate.json", self._system_date), None),
            (Endpoint("GET", f"{BASE}/clients.json", self._clients), None),
            (Endpoint("GET", f"{BASE}/clients/{{clientid}}.json", self._client), "AdministerAccount"),
            (Endpoint("GET", f"{BASE}/clients/{{clientid}}/lists.json", self._lists), _LISTS),
            (Endpoint("POST", f"{BASE}/lists/{{clientid}}.json", self._create), _LISTS),
            (Endpoint("GET", f"{BASE}/lists/{{listid}}.json", self._details), _LISTS),
            (Endpoint("PUT", f"{BASE}/lists/{{listid}}.json", self._update), _LISTS),
            (Endpoint("DELETE", f"{BASE}/lists/{{listid}}.json", self._delete), _LISTS),
            (Endpoint("GET", f"{BASE}/lists/{{listid}}/stats.json", self._stats), _LISTS),
            (Endpoint("GET", f"{fields}.json", self._fields), _LISTS),
            (Endpoint("POST", f"{fields}.json", self._create_field), _LISTS),
            (Endpoint("PUT", f"{fields}/{{key}}/options.json", self._options), _LISTS),
            (Endpoint("PUT", f"{fields}/{{key}}.json", self._update_field), _LISTS),
            (Endpoint("DELETE", f"{fields}/{{key}}.json", self._delete_field), _LISTS),
        ]

    def _system_date(self, call: Call) -> Answer:
        accounts = self._accounts
        return json_answer({"SystemDate": reading.local_date(accounts.now, accounts.settings.utc_offset_hours)})

    def _clients(self, call: Call) -> Answer:
        return json_answer([{"ClientID": each.id, "Name": each.name} for each in self._accounts.seen_by(call.account)])

    def _client(self, call: Call) -> Answer:
        """With the client's own key in it, as the vendor has it."""
        client = self._accounts.client_of(call)
        keys = self._accounts.settings.keys.items()
        secret = next((secret for secret, key in keys if key.client == client.id), "")
        basic = {"ClientID": client.id, "CompanyName": client.name, "TimeZone": "(GMT+10:00) Sydney"}
        return json_answer({"ApiKey": secret, "BasicDetails": basic})

    def _lists(self, call: Call) -> Answer:
        lists = self._accounts.client_of(call).lists.values()
        return json_answer([{"ListID": each.id, "Name": each.title} for each in lists])

    def _create(self, call: Call) -> Answer:
        client = self._accounts.client_of(call)
        body = bodies.read(call, bodies.LIST, "list")
        _check_list(client, body, None)
        mailing_list = client.create_list(body["Title"])
        _change_list(mailing_list, body)
        return answers.created(mailing_list.id)

    def _details(self, call: Call) -> Answer:
        return json_answer(self._accounts.list_of(call)[1].details())

    def _update(self, call: Call) -> Answer:
        client, mailing_list = self._accounts.list_of(call)
        body = bodies.read(call, bodies.LIST, "list")
        _check_list(client, body, mailing_list)
        _change_list(mailing_list, body)
        return answers.empty()

    def _delete(self, call: Call) -> Answer:
        client, mailing_list = self._accounts.list_of(call)
        if mailing_list.in_use:
            return answers.refused(252)
        del client.lists[mailing_list.id]
        return answers.empty()

    def _stats(self, call: Call) -> Answer:
        """The daily counters are left out; the totals may be as old as the setting says."""
        mailing_list = self._accounts.list_of(call)[1]
        now = self._accounts.clock.monotonic()
        kept = mailing_list.stats
        if kept is None or now - kept[0] >= self._accounts.settings.stats_age:
            states = mailing_list.states
            totals = {
                "TotalActiveSubscribers": states["Active"],
                "TotalUnsubscribes": states["Unsubscribed"],
                "TotalDeleted": states["Deleted"],
                "TotalBounces": states["Bounced"],
            }
            kept = mailing_list.stats = now, totals
        return json_answer(kept[1])

    def _fields(self, call: Call) -> Answer:
        return json_answer([each.details() for each in self._accounts.list_of(call)[1].fields])

    def _create_field(self, call: Call) -> Answer:
        mailing_list = self._accounts.list_of(call)[1]
        body = bodies.read(call, bodies.FIELD, "customField")
        key = self._checked_key(mailing_list, body.get("FieldName", ""), None)
        data_type = body.get("DataType", "")
        options = bodies.texts(body.get("Options", ()), "customField")
        if data_type not in DATA_TYPES:
            return answers.refused(259)
        if bool(options) is not (data_type in MULTI_SELECT):
            return answers.refused(256 if options else 257)
        created = mailing_list.add_field(body["FieldName"], key, data_type)
        created.options = options
        created.visible = body.get("VisibleInPreferenceCenter", True)
        return answers.created(f"[{key}]")

    def _update_field(self, call: Call) -> Answer:
        mailing_list, known = self._field(call)
        body = bodies.read(call, bodies.FIELD, "customField")
        known.key = self._checked_key(mailing_list, body.get("FieldName", ""), known)
        known.name = body["FieldName"]
        known.visible = body.get("VisibleInPreferenceCenter", known.visible)
        return json_answer(f"[{known.key}]")

    def _options(self, call: Call) -> Answer:
        _, known = self._field(call)
        body = bodies.read(call, bodies.OPTIONS, "options")
        options = bodies.texts(body.get("Options", ()), "options")
        if known.data_type not in MULTI_SELECT:
            return answers.refused(256)
        if not options:
            return answers.refused(257)
        kept = known.options if body.get("KeepExistingOptions") else []
        known.options = [*dict.fromkeys([*kept, *options])]
        return answers.empty()

    def _delete_field(self, call: Call) -> Answer:
        mailing_list, known = self._field(call)
        mailing_list.fields.remove(known)
        return answers.empty()

    def _field(self, call: Call) -> tuple[MailingList, Field]:
        mailing_list = self._accounts.list_of(call)[1]
        key = unquote(call.parameters["key"])
        for known in mailing_list.fields:
            if key == f"[{known.key}]":
                return mailing_list, known
        raise Refusal(answers.refused(253))

    def _checked_key(self, mailing_list: MailingList, name: str, own: Field | None) -> str:
        """The key for a field of that name; `own` is the field that has it already. Raises `Refusal` (254, 255)."""
        settings = self._accounts.settings
        key = derived_key(name, settings.field_key)
        others = [each for each in mailing_list.fields if each is not own]
        too_many = own is None and settings.most_fields is not None and len(others) >= settings.most_fields
        too_long = settings.longest_field_name is not None and len(name) > settings.longest_field_name
        if not key or too_many or too_long:
            raise Refusal(answers.refused(254))
        if any(name.lower() == each.name.lower() or key.lower() == each.key.lower() for each in others):
            raise Refusal(answers.refused(255))
        return key


def _check_list(client: Client, body: Mapping[str, Any], own: MailingList | None) -> None:
    """Raises `Refusal` (400, 250, 251 or 261)."""
    title = body.get("Title", "").strip()
    if not title:
        raise Refusal(answers.refused(251))
    if any(each is not own and each.title.strip().lower() == title.lower() for each in client.lists.values()):
        raise Refusal(answers.refused(250))
    if body.get("UnsubscribeSetting", "AllClientLists") not in UNSUBSCRIBE_SETTINGS:
        raise Refusal(answers.refused(261))


def _change_list(mailing_list: MailingList, body: Mapping[str, Any]) -> None:
    mailing_list.title = body["Title"]
    mailing_list.unsubscribe_page = body.get("UnsubscribePage", mailing_list.unsubscribe_page)
    mailing_list.unsubscribe_setting = body.get("UnsubscribeSetting", mailing_list.unsubscribe_setting)
    mailing_list.confirmed_opt_in = body.get("ConfirmedOptIn", mailing_list.confirmed_opt_in)
    mailing_list.success_page = body.get("ConfirmationSuccessPage", mailing_list.success_page)
