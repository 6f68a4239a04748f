"""Tags, which are static segments, and who has them (contract sections 3 and 6)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.mailchimp import answers, bodies, queries, shapes
from dev.simulators.mailchimp.account import Desk, audience_of
from dev.simulators.mailchimp.answers import FieldError, bad_request, invalid, nothing, refuse, shown
from dev.simulators.mailchimp.audience import Audience, Member, Segment
from dev.simulators.mailchimp.members import ONE, Members, tags_of
from dev.simulators.mailchimp.settings import Status

MANY_SEGMENTS = "/lists/{list_id}/segments"
ONE_SEGMENT = f"{MANY_SEGMENTS}/{{segment_id}}"
_TYPES = ("saved", "static", "fuzzy")
_FLAGS: tuple[tuple[str, Status], ...] = (
    ("include_cleaned", "cleaned"),
    ("include_transactional", "transactional"),
    ("include_unsubscribed", "unsubscribed"),
)


class Segments:
    def __init__(self, desk: Desk, members: Members) -> None:
        self._desk = desk
        self._members = members

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", MANY_SEGMENTS, self._many),
            Endpoint("POST", MANY_SEGMENTS, self._create),
            Endpoint("GET", ONE_SEGMENT, self._one),
            Endpoint("POST", ONE_SEGMENT, self._tag_many),
            Endpoint("PATCH", ONE_SEGMENT, self._replace),
            Endpoint("DELETE", ONE_SEGMENT, self._delete),
            Endpoint("GET", f"{ONE_SEGMENT}/members", self._people),
            Endpoint("GET", "/lists/{list_id}/tag-search", self._search),
            Endpoint("GET", f"{ONE}/tags", self._tags_of_one),
            Endpoint("POST", f"{ONE}/tags", self._tag_one),
        ]

    def _segment(self, call: Call, audience: Audience) -> Segment:
        text = call.parameters["segment_id"]
        found = audience.segments.get(int(text)) if text.isascii() and text.isdecimal() else None
        if found is None:
            raise Refusal(answers.not_found())
        return found

    def _many(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        kind = queries.one_of(call, "type", _TYPES)
        statuses = self._statuses(call)
        found = [each for each in audience.segments.values() if kind in (None, each.type)]
        page = queries.page(call, found, self._desk.settings.most_count)
        body = {
            "segments": [shapes.segment(audience, each, self._count(each, statuses)) for each in page],
            "list_id": audience.id,
            "total_items": len(found),
            "_links": [],
        }
        return shown(queries.cut(call, body, shapes.SEGMENTS))

    def _create(self, call: Call) -> Answer:
        audience, account = audience_of(self._desk, call), self._desk.of(call)
        body = bodies.read(call, bodies.SEGMENT, account.counts.ignored_keys)
        name = self._name(body["name"])
        if "static_segment" not in body and "options" not in body:
            return bad_request('Must provide either an "options" field or a "static_segment" field')
        if audience.segment_named(name) is not None and not self._desk.settings.duplicate_segment_names:
            return bad_request("Sorry, that tag already exists.")
        made = audience.create_segment(name, self._desk.clock.epoch())
        if "options" in body and "static_segment" not in body:
            made.type, made.options = "saved", body["options"]
        for address in body.get("static_segment", ()):
            if (member := audience.member(address)) is not None:
                account.counts.automations_started += audience.tag(member, made)
        return shown(shapes.segment(audience, made, self._count(made, ("subscribed",))))

    def _name(self, text: str) -> str:
        name, longest = text.strip(), self._desk.settings.longest_segment_name
        if not name or len(name) > longest or any(ord(letter) < 32 for letter in name):
            raise refuse("name", f"A name has 1 to {longest} characters.")
        return name

    def _one(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        found = self._segment(call, audience)
        statuses = self._statuses(call)
        honoured = statuses if self._desk.settings.count_flags == "honoured" else statuses[:1]
        body = shapes.segment(audience, found, self._count(found, honoured))
        return shown(queries.cut(call, body, shapes.ONE_SEGMENT))

    def _statuses(self, call: Call) -> tuple[Status, ...]:
        """Only active people, and those that flags ask for; nobody archived, and nobody pending."""
        return ("subscribed", *(status for flag, status in _FLAGS if queries.flag(call, flag)))

    def _count(self, segment: Segment, statuses: Sequence[Status]) -> int:
        """May be old by a switch: the last number is then told again."""
        now, (at, number) = self._desk.clock.epoch(), segment.counted
        if now - at < self._desk.settings.count_stale_seconds:
            return number
        number = sum(each.status in statuses for each in segment.members)
        segment.counted = (now, number)
        return number

    def _people(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        found, statuses = self._segment(call, audience), self._statuses(call)
        place: Callable[[Member], Any] = lambda each: each.number  # noqa: E731
        people = audience.sorted(
            ("tag", found.id, statuses), (each for each in found.members if each.status in statuses), place, False
        )
        page = queries.page(call, people, self._desk.settings.most_count)
        body = {
            "members": [shapes.bulk_member(audience, each) for each in page],
            "total_items": len(people),
            "_links": [],
        }
        return shown(queries.cut(call, body, shapes.MEMBERS))

    def _tag_many(self, call: Call) -> Answer:
        audience, account, settings = audience_of(self._desk, call), self._desk.of(call), self._desk.settings
        found = self._segment(call, audience)
        if found.type != "static":
            return answers.not_found(f"A Static Segment with an id of {found.id} does not exist for this list.")
        body = bodies.read(call, bodies.TAGGING, account.counts.ignored_keys)
        adding, removing = body.get("members_to_add", []), body.get("members_to_remove", [])
        for name, addresses in (("members_to_add", adding), ("members_to_remove", removing)):
            if len(addresses) > settings.most_members:
                return replace(
                    invalid(FieldError(name, f"The maximum is {settings.most_members}.")), rows=len(addresses)
                )
        if {each.lower() for each in adding} & {each.lower() for each in removing}:
            return bad_request("An address cannot be added and removed in one call.")
        added, add_refused, unknown = self._each(
            audience, adding, lambda member: audience.tag(member, found) or settings.already_tagged == "listed"
        )
        removed, remove_refused, strangers = self._each(
            audience, removing, lambda member: audience.untag(member, [found.id])
        )
        account.counts.unknown_in_tag_calls += unknown + strangers
        account.counts.automations_started += len(added)
        found.updated = self._desk.clock.epoch()
        errors = [
            {"email_addresses": addresses, "error": text}
            for addresses, text in (
                (add_refused, "Contacts could not be added to the segment."),
                (remove_refused, "Contacts could not be removed from the segment."),
            )
            if addresses
        ]
        answer = {
            "members_added": [shapes.bulk_member(audience, each) for each in added],
            "members_removed": [shapes.bulk_member(audience, each) for each in removed],
            "errors": errors,
            "total_added": len(added),
            "total_removed": len(removed),
            "error_count": len(add_refused) + len(remove_refused),
            "_links": [],
        }
        touched = [each.email.lower() for each in (*added, *removed)]
        told = shown(answer, rows=len(adding) + len(removing), touched=touched)
        return replace(told, left=[each.email.lower() for each in removed])

    def _each(
        self, audience: Audience, addresses: Sequence[str], act: Callable[[Member], bool]
    ) -> tuple[list[Member], list[str], int]:
        """Who was changed, who was refused, and how many are nobody here."""
        changed, refused, unknown = [], [], 0
        for address in dict.fromkeys(addresses):
            member = audience.member(address.strip())
            if member is None:
                unknown += 1
            elif member.status not in self._desk.settings.taggable:
                refused.append(address)
            elif act(member):
                changed.append(member)
        return changed, refused, unknown

    def _replace(self, call: Call) -> Answer:
        """`static_segment` names everybody who is to have the tag: an empty one empties it."""
        audience, account = audience_of(self._desk, call), self._desk.of(call)
        found = self._segment(call, audience)
        body = bodies.read(call, bodies.SEGMENT, account.counts.ignored_keys)
        found.name = self._name(body["name"])
        if "static_segment" in body:
            account.counts.segments_emptied += not body["static_segment"]
            for member in list(found.members):
                audience.untag(member, [found.id])
            for address in body["static_segment"]:
                if (known := audience.member(address)) is not None:
                    audience.tag(known, found)
        return shown(shapes.segment(audience, found, self._count(found, ("subscribed",))))

    def _delete(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        audience.delete_segment(self._segment(call, audience))
        self._desk.of(call).counts.segments_deleted += 1
        return nothing()

    def _search(self, call: Call) -> Answer:
        """By the beginning of the name; without a name all."""
        audience, prefix = audience_of(self._desk, call), call.query.get("name", "").lower()
        tags = [
            shapes.tag(audience, each.id)
            for each in audience.segments.values()
            if each.type == "static" and each.name.lower().startswith(prefix)
        ]
        return shown({"tags": tags, "total_items": len(tags)})

    def _tags_of_one(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        tags = tags_of(audience, self._members.find(call, audience))
        page = queries.page(call, tags, self._desk.settings.most_count)
        return shown(queries.cut(call, {"tags": page, "total_items": len(tags), "_links": []}, shapes.TAGS))

    def _tag_one(self, call: Call) -> Answer:
        """By name, for members in every state; `active` makes a tag that is not there."""
        audience, account = audience_of(self._desk, call), self._desk.of(call)
        body = bodies.read(call, bodies.TAGS, account.counts.ignored_keys)
        errors = [
            error
            for number, tag in enumerate(body["tags"])
            for error in bodies.wrong(tag, bodies.ONE_TAG, account.counts.ignored_keys, f"tags.{number}.")
        ]
        if errors:
            return invalid(*errors)
        member = self._members.find(call, audience)
        for tag in body["tags"]:
            segment = audience.segment_named(tag["name"])
            if tag["status"] == "inactive":
                if segment is not None:
                    audience.untag(member, [segment.id])
                continue
            segment = segment or audience.create_segment(self._name(tag["name"]), self._desk.clock.epoch())
            account.counts.automations_started += audience.tag(member, segment) and not body.get("is_syncing")
        return nothing([member.email.lower()])
