"""Single profiles (contract section 4)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from dev.simulators.common.vendor import Answer, Call, Endpoint, Refusal
from dev.simulators.klaviyo import answers, bodies, query, shapes
from dev.simulators.klaviyo.account import IDENTIFIERS, Account, Profile
from dev.simulators.klaviyo.answers import document, refuse
from dev.simulators.klaviyo.bodies import Rules
from dev.simulators.klaviyo.desk import Desk
from dev.simulators.klaviyo.paging import links, page
from dev.simulators.klaviyo.query import EQUALITY, Filter, Known, Query
from dev.simulators.klaviyo.values import precise
from dev.simulators.klaviyo.writing import ConflictError, NobodyError, change, upsert

PATH = "/api/profiles"
_BETWEEN = ("greater-than", "less-than")
_NAMING = ("id", *IDENTIFIERS)
_LEFT_LIST = "subscriptions.email.marketing.list_suppressions.list_id"
_SUPPRESSED = "subscriptions.email.marketing.suppression.reason"
_ONE = Known(
    fields={"profile": query.PROFILE_FIELDS}, additional={"profile": ("subscriptions", "predictive_analytics")}
)
_MANY = Known(
    fields=_ONE.fields,
    additional=_ONE.additional,
    filters={
        **dict.fromkeys(_NAMING, EQUALITY),
        **dict.fromkeys(("created", "updated"), _BETWEEN),
        **dict.fromkeys((_LEFT_LIST, _SUPPRESSED), ("equals",)),
    },
    sorts=("created", "email", "id", "updated"),
    page=(20, 100),
)


class Profiles:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", PATH, self._many),
            Endpoint("GET", f"{PATH}/{{id}}", self._one),
            Endpoint("PATCH", f"{PATH}/{{id}}", self._change),
            Endpoint("POST", "/api/profile-import", self._upsert),
            Endpoint("GET", f"{PATH}/{{id}}/relationships/lists", self._list_ids),
        ]

    def _query(self, call: Call, known: Known) -> Query:
        return query.read(call, known, self._desk.settings.longest)

    def _profile(self, call: Call) -> Profile:
        found = self._desk.of(call).by_id(call.parameters["id"])
        if found is None:
            raise Refusal(answers.not_found(f"A profile with id {call.parameters['id']}"))
        return found

    def _many(self, call: Call) -> Answer:
        chosen = self._query(call, _MANY)
        by = chosen.sort.removeprefix("-") or "created"
        account = self._desk.of(call)
        found = [each for each in _candidates(account, chosen.filters) if all(_holds(x, each) for x in chosen.filters)]
        place: Callable[[Profile], tuple[Any, ...]] = lambda each: (getattr(each, by), each.number)  # noqa: E731
        shown, pages = page(call, chosen, sorted(found, key=place), place)
        return document({"data": [shapes.chosen_profile(each, chosen) for each in shown], "links": pages})

    def _one(self, call: Call) -> Answer:
        chosen = self._query(call, _ONE)
        return _shown(shapes.chosen_profile(self._profile(call), chosen))

    def _upsert(self, call: Call) -> Answer:
        chosen = self._query(call, _ONE)
        row = self._row(call)
        try:
            unset = bodies.unset_names(row)
            profile, is_new = upsert(self._desk.of(call), row, self._desk.clock.epoch(), unset)
        except ConflictError as conflict:
            return answers.conflict(conflict.profile.id)
        except NobodyError:
            raise refuse("A profile must have at least one identifier.", "/data/attributes") from None
        return _shown(shapes.chosen_profile(profile, chosen, precise), 201 if is_new else 200, [profile.email])

    def _change(self, call: Call) -> Answer:
        chosen = self._query(call, _ONE)
        profile, row = self._profile(call), self._row(call)
        if row.get("id") != profile.id:
            raise refuse("The id must be that of the path.", "/data/id")
        try:
            change(self._desk.of(call), profile, row, self._desk.clock.epoch(), bodies.unset_names(row))
        except ConflictError as conflict:
            return answers.conflict(conflict.profile.id)
        return _shown(shapes.chosen_profile(profile, chosen, precise), 200, [profile.email])

    def _row(self, call: Call) -> dict[str, Any]:
        settings = self._desk.settings
        row: dict[str, Any] = bodies.read(call, settings.most_row_bytes)
        if found := bodies.problems(row, Rules(nulls=True, settings=settings), "/data"):
            raise Refusal(answers.refused(400, *found))
        return row

    def _list_ids(self, call: Call) -> Answer:
        self._query(call, Known())
        profile = self._profile(call)
        lists = [each.id for each in self._desk.of(call).lists.values() if profile in each.members]
        return document({"data": [shapes.identifier("list", each) for each in lists], "links": links(call)})


def _shown(shown: dict[str, Any], status: int = 200, touched: Sequence[str] = ()) -> Answer:
    return document({"data": shown, "links": shown["links"]}, status, rows=len(touched), touched=touched)


def _candidates(account: Account, filters: Sequence[Filter]) -> list[Profile]:
    """Spares looking at everybody where a filter names the people."""
    for condition in filters:
        if condition.name in _NAMING:
            by_id = condition.name == "id"
            owners = [account.by_id(each) if by_id else account.by(condition.name, each) for each in condition.values]
            return list(dict.fromkeys(each for each in owners if each is not None))
    return list(account.people())


def _holds(condition: Filter, profile: Profile) -> bool:
    if condition.name == "email":
        return profile.email in [value.lower() for value in condition.values]
    if condition.name in ("id", "created", "updated"):
        return query.holds(condition, getattr(profile, condition.name))
    if condition.name == _LEFT_LIST:
        return condition.values[0] in profile.list_suppressions
    if condition.name == _SUPPRESSED:
        return condition.values[0] in profile.suppressions
    return query.holds(condition, profile.attributes.get(condition.name))
