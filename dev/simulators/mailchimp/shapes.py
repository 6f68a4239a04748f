"""Audiences, members and tags as Mailchimp shows them, and which names `fields` may ask for."""

from __future__ import annotations

from collections import Counter
from typing import Any

from dev.simulators.mailchimp.audience import Audience, Member, Segment
from dev.simulators.mailchimp.queries import Tree, leaves
from dev.simulators.mailchimp.values import written

_MOST_TAGS_SHOWN = 50
_LINKS: Tree = leaves("rel", "href", "method", "targetSchema", "schema")
_API = "https://us6.api.mailchimp.com/3.0"

ONE_MEMBER: Tree = leaves(
    *("id", "email_address", "unique_email_id", "contact_id", "full_name", "web_id", "email_type", "status"),
    *("unsubscribe_reason", "consents_to_one_to_one_messaging", "sms_phone_number", "sms_subscription_status"),
    *("sms_subscription_last_updated", "ip_signup", "timestamp_signup", "ip_opt", "timestamp_opt", "member_rating"),
    *("last_changed", "language", "vip", "email_client", "source", "tags_count", "list_id"),
    merge_fields=None,
    interests=None,
    stats=None,
    location=None,
    marketing_permissions=None,
    last_note=None,
    tags=leaves("id", "name"),
    _links=_LINKS,
)
MEMBERS: Tree = leaves("list_id", "total_items", members=ONE_MEMBER, _links=_LINKS)
_SEGMENT_NAMES = ("id", "name", "member_count", "type", "created_at", "updated_at", "list_id")
ONE_SEGMENT: Tree = leaves(*_SEGMENT_NAMES, options=None, _links=_LINKS)
SEGMENTS: Tree = leaves("list_id", "total_items", segments=ONE_SEGMENT, _links=_LINKS)
TAGS: Tree = leaves("total_items", tags=leaves("id", "name", "date_added"), _links=_LINKS)
ONE_AUDIENCE: Tree = leaves(
    *("id", "web_id", "name", "permission_reminder", "use_archive_bar", "notify_on_subscribe"),
    *("notify_on_unsubscribe", "date_created", "list_rating", "email_type_option", "subscribe_url_short"),
    *("subscribe_url_long", "beamer_address", "visibility", "double_optin", "has_welcome", "marketing_permissions"),
    "modules",
    contact=None,
    campaign_defaults=None,
    stats=leaves(
        *("member_count", "total_contacts", "unsubscribe_count", "cleaned_count", "member_count_since_send"),
        *("unsubscribe_count_since_send", "cleaned_count_since_send", "campaign_count", "campaign_last_sent"),
        *("merge_field_count", "avg_sub_rate", "avg_unsub_rate", "target_sub_rate", "open_rate", "click_rate"),
        *("last_sub_date", "last_unsub_date"),
    ),
    _links=_LINKS,
)
AUDIENCES: Tree = leaves("total_items", lists=ONE_AUDIENCE, constraints=None, _links=_LINKS)
_FIELD_NAMES = ("merge_id", "tag", "name", "type", "required", "default_value", "public", "display_order", "help_text")
MERGE_FIELDS: Tree = leaves(
    "list_id",
    "total_items",
    merge_fields=leaves(*_FIELD_NAMES, "list_id", options=None, _links=_LINKS),
    _links=_LINKS,
)
ONE_BATCH: Tree = leaves(
    *("id", "status", "total_operations", "finished_operations", "errored_operations", "submitted_at"),
    *("completed_at", "response_body_url"),
    _links=_LINKS,
)
BATCHES: Tree = leaves("total_items", batches=ONE_BATCH, _links=_LINKS)
ROOT: Tree = leaves(
    *("account_id", "login_id", "account_name", "email", "first_name", "last_name", "username", "avatar_url", "role"),
    *("member_since", "pricing_plan_type", "first_payment", "account_timezone", "account_industry", "pro_enabled"),
    *("last_login", "total_subscribers"),
    contact=None,
    industry_stats=None,
    _links=_LINKS,
)


def member(audience: Audience, shown: Member) -> dict[str, Any]:
    """Every merge field of the audience is there, "" where it has no value."""
    fields = shown.fields
    name = f"{fields.get('FNAME', '')} {fields.get('LNAME', '')}".strip()
    path = f"{_API}/lists/{audience.id}/members/{shown.hash}"
    return {
        "id": shown.hash,
        "email_address": shown.email,
        "unique_email_id": shown.hash[:10],
        "contact_id": shown.hash,
        "full_name": name,
        "web_id": 525_000_000 + shown.number,
        "email_type": "html",
        "status": shown.status,
        "consents_to_one_to_one_messaging": True,
        "merge_fields": {tag: fields.get(tag, "") for tag in audience.fields},
        "stats": {"avg_open_rate": 0, "avg_click_rate": 0},
        "ip_signup": "",
        "timestamp_signup": written(shown.signed_up),
        "ip_opt": "127.0.0.1",
        "timestamp_opt": written(shown.opted),
        "member_rating": 2,
        "last_changed": written(shown.changed),
        "language": "",
        "vip": False,
        "email_client": "",
        "location": {"latitude": 0, "longitude": 0, "gmtoff": 0, "dstoff": 0, "country_code": "", "timezone": ""},
        "source": "API - Generic",
        "tags_count": len(shown.tags),
        "tags": [tag(audience, each) for each in shown.tags[:_MOST_TAGS_SHOWN]],
        "list_id": audience.id,
        "_links": [
            {"rel": "self", "href": path, "method": "GET", "targetSchema": f"{_API}/Definitions/Lists/Members.json"},
            {"rel": "upsert", "href": path, "method": "PUT", "targetSchema": f"{_API}/Definitions/Lists/Members.json"},
        ],
    }


_BULK_LACKS = ("contact_id", "full_name", "web_id", "consents_to_one_to_one_messaging", "source")


def bulk_member(audience: Audience, shown: Member) -> dict[str, Any]:
    """As the two calls for many show it."""
    return {name: value for name, value in member(audience, shown).items() if name not in _BULK_LACKS}


def tag(audience: Audience, segment_id: int) -> dict[str, Any]:
    return {"id": segment_id, "name": audience.segments[segment_id].name}


def segment(audience: Audience, shown: Segment, count: int) -> dict[str, Any]:
    return {
        "id": shown.id,
        "name": shown.name,
        "member_count": count,
        "type": shown.type,
        "created_at": written(shown.created),
        "updated_at": written(shown.updated),
        "options": shown.options,
        "list_id": audience.id,
        "_links": [],
    }


def stats(audience: Audience) -> dict[str, int]:
    states = Counter(each.status for each in audience.members.values())
    return {
        "member_count": states["subscribed"],
        "total_contacts": sum(states.values()) - states["archived"],
        "unsubscribe_count": states["unsubscribed"],
        "cleaned_count": states["cleaned"],
        "merge_field_count": len(audience.fields),
    }


def audience(shown: Audience, counted: dict[str, int]) -> dict[str, Any]:
    return {
        "id": shown.id,
        "web_id": 100_001,
        "name": shown.name,
        "contact": {"company": "Contoso Coffee", "city": "London", "country": "GB"},
        "permission_reminder": "You are a customer of Contoso Coffee.",
        "use_archive_bar": False,
        "campaign_defaults": {"from_name": "Contoso Coffee", "from_email": "hello@contoso.example", "language": "en"},
        "notify_on_subscribe": "",
        "notify_on_unsubscribe": "",
        "date_created": written(shown.created),
        "list_rating": 0,
        "email_type_option": False,
        "visibility": "prv",
        "double_optin": shown.double_optin,
        "has_welcome": shown.has_welcome,
        "marketing_permissions": shown.marketing_permissions,
        "modules": [],
        "stats": counted,
        "_links": [],
    }
