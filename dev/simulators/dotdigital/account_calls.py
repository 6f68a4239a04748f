"""The other v2 endpoints: the account, its data fields, and what no export should call (contract sections 1 and 3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dev.simulators.common.vendor import TEXT, Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.dotdigital import answers, bodies
from dev.simulators.dotdigital.desk import Desk
from dev.simulators.dotdigital.fields import TYPES, VISIBILITIES, DataField, valid_name
from dev.simulators.dotdigital.rates import Meter
from dev.simulators.dotdigital.suppressions import No, suppression

ACCOUNT_INFO = "/v2/account-info"


class AccountCalls:
    def __init__(self, desk: Desk, meter: Meter) -> None:
        self._desk = desk
        self._meter = meter

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", ACCOUNT_INFO, self._info),
            Endpoint("GET", "/v2/server-time", self._time),
            Endpoint("GET", "/v2/data-fields", self._fields),
            Endpoint("POST", "/v2/data-fields", self._create_field),
            Endpoint("DELETE", "/v2/data-fields/{name}", self._delete_field),
            Endpoint("DELETE", "/v2/contacts/{id:int}", self._delete_contact),
            Endpoint("POST", "/v2/contacts/unsubscribe", self._unsubscribe),
        ]

    def _info(self, call: Call) -> Answer:
        account = self._desk.of(call)
        made, left = self._meter.in_last_hour(call.account, self._desk.settings)
        properties = [
            ("Name", "String", f"Account {account.id}"),
            ("ApiCallsInLastHour", "Int", str(made)),
            ("ApiCallsRemaining", "Int", str(left)),
            ("ApiEndpoint", "String", f"https://{account.region}-api.dotdigital.com/"),
            ("TimeZoneIana", "String", "Europe/London"),
        ]
        shown = [{"name": name, "type": kind, "value": value} for name, kind, value in properties]
        return json_answer({"id": account.id, "properties": shown})

    def _time(self, _: Call) -> Answer:
        now = datetime.fromtimestamp(self._desk.clock.epoch(), UTC)
        return Answer(200, now.isoformat(sep=" ").encode(), TEXT)

    def _fields(self, call: Call) -> Answer:
        return json_answer([each.details() for each in self._desk.of(call).fields.values()])

    def _create_field(self, call: Call) -> Answer:
        account, settings = self._desk.of(call), self._desk.settings
        body = bodies.v2_object(call, settings)
        name, kind, visibility = body.get("name"), body.get("type"), body.get("visibility") or "Private"
        if not isinstance(name, str) or not valid_name(name) or kind not in TYPES or visibility not in VISIBILITIES:
            return answers.v2_error(settings, "ERROR_PARAMETER_INVALID")
        if name.upper() in account.fields:
            return answers.v2_error(settings, "ERROR_NON_UNIQUE_DATAFIELD", "Field already exists.")
        field = DataField(name.upper(), kind, visibility, body.get("defaultValue"))
        account.fields[field.name] = field
        return json_answer(field.details(), 201)

    def _delete_field(self, call: Call) -> Answer:
        account = self._desk.of(call)
        field = account.fields.get(call.parameters["name"].upper())
        if field is None:
            return answers.v2_error(self._desk.settings, "ERROR_DATAFIELD_NOTFOUND")
        if field.dependencies:
            return json_answer({"dependencies": list(field.dependencies), "result": False})
        account.drop_field(field.name)
        return json_answer({"dependencies": None, "result": True})

    def _delete_contact(self, call: Call) -> Answer:
        account = self._desk.of(call)
        contact = account.find("contactId", call.parameters["id"])
        if contact is None:
            raise Refusal(answers.v2_message(404, "Error: ERROR_CONTACT_NOT_FOUND"))
        account.delete(contact)
        return Answer(204, b"", TEXT, rows=1, touched=[contact.key])

    def _unsubscribe(self, call: Call) -> Answer:
        account = self._desk.of(call)
        contact = account.find("email", bodies.v2_object(call, self._desk.settings).get("email"))
        if contact is None:
            raise Refusal(answers.v2_message(404, "Error: ERROR_CONTACT_NOT_FOUND"))
        account.set_status(contact, "unsubscribed", self._desk.clock.epoch())
        told = suppression(No(contact.said_no_at, contact, contact.status), self._desk.settings)
        return json_answer(told, rows=1, touched=[contact.key])
