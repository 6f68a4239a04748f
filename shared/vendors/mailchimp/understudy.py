"""What Mailchimp would say to whatever writes. Facts: Mailchimp contract, sections 3, 4 and 7.

Who is in the audience decides, and who has the tag. An address that looks fake to Mailchimp, or of somebody who was
deleted for good, is known once it is sent.
"""

from __future__ import annotations

import gzip
import io
import re
import tarfile
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from shared.mailbox import normalised
from shared.transport import Answer
from shared.vendors import rolls
from shared.vendors.hashes import Hashes
from shared.vendors.mailchimp import people, requests, responses
from shared.vendors.mailchimp.definition import DEFINITION, MOST_PAGE
from shared.vendors.rehearsing import FEW, REHEARSED, Called, Understudy, json_answer

_ROOT = "/3.0/"
_JOBS = f"{_ROOT}batches"
_RESULTS = f"{_ROOT}{REHEARSED}/"
_AUDIENCE = re.compile(rf"{_ROOT}lists/([^/]+)")
_TAGS = re.compile(rf"{_ROOT}lists/([^/]+)/segments")
_TAG = re.compile(rf"{_ROOT}lists/([^/]+)/segments/([^/]+)")
_MEMBER = re.compile(rf"{_ROOT}lists/([^/]+)/members/([^/]+)")
_MEMBER_TAGS = re.compile(rf"{_ROOT}lists/([^/]+)/members/([^/]+)/tags")
_FIELDS = re.compile(rf"{_ROOT}lists/([^/]+)/merge-fields")
_TAG_ID = 9_999_999_999
"""Id of a tag that a rehearsal pretends to make; Mailchimp gives it to none."""
_WILLING = ("subscribed", "transactional")
"""Statuses of people who are tagged and changed; all others are left alone before anything is written."""


class MailchimpUnderstudy(Understudy):
    """One audience's. Reads who is in it: a few one by one, more of them page by page. Every job has ended when it is
    asked about."""

    roots = (_ROOT,)

    def __init__(self) -> None:
        super().__init__()
        self._there = Hashes()
        self._unwilling = Hashes()
        self._absent = Hashes()
        """Ids of people who are in the audience and may be tagged, of some who may not, and of some who are not in
        it."""
        self._whole = False
        self._added = Hashes()
        """Ids of people whom the rehearsal would have added."""
        self._jobs: dict[str, list[tuple[str, bool]]] = {}

    def answer(self, called: Called) -> Answer | None:
        if called.method == "GET":
            return self._shown(called)
        if called.path == _JOBS:
            return self._job(called)
        for path, act in self._writes().items():
            if found := path.fullmatch(called.path):
                with self.lock:
                    told: Answer = act(called, *found.groups())
                return told
        return None

    def _writes(self) -> Mapping[re.Pattern[str], Any]:
        return {
            _AUDIENCE: self._import,
            _TAGS: lambda called, _: json_answer({"id": _TAG_ID, "name": called.json()["name"], "type": "static"}),
            _TAG: self._tag,
            _MEMBER: self._update,
            _MEMBER_TAGS: lambda called, *_: Answer(204),
            _FIELDS: lambda called, _: json_answer({**called.json(), "merge_id": _TAG_ID}),
        }

    def _shown(self, called: Called) -> Answer | None:
        if called.path == _JOBS and self._jobs:
            return json_answer({"batches": [_job(called, each) for each in self._jobs]})
        if called.path.startswith(_RESULTS):
            return Answer(200, {}, _packed(self._jobs[called.path.removeprefix(_RESULTS)]))
        found = _TAG.match(called.path)
        if found and found[2] == str(_TAG_ID):
            return json_answer({"members": [], "total_items": 0})
        return None

    def _import(self, called: Called, audience_id: str) -> Answer:
        rows = [each["email_address"] for each in called.json()["members"]]
        there = self._known(called, audience_id, [people.place_of(each) for each in rows])
        new = [address for address, is_there in zip(rows, there, strict=True) if not is_there]
        for address in new:
            self._added.add(people.place_of(address))
        old = [address for address, is_there in zip(rows, there, strict=True) if is_there]
        errors = [{"email_address": each, "error": "", "error_code": _EXISTS} for each in old]
        return json_answer({"new_members": _named(new), "updated_members": [], "errors": errors})

    def _tag(self, called: Called, audience_id: str, tag_id: str) -> Answer:
        body = called.json()
        adds = "members_to_add" in body
        rows: list[str] = body["members_to_add" if adds else "members_to_remove"]
        there = self._known(called, audience_id, [people.place_of(each) for each in rows])
        tagged = self._tagged(called, audience_id, rows, there)
        refused = [address for address, has_it in zip(rows, tagged, strict=True) if self._refuses(address, has_it)]
        done = [
            address
            for address, is_there, has_it in zip(rows, there, tagged, strict=True)
            if is_there and has_it is not adds and address not in refused
        ]
        key, other = ("members_added", "members_removed") if adds else ("members_removed", "members_added")
        errors = [{"email_addresses": refused, "error": ""}] if refused else []
        return json_answer({key: _named(done), other: [], "errors": errors})

    def _refuses(self, address: str, has_it: bool) -> bool:
        """Whether the call for many does not touch this person, who is in the audience and not subscribed. Where the
        audience was read, whoever has the tag and was not among its people is one of those."""
        member = people.place_of(address)
        if member in self._there or member in self._added:
            return False
        return member in self._unwilling or (self._whole and has_it)

    def _tagged(self, called: Called, audience_id: str, rows: Sequence[str], there: Sequence[bool]) -> list[bool]:
        if self.on_target is not None:
            return [self.on_target(normalised(each)) for each in rows]
        _, _, tag_id = self.target.rpartition("/")
        found = [
            responses.member(called.ask(requests.member(audience_id, people.place_of(each)))) if is_there else None
            for each, is_there in zip(rows, there, strict=True)
        ]
        return [each is not None and tag_id in each.tags for each in found]

    def _update(self, called: Called, audience_id: str, member: str) -> Answer:
        return json_answer({}) if self._known(called, audience_id, [member])[0] else json_answer({"status": 404}, 404)

    def _job(self, called: Called) -> Answer:
        operations = called.json()["operations"]
        places = [_MEMBER.fullmatch(f"{_ROOT}{each['path'].lstrip('/')}") for each in operations]
        members = [found[2] for found in places if found]
        audience_id = next((found[1] for found in places if found), "")
        with self.lock:
            known = self._known(called, audience_id, members)
            name = self.pretended()
            self._jobs[name] = [(each["operation_id"], it) for each, it in zip(operations, known, strict=True)]
        return json_answer({"id": name, "status": "pending", "response_body_url": ""})

    def _known(self, called: Called, audience_id: str, members: Sequence[str]) -> list[bool]:
        """Which of these are in the audience, those included whom the rehearsal would have added."""
        unsure = [each for each in members if not self._is_sure(each)]
        if len(unsure) > FEW and not self._whole:
            self._read(called, audience_id)
        for each in unsure:
            if not self._is_sure(each):
                shown = responses.member(called.ask(requests.member(audience_id, each)))
                self._roll_of(shown).add(each)
        return [any(each in known for known in (self._added, self._there, self._unwilling)) for each in members]

    def _roll_of(self, shown: responses.Member | None) -> Hashes:
        if shown is None or shown.status == "archived":
            return self._absent
        return self._there if shown.status in _WILLING else self._unwilling

    def _is_sure(self, member: str) -> bool:
        return self._whole or any(
            member in known for known in (self._added, self._there, self._unwilling, self._absent)
        )

    def _read(self, called: Called, audience_id: str) -> None:
        for status in _WILLING:

            def ask(offset: int, status: str = status) -> Sequence[responses.Standing]:
                return responses.members(called.ask(requests.members(audience_id, status, offset)))

            for each in rolls.every(DEFINITION.label, ask, MOST_PAGE):
                self._there.add(each.who)
        self._whole = True


_EXISTS = "ERROR_CONTACT_EXISTS"


def _named(addresses: Sequence[str]) -> list[dict[str, str]]:
    return [{"email_address": each} for each in addresses]


def _job(called: Called, name: str) -> dict[str, str]:
    return {"id": name, "status": responses.OVER, "response_body_url": f"{called.base}{_RESULTS}{name}"}


def _packed(results: Sequence[tuple[str, bool]]) -> bytes:
    """Results of a job as Mailchimp packs them: a file in a tar, gzipped."""
    told = [{"operation_id": name, "status_code": 200 if is_there else 404} for name, is_there in results]
    content, whole = orjson.dumps(told), io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        entry = tarfile.TarInfo("results.json")
        entry.size = len(content)
        archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(whole.getvalue(), 1)


UNDERSTUDY = MailchimpUnderstudy
