"""The account, its audiences and their merge fields (contract sections 1, 2 and 7)."""

from __future__ import annotations

from collections.abc import Sequence

from dev.simulators.common.vendor import Answer, Call, Endpoint
from dev.simulators.mailchimp import bodies, queries, shapes
from dev.simulators.mailchimp.account import Account, Desk, audience_of
from dev.simulators.mailchimp.answers import bad_request, refuse, shown
from dev.simulators.mailchimp.audience import Audience
from dev.simulators.mailchimp.bulk import PATH as ONE_AUDIENCE
from dev.simulators.mailchimp.fields import TYPES, MergeField, tag_problem
from dev.simulators.mailchimp.settings import Key

FIELDS = f"{ONE_AUDIENCE}/merge-fields"


class Audiences:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def endpoints(self) -> Sequence[Endpoint]:
        return [
            Endpoint("GET", "/lists", self._many),
            Endpoint("GET", ONE_AUDIENCE, self._one),
            Endpoint("GET", FIELDS, self._fields),
            Endpoint("POST", FIELDS, self._create_field),
        ]

    def _many(self, call: Call) -> Answer:
        found = list(self._desk.of(call).audiences.values())
        page = queries.page(call, found, self._desk.settings.most_count)
        body = {
            "lists": [shapes.audience(each, self._stats(each)) for each in page],
            "total_items": len(found),
            "constraints": {"may_create": False, "max_instances": 5, "current_total_instances": len(found)},
            "_links": [],
        }
        return shown(queries.cut(call, body, shapes.AUDIENCES))

    def _one(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        return shown(queries.cut(call, shapes.audience(audience, self._stats(audience)), shapes.ONE_AUDIENCE))

    def _stats(self, audience: Audience) -> dict[str, int]:
        """Kept for some minutes, as the vendor does."""
        now = self._desk.clock.epoch()
        if now - audience.stats[0] >= self._desk.settings.stats_stale_seconds:
            audience.stats = (now, shapes.stats(audience))
        return audience.stats[1]

    def _fields(self, call: Call) -> Answer:
        audience = audience_of(self._desk, call)
        kind = queries.one_of(call, "type", TYPES)
        required = queries.flag(call, "required") if "required" in call.query else None
        found = [
            each for each in audience.fields.values() if kind in (None, each.type) and required in (None, each.required)
        ]
        page = queries.page(call, found, self._desk.settings.most_count)
        body = {
            "merge_fields": [each.shown(audience.id) for each in page],
            "list_id": audience.id,
            "total_items": len(found),
            "_links": [],
        }
        return shown(queries.cut(call, body, shapes.MERGE_FIELDS))

    def _create_field(self, call: Call) -> Answer:
        audience, settings = audience_of(self._desk, call), self._desk.settings
        body = bodies.read(call, bodies.MERGE_FIELD, self._desk.of(call).counts.ignored_keys)
        number = max((each.id for each in audience.fields.values()), default=0) + 1
        tag = body.get("tag") or f"MMERGE{number}"
        if (wrong := tag_problem(tag, settings.longest_tag)) is not None:
            raise refuse("tag", wrong)
        if body["type"] not in TYPES:
            raise refuse("type", "Value must be one of: " + ", ".join(TYPES))
        if not body["name"].strip():
            raise refuse("name", "This value should not be blank.")
        if tag in audience.fields or tag == "EMAIL":
            return bad_request(f'A Merge Field with the tag "{tag}" already exists for this list.')
        if len(audience.fields) >= settings.most_fields:
            return bad_request("You have reached the maximum number of merge fields for this list.")
        made = audience.fields[tag] = MergeField(
            number,
            tag,
            body["name"],
            body["type"],
            required=body.get("required", False),
            default_value=body.get("default_value", ""),
            public=body.get("public", False),
            options=body.get("options", {}),
            help_text=body.get("help_text", ""),
        )
        audience.version += 1
        return shown(made.shown(audience.id))


def root(call: Call, account: Account, key: Key) -> Answer:
    """Contract section 1: the account's identity."""
    total = sum(shapes.stats(each)["member_count"] for each in account.audiences.values())
    body = {
        "account_id": account.id,
        "login_id": str(account.login_id),
        "account_name": account.name,
        "email": "hello@contoso.example",
        "username": "contoso",
        "role": key.role,
        "pricing_plan_type": "monthly",
        "account_timezone": "Europe/London",
        "contact": {"company": "Contoso Coffee", "city": "London", "country": "GB"},
        "pro_enabled": False,
        "total_subscribers": total,
        "_links": [],
    }
    return shown(queries.cut(call, body, shapes.ROOT))


def ping(_: Call) -> Answer:
    return shown({"health_status": "Everything's Chimpy!"})
