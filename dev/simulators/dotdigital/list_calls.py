"""The v2 endpoints for lists: making them, and taking people off (contract sections 2 and 7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.dotdigital import answers, bodies
from dev.simulators.dotdigital.account import Account, MailingList
from dev.simulators.dotdigital.answers import cased
from dev.simulators.dotdigital.desk import Desk
from dev.simulators.dotdigital.fields import VISIBILITIES
from dev.simulators.dotdigital.settings import Settings
from dev.simulators.dotdigital.suppressions import No, suppression

_LONGEST_NAME = 128


class ListCalls:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        one = "/v2/address-books/{id:int}"
        return [
            Endpoint("GET", "/v2/address-books", self._lists),
            Endpoint("POST", "/v2/address-books", self._create),
            Endpoint("GET", one, self._get),
            Endpoint("PUT", one, self._update),
            Endpoint("DELETE", one, self._delete),
            Endpoint("DELETE", f"{one}/contacts/{{contactId:int}}", self._remove),
            Endpoint("POST", f"{one}/contacts/delete", self._remove_many),
            Endpoint("POST", f"{one}/contacts/delete-all", self._remove_all),
            Endpoint("DELETE", f"{one}/contacts", self._remove_all_at_once),
            Endpoint("GET", "/v2/contacts/deletion/{id}", self._removal_status),
            Endpoint("POST", f"{one}/contacts/unsubscribe", self._unsubscribe),
        ]

    def _lists(self, call: Call) -> Answer:
        account = self._desk.of(call)
        some = list(account.lists.values())[bodies.v2_page(call, self._desk.settings)]
        return json_answer([self._details(account, each) for each in some])

    def _get(self, call: Call) -> Answer:
        return json_answer(self._details(self._desk.of(call), self._list(call)))

    def _create(self, call: Call) -> Answer:
        account, settings = self._desk.of(call), self._desk.settings
        body = bodies.v2_object(call, settings)
        name, visibility = self._checked(account, body, None)
        if settings.most_lists is not None and len(account.lists) >= settings.most_lists:
            raise self._refusal("ERROR_ADDRESSBOOK_LIMITEXCEEDED")
        created = account.create_list(name, visibility)
        return json_answer(self._details(account, created), settings.list_created_status)

    def _update(self, call: Call) -> Answer:
        account, mailing_list = self._desk.of(call), self._writable(call)
        body = bodies.v2_object(call, self._desk.settings)
        mailing_list.name, mailing_list.visibility = self._checked(account, body, mailing_list)
        return json_answer(self._details(account, mailing_list))

    def _delete(self, call: Call) -> Answer:
        mailing_list = self._free(call)
        del self._desk.of(call).lists[mailing_list.id]
        return answers.empty(204)

    def _remove(self, call: Call) -> Answer:
        account, mailing_list = self._desk.of(call), self._free(call)
        contact_id = call.parameters["contactId"]
        if not _take_off(mailing_list, [contact_id]):
            if self._desk.settings.absent_removal_status == 404:
                raise Refusal(answers.v2_message(404, "Error: ERROR_CONTACT_NOT_FOUND"))
            return answers.empty(204)
        return _with_people(answers.empty(204), account, [contact_id])

    def _remove_many(self, call: Call) -> Answer:
        settings, mailing_list = self._desk.settings, self._free(call)
        ids = bodies.v2(call, settings)
        if type(ids) is not list or not ids or any(type(each) is not int for each in ids):
            raise self._refusal("ERROR_PARAMETER_INVALID")
        if len(ids) > settings.most_removals:
            raise self._refusal("ERROR_CONTACT_TOOMANY")
        return self._start_removal(call, mailing_list, ids)

    def _remove_all(self, call: Call) -> Answer:
        mailing_list = self._free(call)
        return self._start_removal(call, mailing_list, list(mailing_list.members))

    def _remove_all_at_once(self, call: Call) -> Answer:
        account, mailing_list = self._desk.of(call), self._free(call)
        ids = list(mailing_list.members)
        _take_off(mailing_list, ids)
        return _with_people(answers.empty(204), account, ids)

    def _start_removal(self, call: Call, mailing_list: MailingList, ids: Sequence[int]) -> Answer:
        account, settings = self._desk.of(call), self._desk.settings
        running = {job.target for job in account.jobs.open("removal")}
        if settings.one_removal_per_list and mailing_list.id in running:
            raise self._refusal("ERROR_ADDRESSBOOK_IN_USE")

        def finish(ending: str, _: Settings) -> tuple[str, dict[str, Any]]:
            if ending == "Completed":
                _take_off(mailing_list, ids)
            elif ending == "Failed":
                _take_off(mailing_list, ids[: len(ids) // 2])
            return ending, {}

        ending = settings.next_removal_statuses.pop(0) if settings.next_removal_statuses else None
        job = account.jobs.start("removal", self._desk.clock.monotonic(), finish, ending, mailing_list.id)
        return _with_people(json_answer({"id": job.id, "status": "Started"}, 202), account, ids)

    def _removal_status(self, call: Call) -> Answer:
        settings, account = self._desk.settings, self._desk.of(call)
        status, job = account.jobs.ask("removal", call.parameters["id"], settings, self._desk.clock.monotonic())
        if job is None:
            raise self._refusal("ERROR_DELETION_NOT_FOUND")
        shown = {"id": job.id, "status": cased(status, settings.enum_case, spec_is_pascal=True)}
        return json_answer({cased(name, settings.removal_keys): value for name, value in shown.items()})

    def _unsubscribe(self, call: Call) -> Answer:
        """No removal: it suppresses the contact for this list."""
        account, mailing_list = self._desk.of(call), self._list(call)
        address = bodies.v2_object(call, self._desk.settings).get("email")
        contact = account.find("email", address) if isinstance(address, str) else None
        if contact is None:
            raise self._refusal("ERROR_CONTACT_NOT_FOUND")
        mailing_list.put(contact.id, "suppressed")
        when = mailing_list.said_no.setdefault(contact.id, self._desk.clock.epoch())
        account.counts.list_unsubscribes += 1
        answer = json_answer(suppression(No(when, contact, "unsubscribed"), self._desk.settings))
        return _with_people(answer, account, [contact.id])

    def _list(self, call: Call) -> MailingList:
        mailing_list = self._desk.of(call).lists.get(call.parameters["id"])
        if mailing_list is None:
            raise self._refusal("ERROR_ADDRESSBOOK_NOT_FOUND")
        return mailing_list

    def _writable(self, call: Call) -> MailingList:
        mailing_list = self._list(call)
        if mailing_list.reserved:
            raise self._refusal("ERROR_ADDRESSBOOK_NOTWRITABLE")
        return mailing_list

    def _free(self, call: Call) -> MailingList:
        mailing_list = self._writable(call)
        if mailing_list.in_use:
            raise self._refusal("ERROR_ADDRESSBOOK_IN_USE")
        return mailing_list

    def _checked(self, account: Account, body: dict[str, Any], own: MailingList | None) -> tuple[str, Any]:
        name, visibility = body.get("name"), body.get("visibility") or "Private"
        if not isinstance(name, str) or not 1 <= len(name.strip()) <= len(name) <= _LONGEST_NAME:
            raise self._refusal("ERROR_PARAMETER_INVALID")
        if visibility not in VISIBILITIES:
            raise self._refusal("ERROR_PARAMETER_INVALID")
        if any(each.name.lower() == name.lower() and each is not own for each in account.lists.values()):
            raise self._refusal("ERROR_ADDRESSBOOK_DUPLICATE")
        return name, visibility

    def _details(self, account: Account, mailing_list: MailingList) -> dict[str, Any]:
        lag = self._desk.settings.list_count_lag
        return mailing_list.details(account.size(mailing_list), self._desk.clock.monotonic(), lag)

    def _refusal(self, token: str) -> Refusal:
        return Refusal(answers.v2_error(self._desk.settings, token))


def _take_off(mailing_list: MailingList, ids: Sequence[int]) -> int:
    """How many of them were on the list."""
    return sum(mailing_list.drop(each) for each in ids)


def _with_people(answer: Answer, account: Account, ids: Sequence[int]) -> Answer:
    """For the journal: whom a removal named, by address."""
    known = (account.contacts.get(each) for each in ids)
    return replace(answer, rows=len(ids), touched=[contact.key for contact in known if contact is not None])
