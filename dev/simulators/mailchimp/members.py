"""Members one by one, and reading them by status (contract sections 4c and 5)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.mailchimp import answers, bodies, queries, shapes
from dev.simulators.mailchimp.account import Desk, audience_of
from dev.simulators.mailchimp.answers import FieldError, invalid, nothing, refuse, shown
from dev.simulators.mailchimp.audience import Audience, Member
from dev.simulators.mailchimp.settings import Status
from dev.simulators.mailchimp.values import address_problem, hash_of, written
from dev.simulators.mailchimp.writing import SchemaError, Writer

MANY = "/lists/{list_id}/members"
ONE = f"{MANY}/{{subscriber_hash}}"
_SORTS = {"last_changed": "changed", "timestamp_signup": "signed_up", "timestamp_opt": "opted"}


class Members:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", MANY, self._many),
            Endpoint("POST", MANY, self._post),
            Endpoint("GET", ONE, self._one),
            Endpoint("PUT", ONE, self._put),
            Endpoint("PATCH", ONE, self._patch),
            Endpoint("DELETE", ONE, self._archive),
            Endpoint("POST", f"{ONE}/actions/delete-permanent", self._delete),
        ]

    def _many(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        status = queries.one_of(call, "status", get_args(Status))
        after, before = queries.moment(call, "since_last_changed"), queries.moment(call, "before_last_changed")
        left_after = queries.moment(call, "unsubscribed_since")
        if left_after is not None and status != "unsubscribed":
            raise refuse("unsubscribed_since", "unsubscribed_since needs status=unsubscribed")
        sort = queries.one_of(call, "sort_field", tuple(_SORTS))
        descending = queries.one_of(call, "sort_dir", ("ASC", "DESC")) == "DESC"

        def wanted(member: Member) -> bool:
            if (member.status != status) if status else member.status == "archived":
                return False
            # The vendor keeps seconds, and "since" is after, not at (contract section 5).
            changed = int(member.changed)
            if (after is not None and changed <= after) or (before is not None and changed >= before):
                return False
            return left_after is None or changed > left_after

        attribute = _SORTS.get(sort or "", "number")
        found = audience.sorted(
            (status, after, before, left_after, sort, descending),
            (each for each in audience.members.values() if wanted(each)),
            lambda each: (getattr(each, attribute), each.number),
            descending,
        )
        page = queries.page(call, found, self._desk.settings.most_count)
        body = {
            "members": [shapes.member(audience, each) for each in page],
            "list_id": audience.id,
            "total_items": len(found),
            "_links": [],
        }
        return shown(queries.cut(call, body, shapes.MEMBERS))

    def _one(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        return shown(queries.cut(call, shapes.member(audience, self.find(call, audience)), shapes.ONE_MEMBER))

    def find(self, call: Call, audience: Audience) -> Member:
        """Raises `Refusal` (404)."""
        found = audience.members.get(_hash(call))
        if found is None:
            raise Refusal(answers.not_found())
        return found

    def _post(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        body = self._body(call, bodies.POST_MEMBER)
        address = self._address(body["email_address"])
        member = audience.member(address)
        if member is not None and member.status != "archived":
            return answers.member_exists(address)
        return self._write(call, audience, member, address, body, body["status"])

    def _put(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        body = self._body(call, bodies.PUT_MEMBER)
        address = self._address(body["email_address"])
        member = audience.members.get(_hash(call))
        if member is None:
            other = audience.member(address)
            if other is not None:
                return answers.member_exists(address)
            status = body.get("status_if_new") or self._status_without_any()
            return self._write(call, audience, None, address, body, status)
        if audience.member(address) not in (None, member):
            return answers.member_exists(address)
        return self._write(call, audience, member, address, body, body.get("status"))

    def _status_without_any(self) -> Status:
        if self._desk.settings.put_without_status == "refused":
            raise refuse("status_if_new", "This value should not be blank.")
        return "subscribed"

    def _patch(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        member = self.find(call, audience)
        body = self._body(call, bodies.PATCH_MEMBER)
        address = self._address(body.get("email_address", member.email))
        if audience.member(address) not in (None, member):
            return answers.member_exists(address)
        return self._write(call, audience, member, address, body, body.get("status"))

    def _write(
        self,
        call: Call,
        audience: Audience,
        member: Member | None,
        address: str,
        body: dict[str, Any],
        status: Status | None,
    ) -> Answer:
        writer = Writer(audience, self._desk.of(call).counts, self._desk.settings, self._desk.clock.epoch())
        if member is None and hash_of(address) in audience.forgotten:
            return answers.forgotten(address)
        if member is not None and writer.refuses(member, status):
            return answers.in_compliance_state(address)
        try:
            values, errors = writer.values(body, member, queries.flag(call, "skip_merge_validation"))
        except SchemaError as error:
            return invalid(detail=str(error))
        if errors:
            return invalid(*errors, detail="Your merge fields were invalid.")
        if member is None:
            member = writer.create(address, status or "subscribed", values)
        else:
            writer.change(member, values, status)
            writer.rename(member, address)
        return shown(shapes.member(audience, member), rows=1, touched=[member.email.lower()])

    def _archive(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        member = self.find(call, audience)
        if member.status == "archived":
            return answers.method_not_allowed()
        Writer(audience, self._desk.of(call).counts, self._desk.settings, self._desk.clock.epoch()).archive(member)
        return nothing([member.email.lower()])

    def _delete(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        member = self.find(call, audience)
        audience.erase(member)
        audience.forgotten.add(member.hash)
        self._desk.of(call).counts.members_deleted += 1
        return nothing([member.email.lower()])

    def _body(self, call: Call, shape: bodies.Shape) -> dict[str, Any]:
        return bodies.read(call, shape, self._desk.of(call).counts.ignored_keys)

    def _address(self, text: str) -> str:
        """Raises `Refusal` (400) for what is no address."""
        address = text.strip()
        if (wrong := address_problem(address, self._desk.settings.fake_domains)) is not None:
            raise Refusal(invalid(FieldError("email_address", wrong), detail=wrong))
        return address


def _hash(call: Call) -> str:
    """The address itself is taken in place of its hash."""
    given: str = call.parameters["subscriber_hash"]
    return hash_of(given) if "@" in given else given.lower()


def tags_of(audience: Audience, member: Member) -> list[dict[str, Any]]:
    added = written(member.changed)
    return [{**shapes.tag(audience, each), "date_added": added} for each in member.tags]
