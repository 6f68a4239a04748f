"""Lists, who is on them, and taking people off (contract sections 2, 5 and 6)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.klaviyo import answers, bodies, query, shapes
from dev.simulators.klaviyo.account import Account, MailingList, Profile
from dev.simulators.klaviyo.answers import HOST, document, nothing, refuse
from dev.simulators.klaviyo.desk import Desk
from dev.simulators.klaviyo.paging import links, page
from dev.simulators.klaviyo.query import EQUALITY, LATER, RANGE, Filter, Known, Query
from dev.simulators.klaviyo.values import precise, written

PATH = "/api/lists"
_ONE_PATH = f"{PATH}/{{id}}"
_MEMBERS_PATH = f"{_ONE_PATH}/relationships/profiles"
_MOST_IDS = 1000
_OPT_INS = ("double_opt_in", "single_opt_in", None)

_MANY = Known(
    fields={"list": query.LIST_FIELDS},
    filters={"id": EQUALITY, "name": EQUALITY, "created": LATER, "updated": LATER},
    listed=("name",),
    sorts=("created", "id", "name", "updated"),
    page=(10, 10),
)
_POST = Known(fields={"list": query.LIST_FIELDS})
_ONE = Known(fields={"list": (*query.LIST_FIELDS, "profile_count")}, additional={"list": ("profile_count",)})
_FILTERS = {"email": EQUALITY, "phone_number": EQUALITY, "joined_group_at": RANGE}
_PEOPLE = Known(
    fields={"profile": query.MEMBER_FIELDS},
    additional={"profile": ("subscriptions", "predictive_analytics")},
    filters=_FILTERS,
    sorts=("joined_group_at",),
    page=(20, 100),
)
_IDS = Known(filters=_FILTERS, sorts=("joined_group_at",), page=(20, 100))
_FLOWS = Known(fields={"flow": ("archived", "created", "id", "name", "status", "trigger_type", "updated")})
_NONE = Known()


class Lists:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", PATH, self._many),
            Endpoint("POST", PATH, self._create),
            Endpoint("GET", _ONE_PATH, self._one),
            Endpoint("PATCH", _ONE_PATH, self._rename),
            Endpoint("DELETE", _ONE_PATH, self._delete),
            Endpoint("GET", f"{_ONE_PATH}/profiles", self._people),
            Endpoint("GET", _MEMBERS_PATH, self._people_ids),
            Endpoint("POST", _MEMBERS_PATH, self._add),
            Endpoint("DELETE", _MEMBERS_PATH, self._remove),
            Endpoint("GET", f"{_ONE_PATH}/flow-triggers", self._flows),
        ]

    def _query(self, call: Call, known: Known) -> Query:
        return query.read(call, known, self._desk.settings.longest)

    def _list(self, call: Call) -> MailingList:
        found = self._desk.of(call).lists.get(call.parameters["id"])
        if found is None:
            raise Refusal(answers.not_found(f"A list with id {call.parameters['id']}"))
        return found

    def _many(self, call: Call) -> Answer:
        chosen = self._query(call, _MANY)
        found = [
            each for each in self._desk.of(call).lists.values() if all(_holds(one, each) for one in chosen.filters)
        ]
        by = chosen.sort.removeprefix("-") or "created"
        found.sort(key=lambda each: (getattr(each, by), each.id))
        shown, pages = page(call, chosen, found, lambda each: (getattr(each, by), each.id))
        data = [query.cut(shapes.mailing_list(each), chosen.fields.get("list")) for each in shown]
        return document({"data": data, "links": pages})

    def _create(self, call: Call) -> Answer:
        chosen = self._query(call, _POST)
        attributes = self._named(call)
        made = self._desk.of(call).create_list(attributes["name"], self._desk.clock.epoch())
        made.opt_in = attributes.get("opt_in_process") or made.opt_in
        shown = shapes.mailing_list(made, precise)
        return document({"data": query.cut(shown, chosen.fields.get("list")), "links": shown["links"]}, 201)

    def _named(self, call: Call) -> dict[str, Any]:
        attributes = bodies.resource(bodies.read(call, self._desk.settings.most_bytes), "list")
        longest, name = self._desk.settings.longest_list_name, attributes.get("name")
        if type(name) is not str or not name.strip() or (longest is not None and len(name) > longest):
            raise refuse("A list needs a valid name.", "/data/attributes/name")
        if strangers := attributes.keys() - {"name", "opt_in_process"}:
            raise refuse(f"'{min(strangers)}' is not a valid field for the resource 'list'.", "/data/attributes")
        if attributes.get("opt_in_process") not in _OPT_INS:
            raise refuse("Invalid opt-in process.", "/data/attributes/opt_in_process")
        return attributes

    def _one(self, call: Call) -> Answer:
        chosen = self._query(call, _ONE)
        found = self._list(call)
        shown = shapes.mailing_list(found)
        if "profile_count" in chosen.additional:
            shown["attributes"]["profile_count"] = found.count(self._horizon(call))
        return document({"data": query.cut(shown, chosen.fields.get("list")), "links": shown["links"]})

    def _rename(self, call: Call) -> Answer:
        self._query(call, _POST)
        found = self._list(call)
        found.name = self._named(call)["name"]
        found.updated = self._desk.clock.epoch()
        self._desk.of(call).counts.lists_renamed += 1
        return document({"data": shapes.mailing_list(found)})

    def _delete(self, call: Call) -> Answer:
        self._query(call, _NONE)
        account = self._desk.of(call)
        del account.lists[self._list(call).id]
        account.counts.lists_deleted += 1
        return nothing()

    def _people(self, call: Call) -> Answer:
        chosen = self._query(call, _PEOPLE)
        shown, pages = self._page(call, chosen)
        data = [shapes.chosen_profile(one, chosen, joined_group_at=written(at)) for at, _, one in shown]
        return document({"data": data, "links": pages})

    def _people_ids(self, call: Call) -> Answer:
        shown, pages = self._page(call, self._query(call, _IDS))
        return document({"data": [shapes.identifier("profile", one.id) for _, _, one in shown], "links": pages})

    def _page(self, call: Call, chosen: Query) -> tuple[list[tuple[float, int, Profile]], dict[str, Any]]:
        found = self._list(call)
        members = self._members(self._desk.of(call), found, chosen.filters, self._horizon(call))
        return page(call, chosen, members, lambda each: (each[0], each[1]))

    def _members(
        self, account: Account, found: MailingList, filters: Sequence[Filter], horizon: float
    ) -> Sequence[tuple[float, int, Profile]]:
        """Those whom a reader sees, by the moment they joined."""
        named = next((each for each in filters if each.operator in EQUALITY), None)
        if named is not None:
            owners = (account.by(named.name, value) for value in named.values)
            people = dict.fromkeys(each for each in owners if each is not None and found.shows(each, horizon))
            members = sorted((found.members.get(each, 0.0), each.number, each) for each in people)
        elif self._desk.settings.stale_seconds:
            present = [each for each in found.walk() if each[0] <= horizon]
            members = sorted([*((0.0, each.number, each) for each, at in found.left.items() if at > horizon), *present])
        else:
            members = found.walk()
        rest = [each for each in filters if each is not named]
        return [each for each in members if all(_passes(one, each) for one in rest)] if rest else members

    def _horizon(self, call: Call) -> float:
        return self._desk.of(call).horizon(self._desk.settings, self._desk.clock.epoch())

    def _add(self, call: Call) -> Answer:
        self._query(call, _NONE)
        account, found = self._desk.of(call), self._list(call)
        people = self._named_people(call, account)
        for each in people:
            account.add(found, each, self._desk.clock.epoch())
        return nothing(len(people), [each.email for each in people])

    def _remove(self, call: Call) -> Answer:
        """Consent and suppression stay as they are (contract section 5)."""
        self._query(call, _NONE)
        account, found = self._desk.of(call), self._list(call)
        people = self._named_people(call, account)
        absent = [each for each in people if each not in found.members]
        if absent and self._desk.settings.absent_removal == 400:
            raise refuse(f"Profiles not on the list: {', '.join(each.id for each in absent)}")
        for each in people:
            found.leave(each, self._desk.clock.epoch())
        return nothing(len(people), [each.email for each in people])

    def _named_people(self, call: Call, account: Account) -> list[Profile]:
        """Unknown ids refuse the whole call, and are named."""
        ids = bodies.identifiers(bodies.read(call, self._desk.settings.most_bytes), "profile", _MOST_IDS)
        found = {each: account.by_id(each) for each in ids}
        if unknown := [each for each, profile in found.items() if profile is None]:
            raise Refusal(
                answers.with_rows(
                    answers.refused(400, answers.invalid(f"Invalid profile IDs: {', '.join(unknown)}")), len(ids)
                )
            )
        return [profile for profile in found.values() if profile is not None]

    def _flows(self, call: Call) -> Answer:
        chosen = self._query(call, _FLOWS)
        found = self._list(call)
        data = [
            {
                "type": "flow",
                "id": flow.id,
                "attributes": {
                    "name": flow.name,
                    "status": flow.status,
                    "archived": False,
                    "created": written(found.created),
                    "updated": written(found.updated),
                    "trigger_type": "Added to List",
                },
                "links": {"self": f"{HOST}/api/flows/{flow.id}/"},
            }
            for flow in found.flows
        ]
        return document({"data": [query.cut(each, chosen.fields.get("flow")) for each in data], "links": links(call)})


def _holds(condition: Filter, mailing_list: MailingList) -> bool:
    return query.holds(condition, getattr(mailing_list, condition.name))


def _passes(condition: Filter, member: tuple[float, int, Profile]) -> bool:
    if condition.operator in EQUALITY:
        return query.holds(condition, member[2].attributes.get(condition.name))
    return query.holds(condition, member[0])
