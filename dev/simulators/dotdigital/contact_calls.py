"""The v3 endpoints: imports, reading, single contacts, deletion from the account (contract sections 4 to 8)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal, json_answer
from dev.simulators.dotdigital import answers, bodies, imports, reading
from dev.simulators.dotdigital.account import Account, Contact, in_small_letters
from dev.simulators.dotdigital.desk import Desk
from dev.simulators.dotdigital.jobs import Job, Kind, is_job_id
from dev.simulators.dotdigital.upsert import RowError, Upsert

_MOST_DELETIONS = 5000
_IDENTIFIERS = frozenset({"email", "mobileNumber", "contactId"})
_INVALID_ID = frozenset({"invalidEmail", "invalidPhoneNumber", "invalidContactId", "noValidIdentifiers"})


class ContactCalls:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        one = "/contacts/v3/{identifier}/{value:path}"
        return [
            Endpoint("GET", "/contacts/v3", self._read),
            Endpoint("POST", "/contacts/v3", self._create),
            Endpoint("PUT", "/contacts/v3/import", self._import),
            Endpoint("GET", "/contacts/v3/import/{importId}", self._import_status),
            Endpoint("POST", "/contacts/v3/delete", self._delete_many),
            Endpoint("GET", "/contacts/v3/delete/{deleteId}", self._deletion_status),
            Endpoint("GET", one, self._read_one),
            Endpoint("PATCH", one, self._change_one),
            Endpoint("PUT", one, self._replace_one),
            Endpoint("DELETE", one, self._delete_one),
        ]

    def _read(self, call: Call) -> Answer:
        return json_answer(reading.page(self._desk.of(call), self._desk.settings, call.query))

    def _import(self, call: Call) -> Answer:
        settings, account, clock = self._desk.settings, self._desk.of(call), self._desk.clock
        option, rows = bodies.import_rows(bodies.v3(call, settings), settings)
        if settings.unknown_field == "request":
            self._check_fields(account, rows)
        if sum(1 for _ in account.jobs.open("import")) >= settings.most_imports:
            what = "Your import request cannot be accepted as too many imports are being processed for you account."
            return answers.v3_error(settings, 429, "tooManyActiveImports", what)
        ending = settings.next_import_statuses.pop(0) if settings.next_import_statuses else None
        finish = imports.finisher(account, clock, option, rows)
        job = account.jobs.start("import", clock.monotonic(), finish, ending, people=len(rows))
        if (ending or settings.import_status) == settings.import_pace().unfinished:
            imports.write_some(account, settings, clock.epoch(), option, rows)
        touched = [address for row in rows if (address := _address(account, row["identifiers"]))]
        return json_answer({"importId": job.id}, 202, rows=len(rows), touched=touched)

    def _check_fields(self, account: Account, rows: Sequence[bodies.Row]) -> None:
        settings = self._desk.settings
        for number, row in enumerate(rows):
            for name in row.get("dataFields") or ():
                if (name.upper() if settings.field_names_any_case else name) not in account.fields:
                    what = f"The data field '{name}' does not exist"
                    raise Refusal(answers.bad_request(settings, what, f"contacts[{number}].dataFields"))

    def _import_status(self, call: Call) -> Answer:
        import_id = call.parameters["importId"]
        status, job = self._ask(call, "import", import_id)
        body = {"importId": import_id, "status": answers.cased(status, self._desk.settings.enum_case, True)}
        return json_answer({**body, **(job.results or {})})

    def _ask(self, call: Call, kind: Kind, job_id: str) -> tuple[str, Job]:
        settings, account = self._desk.settings, self._desk.of(call)
        if not is_job_id(job_id):
            raise Refusal(answers.v3_error(settings, 400, "invalidId", f"The id value '{job_id}' is invalid"))
        status, job = account.jobs.ask(kind, job_id, settings, self._desk.clock.monotonic())
        if job is None:
            what = f"The import request '{job_id}' could not be found!"
            raise Refusal(answers.v3_error(settings, 404, "importNotFound", what))
        return status, job

    def _create(self, call: Call) -> Answer:
        settings, account = self._desk.settings, self._desk.of(call)
        row = bodies.v3(call, settings)
        bodies.check_contact(row, settings)
        for identifier, value in row["identifiers"].items():
            if identifier in ("email", "mobileNumber") and account.find(identifier, value) is not None:
                what = f"The id value '{value}' for the identifier '{identifier}' already exists."
                return answers.v3_error(settings, 409, "idAlreadyExists", what)
        match = next(iter(row["identifiers"]), "")
        written, _ = self._write(call, match, row["identifiers"], row, "overwrite")
        return self._written(call, written, 201)

    def _change_one(self, call: Call) -> Answer:
        settings = self._desk.settings
        option = call.query.get("merge-option", "overwrite")
        if option not in bodies.KEBAB_OPTIONS:
            return answers.bad_request(settings, "The value is not valid for merge-option", "merge-option")
        row = bodies.v3(call, settings)
        bodies.check_contact(row, settings, needs_identifiers=False)
        match, value = self._named(call)
        found = self._desk.of(call).find(match, value)
        identifiers = dict(row.get("identifiers") or {})
        if found is not None:  # so that the body may give the contact another address
            match, value = "contactId", found.id
        written, is_new = self._write(call, match, {**identifiers, match: value}, row, bodies.KEBAB_OPTIONS[option])
        return self._written(call, written, 201 if is_new else 200)

    def _replace_one(self, call: Call) -> Answer:
        settings, account = self._desk.settings, self._desk.of(call)
        row = bodies.v3(call, settings)
        bodies.check_contact(row, settings)
        found = self._found(call)
        identifiers = {**row["identifiers"], "contactId": found.id}
        data = {**dict.fromkeys(found.data), **(row.get("dataFields") or {})}
        self._write(call, "contactId", identifiers, {**row, "dataFields": data}, "overwrite")
        for mailing_list in list(account.lists_of(found)):
            if mailing_list.id not in (row.get("lists") or ()):
                mailing_list.drop(found.id)
        account.counts.contacts_replaced += 1
        return self._written(call, found, 200)

    def _read_one(self, call: Call) -> Answer:
        return json_answer(self._shown(call, self._found(call)))

    def _delete_one(self, call: Call) -> Answer:
        found = self._found(call)
        self._desk.of(call).delete(found)
        return json_answer({"contactId": found.id}, rows=1, touched=[found.key])

    def _delete_many(self, call: Call) -> Answer:
        settings, account = self._desk.settings, self._desk.of(call)
        wanted = bodies.v3(call, settings)
        if type(wanted) is not list or not 1 <= len(wanted) <= _MOST_DELETIONS:
            what = "You must specifiy 1 or more contacts to be deleted!"
            return answers.v3_error(settings, 400, "noContactsSpecified", what)
        named = [pair for each in wanted if type(each) is dict for pair in each.items() if pair[0] in _IDENTIFIERS]
        people = (account.find(identifier, value) for identifier, value in named)
        found = list({one.id: one for one in people if one is not None}.values())

        def finish(ending: str, _: Any) -> tuple[str, dict[str, Any]]:
            left = [one for one in found if one.id in account.contacts]
            for one in left:
                account.delete(one)
            summary = {
                "requestedContacts": len(wanted),
                "deletedContacts": len(left),
                "unknownContacts": len(wanted) - len(left),
                "invalidEntries": 0,
            }
            return ending, {"summary": summary, "deleted": [{"contactId": one.id} for one in left]}

        job = account.jobs.start("deletion", self._desk.clock.monotonic(), finish, None)
        return json_answer({"deleteId": job.id}, 202, rows=len(wanted), touched=[one.key for one in found])

    def _deletion_status(self, call: Call) -> Answer:
        delete_id = call.parameters["deleteId"]
        status, job = self._ask(call, "deletion", delete_id)
        return json_answer({"deleteId": delete_id, "status": status, **(job.results or {})})

    def _named(self, call: Call) -> tuple[str, Any]:
        """The identifier and the value in the path. Raises `Refusal` where there can be none such."""
        identifier, value = call.parameters["identifier"], call.parameters["value"]
        if identifier not in _IDENTIFIERS or (identifier == "contactId" and not value.isdecimal()):
            what = f"The id value '{value}' is invalid for the identifier '{identifier}'"
            raise Refusal(answers.v3_error(self._desk.settings, 400, "invalidId", what))
        return identifier, int(value) if identifier == "contactId" else value

    def _found(self, call: Call) -> Contact:
        identifier, value = self._named(call)
        found = self._desk.of(call).find(identifier, value)
        if found is None:
            raise Refusal(answers.not_found(self._desk.settings, identifier, str(value)))
        return found

    def _write(
        self, call: Call, match: str, identifiers: Mapping[str, Any], row: bodies.Row, option: str
    ) -> tuple[Contact, bool]:
        settings = self._desk.settings
        upsert = Upsert(self._desk.of(call), settings, self._desk.clock.epoch(), option)
        try:
            return upsert.write(match, identifiers, row)
        except RowError as error:
            if error.code == "duplicateIdentifier":
                raise Refusal(answers.v3_error(settings, 409, "idAlreadyExists", error.description)) from None
            code = "invalidId" if error.code in _INVALID_ID else "badRequest"
            raise Refusal(answers.v3_error(settings, 400, code, error.description)) from None

    def _written(self, call: Call, contact: Contact, status: int) -> Answer:
        return json_answer(self._shown(call, contact), status, rows=1, touched=[contact.key])

    def _shown(self, call: Call, contact: Contact) -> dict[str, Any]:
        return reading.contact(self._desk.of(call), contact, self._desk.settings, None, reading.EVERYTHING)


def _address(account: Account, identifiers: Mapping[str, object]) -> str:
    """Of whom a row of an import means, by address or by id; empty where nobody has that id."""
    address, number = identifiers.get("email"), identifiers.get("contactId")
    if isinstance(address, str):
        return in_small_letters(address)
    known = account.contacts.get(number) if isinstance(number, int) else None
    return known.key if known else ""
