"""Putting people on a list, many at once or one: who is refused, and what is written (contract sections 4 and 5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from dev.simulators.campaign_monitor import answers
from dev.simulators.campaign_monitor.addresses import valid_address, valid_mobile
from dev.simulators.campaign_monitor.bodies import Row, consent_fault
from dev.simulators.campaign_monitor.clients import Client, MailingList, Subscriber
from dev.simulators.campaign_monitor.fields import LONGEST_VALUE, NO_DATE, Field, TooLongError, taken_value
from dev.simulators.campaign_monitor.settings import Settings, State

TOO_LONG = 400
_STATE_CODES: Mapping[State, int] = {"Deleted": 205, "Unsubscribed": 206, "Bounced": 207, "Unconfirmed": 208}
_SUPPRESSED = 204
_Values = dict[str, str | list[str]]


@dataclass(frozen=True, slots=True)
class Flags:
    """What is said once for all rows; absent is False."""

    resubscribe: bool
    queue_autoresponders: bool
    restart_autoresponders: bool

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Flags:
        return cls(
            body.get("Resubscribe", False),
            body.get("QueueSubscriptionBasedAutoResponders", False),
            body.get("RestartSubscriptionBasedAutoresponders", False),
        )


@dataclass(slots=True)
class Outcome:
    """`failures` are (address, code); `done` are the addresses that the import took effect on."""

    unique: int
    duplicates: list[str]
    failures: list[tuple[str, int]] = field(default_factory=list)
    existing: int = 0
    new: int = 0
    done: list[str] = field(default_factory=list)

    def as_json(self, codes_as_text: bool) -> dict[str, Any]:
        failures = [
            {"EmailAddress": address, "Code": str(code) if codes_as_text else code, "Message": answers.message(code)}
            for address, code in self.failures
        ]
        return {
            "FailureDetails": failures,
            "TotalUniqueEmailsSubmitted": self.unique,
            "TotalExistingSubscribers": self.existing,
            "TotalNewSubscribers": self.new,
            "DuplicateEmailsInSubmission": self.duplicates,
        }


class Importer:
    """Writes rows to one list of a client."""

    def __init__(self, client: Client, mailing_list: MailingList, settings: Settings, flags: Flags, now: float) -> None:
        self._client = client
        self._list = mailing_list
        self._settings = settings
        self._flags = flags
        self._now = now
        self._fields = _by_payload_key(mailing_list, settings)
        self._plain = {key: known.id for key, known in self._fields.items() if known.data_type == "Text"}

    def run(self, rows: Sequence[Row]) -> Outcome:
        unique, duplicates = self._unique(rows)
        outcome = Outcome(len(unique), duplicates)
        for key, row in unique.items():
            subscriber = self._list.subscribers.get(key)
            code = self.refusal(key, row, subscriber)
            if code is None:
                try:
                    self.write(key, row, subscriber)
                except TooLongError:
                    code = TOO_LONG
            if code is None:
                outcome.done.append(key)
            elif not self._is_untold(key, code, subscriber):
                outcome.failures.append((row.get("EmailAddress") or "", code))
                continue
            outcome.existing += subscriber is not None
            outcome.new += subscriber is None
        return outcome

    def _unique(self, rows: Sequence[Row]) -> tuple[dict[str, Row], list[str]]:
        unique: dict[str, Row] = {}
        duplicates: dict[str, str] = {}
        last_wins = self._settings.duplicate_rows == "last_wins"
        for row in rows:
            address = row.get("EmailAddress") or ""
            key = address.lower()
            if key in unique:
                duplicates.setdefault(key, address)
                if not last_wins:
                    continue
            unique[key] = row
        return unique, [*duplicates.values()]

    def refusal(self, key: str, row: Row, subscriber: Subscriber | None) -> int | None:
        """The code for which `row` is refused, None if it is not; `key` is the address in small letters."""
        if code := self._fault(key, row):
            return code
        if self._settings.consent_errors == "row" and (code := consent_fault(row)):
            return code
        state = subscriber.state if subscriber else None
        if state == "Active":
            return None
        if not self._flags.resubscribe:
            if self._list.heeds_suppression and key in self._client.suppressed:
                return _SUPPRESSED
            return _STATE_CODES[state] if state else None
        return _STATE_CODES["Unconfirmed"] if state == "Unconfirmed" else None

    def _fault(self, key: str, row: Row) -> int | None:
        bad_address = not valid_address(key, self._settings.international_addresses)
        bad_mobile = bool(row.get("MobileNumber")) and not valid_mobile(row["MobileNumber"])
        if bad_mobile:
            return 221 if bad_address else 220
        return 1 if bad_address else None

    def _is_untold(self, key: str, code: int, subscriber: Subscriber | None) -> bool:
        untold = self._settings.untold
        if code == _SUPPRESSED:
            return "Suppressed" in untold
        return subscriber is not None and code == _STATE_CODES.get(subscriber.state) and subscriber.state in untold

    def write(self, key: str, row: Row, subscriber: Subscriber | None) -> None:
        """Add or change the person of `row`, who was not refused. Raises `TooLongError`; then nothing is written."""
        old = subscriber.values if subscriber else {}
        values = self._values(row.get("CustomFields") or (), old)
        self._write_consent(key, row.get("ConsentToTrack") or "Unchanged")
        if subscriber is None:
            address = key if self._settings.address_case == "lower" else row["EmailAddress"]
            subscriber = self._list.add(address, self._first_state, self._now)
            self._welcome(key, subscriber)
        elif subscriber.state != "Active":
            self._readmit(key, subscriber)
        self._list.version += 1
        self._write_person(row, subscriber)
        if values != old:
            subscriber.store(values)

    @property
    def _first_state(self) -> State:
        return "Unconfirmed" if self._list.confirmed_opt_in else "Active"

    def _write_consent(self, key: str, consent: str) -> None:
        consent = consent.lower()
        if consent == "unchanged" and self._settings.unchanged_for_new == "Yes" and not self._client.knows(key):
            consent = "yes"
        if consent == "yes":
            self._client.tracked.add(key)
        elif consent == "no":
            self._client.tracked.discard(key)

    def _welcome(self, key: str, subscriber: Subscriber) -> None:
        """What becoming a subscriber sets off; coming from the suppression list, too."""
        counts = self._client.counts
        if key in self._client.suppressed:
            if self._list.heeds_suppression:
                del self._client.suppressed[key]
                counts.resubscribes += 1
            else:
                counts.suppressed_added += 1
        counts.verification_mails += subscriber.state == "Unconfirmed"
        counts.confirmation_mails += subscriber.state == "Active" and self._list.confirmation_mail
        counts.autoresponders += self._flags.queue_autoresponders

    def _readmit(self, key: str, subscriber: Subscriber) -> None:
        counts = self._client.counts
        if subscriber.refused:
            counts.resubscribes += not (self._list.heeds_suppression and key in self._client.suppressed)
        else:
            counts.reentries += 1
        subscriber.refused = False
        self._list.move(subscriber, self._first_state, self._now)
        self._welcome(key, subscriber)
        counts.autoresponders += self._flags.restart_autoresponders and not self._flags.queue_autoresponders

    def _write_person(self, row: Row, subscriber: Subscriber) -> None:
        name = row.get("Name")
        if name is not None or self._settings.name_omitted == "cleared":
            subscriber.name = name or ""
        if (mobile := row.get("MobileNumber")) is not None:
            subscriber.mobile = mobile
        if (sms := row.get("ConsentToSendSms")) is not None and sms.lower() != "unchanged":
            subscriber.sms = sms.lower() == "yes"

    def _values(self, given: Sequence[Mapping[str, Any]], old: _Values) -> _Values:
        """`old` with what is given: unknown keys are dropped, a field that is not named stays."""
        values = dict(old)
        chosen: set[str] = set()
        for each in given:
            key, value = each.get("Key") or "", each.get("Value") or ""
            plain = self._plain.get(key)
            if plain is not None and 0 < len(value) <= LONGEST_VALUE and not each.get("Clear"):
                values[plain] = value
            elif (known := self._known(key)) is not None:
                self._set(values, known, value, bool(each.get("Clear")), chosen)
        return values

    def _known(self, key: str) -> Field | None:
        known = self._fields.get(key.lower() if self._settings.keys_any_case else key)
        if known is None:
            self._client.dropped_keys[key] += 1
        return known

    def _set(self, values: _Values, known: Field, value: str, clear: bool, chosen: set[str]) -> None:
        if clear or self._clears(known, value):
            values.pop(known.id, None)
            return
        taken = taken_value(known, value, self._settings) if value else None
        if taken is None:
            return
        if known.data_type != "MultiSelectMany":
            values[known.id] = taken
            return
        # A set that is given replaces the old one, so the first option starts it anew.
        options = values.get(known.id) if known.id in chosen else None
        values[known.id] = [*(options or ()), taken]
        chosen.add(known.id)

    def _clears(self, known: Field, value: str) -> bool:
        if not value:
            return self._settings.empty_value == "clears"
        return known.data_type == "Date" and value == NO_DATE


def _by_payload_key(mailing_list: MailingList, settings: Settings) -> dict[str, Field]:
    keys = {each.key: each for each in mailing_list.fields}
    if settings.bracketed_keys:
        keys |= {f"[{key}]": known for key, known in keys.items()}
    if settings.keys_any_case:
        keys = {key.lower(): known for key, known in keys.items()}
    return keys
