"""Profiles, lists and jobs as Klaviyo shows them (contract sections 2, 3, 6 and 7)."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from dev.simulators.klaviyo.account import Job, MailingList, Profile, RowError
from dev.simulators.klaviyo.answers import HOST, related
from dev.simulators.klaviyo.bodies import LOCATION
from dev.simulators.klaviyo.query import Query, cut
from dev.simulators.klaviyo.settings import Settings
from dev.simulators.klaviyo.values import written

_TEXTS = ("email", "phone_number", "external_id", "first_name", "last_name", "organization", "locale", "title", "image")
Moment = Callable[[float], str]


def identifier(kind: str, resource_id: str) -> dict[str, str]:
    return {"type": kind, "id": resource_id}


def profile(shown: Profile, additional: tuple[str, ...] = (), moment: Moment = written) -> dict[str, Any]:
    """What is absent is null; `anonymous_id` is one of the members that the vendor's description lacks."""
    has = shown.attributes
    location = has.get("location") or {}
    attributes: dict[str, Any] = {
        **{name: has.get(name) for name in _TEXTS},
        "anonymous_id": None,
        "created": moment(shown.created),
        "updated": moment(shown.updated),
        "last_event_date": None,
        "location": {part: location.get(part) for part in LOCATION},
        "properties": has.get("properties") or {},
    }
    if "subscriptions" in additional:
        attributes["subscriptions"] = subscriptions(shown)
    if "predictive_analytics" in additional:
        attributes["predictive_analytics"] = None
    path = f"/api/profiles/{shown.id}"
    return {
        "type": "profile",
        "id": shown.id,
        "attributes": attributes,
        "relationships": {"lists": related(path, "lists"), "segments": related(path, "segments")},
        "links": {"self": f"{HOST}{path}/"},
    }


def chosen_profile(shown: Profile, query: Query, moment: Moment = written, **more: Any) -> dict[str, Any]:
    """A profile with what the call asked for, and with `more` attributes."""
    whole = profile(shown, query.additional, moment)
    whole["attributes"] |= more
    return cut(whole, query.fields.get("profile"), query.additional)


def subscriptions(shown: Profile) -> dict[str, Any]:
    since = written(shown.consent_changed)
    never = shown.consent == "NEVER_SUBSCRIBED"
    silent = {"consent": "NEVER_SUBSCRIBED", "consent_timestamp": None}
    return {
        "email": {
            "marketing": {
                "can_receive_email_marketing": shown.can_receive,
                "consent": shown.consent,
                "consent_timestamp": None if never else since,
                "last_updated": None if never else since,
                "method": None if never else "PREFERENCE_PAGE",
                "method_detail": "",
                "custom_method_detail": None,
                "double_optin": None,
                "suppression": [{"reason": reason, "timestamp": since} for reason in shown.suppressions],
                "list_suppressions": [
                    {"list_id": list_id, "reason": "UNSUBSCRIBE", "timestamp": written(at)}
                    for list_id, at in shown.list_suppressions.items()
                ],
            }
        },
        "sms": {"marketing": {"can_receive_sms_marketing": False, **silent}},
        "mobile_push": {"marketing": {"can_receive_push_marketing": False, **silent}},
    }


def mailing_list(shown: MailingList, moment: Moment = written) -> dict[str, Any]:
    path = f"/api/lists/{shown.id}"
    return {
        "type": "list",
        "id": shown.id,
        "attributes": {
            "name": shown.name,
            "created": moment(shown.created),
            "updated": moment(shown.updated),
            "opt_in_process": shown.opt_in,
        },
        "relationships": {
            "profiles": related(path, "profiles"),
            "tags": related(path, "tags"),
            "flow-triggers": related(path, "flow-triggers"),
        },
        "links": {"self": f"{HOST}{path}/"},
    }


def job(shown: Job, now: float, settings: Settings, moment: Moment = written) -> dict[str, Any]:
    """Counts are nought until the job has ended."""
    failed = len(shown.errors) if shown.done else 0
    completed = shown.total if shown.done else 0
    started, ended = now >= shown.starts, now >= shown.ends and shown.status(now) not in ("queued", "processing")
    path = f"/api/profile-bulk-import-jobs/{shown.id}"
    return {
        "type": "profile-bulk-import-job",
        "id": shown.id,
        "attributes": {
            "status": shown.status(now),
            "created_at": moment(shown.created),
            "total_count": shown.total,
            "completed_count": completed - failed if settings.completed_count == "successes" else completed,
            "failed_count": failed,
            "completed_at": moment(shown.ends) if ended else None,
            "expires_at": moment(shown.expires),
            "started_at": moment(shown.starts) if started else None,
        },
        "relationships": {
            "lists": {"data": [identifier("list", each) for each in shown.list_ids], **related(path, "lists")},
            "profiles": related(path, "profiles"),
            "import-errors": {"links": {"related": f"{HOST}{path}/import-errors/", "self": f"{HOST}{path}/"}},
        },
        "links": {"self": f"{HOST}{path}/"},
    }


def import_error(shown: RowError, settings: Settings) -> dict[str, Any]:
    """Whether a row can be told from it is UNCONFIRMED: two switches say."""
    payloads = {"flat": shown.payload, "nested": {"type": "profile", "attributes": shown.payload}, "null": None}
    pointer = "/data" if settings.error_pointer == "job" else f"/data/attributes/profiles/data/{shown.row}"
    return {
        "type": "import-error",
        "id": str(uuid.uuid4()),
        "attributes": {
            "code": shown.code,
            "title": shown.title,
            "detail": shown.detail,
            "source": {"pointer": pointer},
            "original_payload": payloads[settings.original_payload],
        },
        "links": {"self": f"{HOST}/api/import-errors/{shown.row}/"},
    }
