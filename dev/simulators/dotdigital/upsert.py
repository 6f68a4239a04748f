"""One contact created or updated, as an import or a single call asks for it (contract sections 4, 6 and 11)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from dev.simulators.dotdigital.account import WILLING, Account, Contact, MailingList
from dev.simulators.dotdigital.answers import cased
from dev.simulators.dotdigital.bodies import Row
from dev.simulators.dotdigital.fields import fits
from dev.simulators.dotdigital.settings import Settings

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_ATOM = r"[^\s\x00-\x1f\x7f()<>@,;:\\\".\[\]]+"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@(?:{_LABEL}\.)+[a-z][a-z0-9-]*[a-z0-9]", re.IGNORECASE)
_LONGEST_ADDRESS = 256
_MOBILE_NUMBER = re.compile(r"\+?[1-9]\d{6,14}")
_CONSENT = ("text", "dateTimeConsented", "url", "ipAddress", "userAgent")
_EMPTY = (None, "")


class RowError(Exception):
    """The contact is refused. `code` is a failure code, spelled as in the specification's examples."""

    def __init__(self, code: str, description: str) -> None:
        super().__init__(code)
        self.code = code
        self.description = description


class Upsert:
    """Writes contacts. What does not keep a contact from being written goes to `notes`, as (code, description)."""

    def __init__(self, account: Account, settings: Settings, now: float, merge: str) -> None:
        self._account = account
        self._settings = settings
        self._now = now
        self._merge = merge
        self.notes: list[tuple[str, str]] = []

    def write(self, match: str, identifiers: Mapping[str, Any], row: Row) -> tuple[Contact, bool]:
        """The contact that `identifiers[match]` names, and whether it is new.

        Raises `RowError`; then nothing of the row was written.
        """
        self.notes = []
        self._check_identifiers(match, identifiers)
        contact = self._account.find(match, identifiers[match])
        if contact is None and match == "contactId":
            raise RowError("invalidContactId", "The contact could not be found")
        self._check_conflicts(match, identifiers, contact)
        if contact is not None and self._settings.suppressed_contacts == "refused" and contact.status not in WILLING:
            raise RowError("invalidContactStatus", "The contact is suppressed")
        data = self._checked_data(row.get("dataFields") or {})
        lists = self._checked_lists(row.get("lists") or ())
        return self._store(contact, identifiers, row, data, lists)

    def _store(
        self,
        found: Contact | None,
        identifiers: Mapping[str, Any],
        row: Row,
        data: Mapping[str, Any],
        lists: Sequence[MailingList],
    ) -> tuple[Contact, bool]:
        contact = found or self._account.create(self._now)
        contact.updated = self._now
        for identifier, value in identifiers.items():
            if identifier != "contactId":
                self._account.identify(contact, identifier, value)
        if found is None:
            contact.store({name: value for name, value in data.items() if value is not None})
        elif data:
            self._merge_into(contact, data)
        self._set_channel(contact, (row.get("channelProperties") or {}).get("email") or {}, found is None)
        for mailing_list in lists:
            self._join(mailing_list, contact)
        if "consentRecords" in row:
            self._add_consents(contact, row["consentRecords"])
        return contact, found is None

    def _check_identifiers(self, match: str, identifiers: Mapping[str, Any]) -> None:
        if not identifiers:
            raise RowError("noValidIdentifiers", "No valid identifiers")
        if match not in identifiers or match not in _IDENTIFIERS:
            raise RowError("invalidMatchIdentifier", f"Invalid match identifier '{match}'")
        for identifier, value in identifiers.items():
            check = _IDENTIFIERS.get(identifier)
            if check is None:
                raise RowError("apiSchemaViolation", f"Unknown identifier '{identifier}'")
            code, valid = check
            if not valid(value):
                raise RowError(code, f"Invalid value for '{identifier}'")
        if "email" in identifiers:
            self._check_barred(identifiers["email"].lower())

    def _check_barred(self, address: str) -> None:
        if address in self._settings.row_failures:
            raise RowError(self._settings.row_failures[address], "The contact could not be imported")
        if self._account.barred:
            if address in self._account.barred:
                raise RowError("globallySuppressed", "The contact is suppressed globally")
            if address[address.rindex("@") :] in self._account.barred:
                raise RowError("suppressedByDomain", "The domain of the contact is suppressed")

    def _check_conflicts(self, match: str, identifiers: Mapping[str, Any], contact: Contact | None) -> None:
        for identifier, value in identifiers.items():
            if identifier != match:
                other = self._account.find(identifier, value)
                if other is not None and other is not contact:
                    raise RowError("duplicateIdentifier", f"Duplicate identifier detected for {identifier} '{value}'")

    def _checked_data(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The values that are to be written, by the field's own name."""
        fields, settings = self._account.fields, self._settings
        data = {}
        for name, value in given.items():
            field = fields.get(name.upper() if settings.field_names_any_case else name)
            if field is None:
                if settings.unknown_field != "ignored":
                    raise RowError("apiSchemaViolation", f"Unknown data field '{name}'")
            elif fits(value, field.type, settings):
                data[field.name] = value
            elif settings.bad_value == "row":
                raise RowError("apiSchemaViolation", f"Invalid value for '{name}'")
            else:
                self.notes.append(("apiSchemaViolation", f"Invalid value for '{name}'"))
        return data

    def _checked_lists(self, list_ids: Sequence[int]) -> list[MailingList]:
        lists = []
        for list_id in list_ids:
            mailing_list = self._account.lists.get(list_id)
            if mailing_list is not None and not mailing_list.reserved:
                lists.append(mailing_list)
            elif self._settings.unknown_list == "failed":
                raise RowError("invalidAddressBookIds", f"Invalid list id {list_id}")
            else:
                self.notes.append(("invalidAddressBookIds", f"Invalid list id {list_id}"))
        return lists

    def _merge_into(self, contact: Contact, given: Mapping[str, Any]) -> None:
        data = contact.data
        for name, value in given.items():
            if not self._overwrites(data.get(name), value):
                continue
            if value is None:
                data.pop(name, None)
            else:
                data[name] = value
        contact.store(data)

    def _overwrites(self, old: Any, new: Any) -> bool:
        if self._merge == "overwriteIfEmpty":
            return old in _EMPTY
        if self._merge == "overwriteIfNotEmpty" and new in _EMPTY:
            return new is None and self._settings.null_clears_if_not_empty
        return True

    def _set_channel(self, contact: Contact, given: Mapping[str, Any], is_new: bool) -> None:
        if contact.email is None:
            return
        if "emailType" in given:
            contact.email_type = _canonical(given["emailType"])
        if "optInType" in given:
            contact.opt_in_type = _canonical(given["optInType"])
        status = given["status"].lower() if "status" in given else None
        if status == "subscribed" and contact.status not in WILLING:
            self._revive(contact, given.get("resubscribeOptions") or {})
        elif status is not None or is_new:
            self._account.set_status(contact, status or "subscribed", self._now)
        asks_double = _canonical(given.get("optInType", "")) == "verifiedDouble"
        enforced = is_new and self._settings.enforce_double_opt_in
        if contact.status == "subscribed" and (asks_double or enforced):
            self._challenge(contact)

    def _revive(self, contact: Contact, options: Mapping[str, Any]) -> None:
        """Somebody who said no is asked for again."""
        if self._settings.subscribed_revives == "unsubscribed" and contact.status != "unsubscribed":
            return
        if options.get("resubscribeWithNoChallenge", True):
            self._account.set_status(contact, "subscribed", self._now)
        else:
            self._challenge(contact)

    def _challenge(self, contact: Contact) -> None:
        contact.status = "pendingOptIn"
        self._account.counts.confirmation_mails += 1

    def _join(self, mailing_list: MailingList, contact: Contact) -> None:
        if contact.id in mailing_list.said_no:
            is_on = contact.id in mailing_list.members
            revives = self._settings.adding_resubscribes if is_on else self._settings.removal_forgets_unsubscribe
            if not revives:
                mailing_list.put(contact.id, "suppressed")
                return
            del mailing_list.said_no[contact.id]
            self._account.counts.resubscribes += 1
            self._account.counts.list_resubscribes += 1
        mailing_list.put(contact.id, "pending" if contact.status == "pendingOptIn" else "subscribed")

    def _add_consents(self, contact: Contact, records: Sequence[Any]) -> None:
        if all(type(each) is dict and all(_is_text(each.get(member)) for member in _CONSENT) for each in records):
            contact.consents = (*contact.consents, *records)
        else:
            what = "The provided consent records could not be applied as they were incorrectly formatted"
            self.notes.append(("consentRecordsNotApplied", what))


def _canonical(value: str) -> str:
    """An enumerated value in lower camel case, however it was sent."""
    lower = value.lower()
    return {"plaintext": "plainText", "verifieddouble": "verifiedDouble"}.get(lower, cased(lower, "camel"))


def _is_text(value: Any) -> bool:
    return type(value) is str and value != ""


def _valid_address(value: Any) -> bool:
    if type(value) is not str or len(value) > _LONGEST_ADDRESS or not value.isascii():
        return False
    return _ADDRESS.fullmatch(value) is not None


def _valid_mobile_number(value: Any) -> bool:
    return type(value) is str and _MOBILE_NUMBER.fullmatch(value) is not None


def _valid_contact_id(value: Any) -> bool:
    return type(value) is int and value >= 0


# Identifier -> the code of a value that is not valid, and the test.
_IDENTIFIERS = {
    "email": ("invalidEmail", _valid_address),
    "mobileNumber": ("invalidPhoneNumber", _valid_mobile_number),
    "contactId": ("invalidContactId", _valid_contact_id),
}
