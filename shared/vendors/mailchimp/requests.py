"""Rows to requests; nothing here talks to anyone. Facts: Mailchimp contract, sections 1 to 7.

The calls that delete, archive or unsubscribe people are not here, nor those that change a status, replace somebody's
tags, or empty, rename or delete a tag: no operation needs them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from shared.vendors.answers import Request
from shared.vendors.contract import Kind
from shared.vendors.mailchimp.definition import (
    AUDIENCE,
    AUDIENCES,
    FIELDS,
    IMPORT,
    JOB,
    JOBS,
    MAKE_FIELD,
    MAKE_JOB,
    MAKE_TAG,
    MEMBER,
    MEMBER_TAGS,
    MEMBERS,
    MOST_PAGE,
    ROOT,
    TAG,
    TAGGED,
    TAGGING,
    TAGS,
    UPDATE,
)

_EVERYBODY = {"include_cleaned": "true", "include_transactional": "true", "include_unsubscribed": "true"}
_JOB_PARTS = ("id", "status", "total_operations", "finished_operations", "response_body_url")


class Update(NamedTuple):
    """One person's values in a job. `operation` is ours and never an address."""

    operation: str
    member: str
    body: bytes


def root() -> Request:
    fields = "account_id,account_name,login_id,role"
    return Request("GET", "/3.0/", ROOT, query={"fields": fields})


def audiences() -> Request:
    query = {"count": str(MOST_PAGE), "fields": "lists.id,lists.name,total_items"}
    return Request("GET", "/3.0/lists", AUDIENCES, query=query)


def audience(audience_id: str) -> Request:
    fields = "id,name,double_optin,has_welcome,marketing_permissions"
    return Request("GET", _audience(audience_id), AUDIENCE, query={"fields": fields})


def tags(audience_id: str, offset: int, count: int = MOST_PAGE) -> Request:
    fields = "segments.id,segments.name,segments.type,total_items"
    query = {"type": "static", "count": str(count), "offset": str(offset), "fields": fields}
    return Request("GET", f"{_audience(audience_id)}/segments", TAGS, query=query)


def tag(audience_id: str, tag_id: str) -> Request:
    return Request("GET", _tag(audience_id, tag_id), TAG, query={"fields": "id,name,type"})


def make_tag(audience_id: str, name: str) -> Request:
    body = orjson.dumps({"name": name, "static_segment": []})
    return Request("POST", f"{_audience(audience_id)}/segments", MAKE_TAG, body=body, idempotent=False)


def tagging(audience_id: str, tag_id: str, kind: Kind, addresses: Sequence[str]) -> Request:
    """Puts the tag on people of the audience, or takes it off; it makes nobody, and changes no status."""
    key = "members_to_remove" if kind is Kind.REMOVE else "members_to_add"
    return Request("POST", _tag(audience_id, tag_id), TAGGING, body=orjson.dumps({key: list(addresses)}))


def untag(audience_id: str, member: str, name: str) -> Request:
    """Takes the tag of this name off one person."""
    body = orjson.dumps({"tags": [{"name": name, "status": "inactive"}], "is_syncing": True})
    return Request("POST", f"{_member(audience_id, member)}/tags", MEMBER_TAGS, body=body)


def tagged(audience_id: str, tag_id: str, offset: int) -> Request:
    """A page of everybody who has the tag, whatever their status."""
    query = {**_EVERYBODY, "count": str(MOST_PAGE), "offset": str(offset)}
    query["fields"] = "members.email_address,members.status,total_items"
    return Request("GET", f"{_tag(audience_id, tag_id)}/members", TAGGED, query=query)


def tagged_count(audience_id: str, tag_id: str, *, everybody: bool) -> Request:
    """How many people have the tag: those who get something, or everybody."""
    flags = _EVERYBODY if everybody else {"include_transactional": "true"}
    query = {**flags, "count": "1", "fields": "total_items"}
    return Request("GET", f"{_tag(audience_id, tag_id)}/members", TAGGED, query=query)


def members(audience_id: str, status: str, offset: int, part: str = "id", since: str = "") -> Request:
    """A page of the people with a status, who changed last at its end: their `id` or their `email_address`. `since`:
    only whoever changed after that moment."""
    query = {"status": status, "count": str(MOST_PAGE), "offset": str(offset), **_BY_CHANGE}
    query |= {"since_last_changed": since} if since else {}
    query["fields"] = f"members.{part},members.last_changed,total_items"
    return Request("GET", f"{_audience(audience_id)}/members", MEMBERS, query=query)


def member(audience_id: str, member: str) -> Request:
    fields = "id,email_address,status,merge_fields,tags,tags_count"
    return Request("GET", _member(audience_id, member), MEMBER, query={"fields": fields})


def member_tags(audience_id: str, member: str) -> Request:
    return Request("GET", f"{_member(audience_id, member)}/tags", MEMBER_TAGS, query={"count": str(MOST_PAGE)})


def update(audience_id: str, each: Update) -> Request:
    """Writes values and nothing else: it makes nobody, and says nothing of a status."""
    return Request("PATCH", _member(audience_id, each.member), UPDATE, query=_UNVALIDATED, body=each.body)


def fields(audience_id: str) -> Request:
    return Request("GET", f"{_audience(audience_id)}/merge-fields", FIELDS, query={"count": str(MOST_PAGE)})


def make_field(audience_id: str, tag: str, name: str, kind: str) -> Request:
    """A field that no signup form shows."""
    body = orjson.dumps({"tag": tag, "name": name, "type": kind, "required": False, "public": False})
    return Request("POST", f"{_audience(audience_id)}/merge-fields", MAKE_FIELD, body=body, idempotent=False)


def newcomer(address: str, status: str, fields: Mapping[str, Any]) -> bytes:
    """Somebody new. Whoever is in the audience already stays as they are."""
    values = {"merge_fields": fields} if fields else {}
    return orjson.dumps({"email_address": address, "status": status, **values})


def values(fields: Mapping[str, Any]) -> bytes:
    return orjson.dumps({"merge_fields": fields})


def import_people(audience_id: str, people: Iterable[bytes]) -> Request:
    """Adds people whom the audience does not have. `update_existing` is never true, since that would write a status to
    people who have one; nor is `sync_tags`, which replaces their tags."""
    body = b'{"members":[' + b",".join(people) + b'],"update_existing":false,"sync_tags":false}'
    query = {**_UNVALIDATED, "skip_duplicate_check": "false"}
    return Request("POST", _audience(audience_id), IMPORT, query=query, body=body)


def make_job(audience_id: str, updates: Iterable[Update]) -> Request:
    """Values of many people. Two of them that say the same, one after the other, leave the same."""
    operations = [
        {
            "method": "PATCH",
            "path": f"/lists/{audience_id}/members/{each.member}",
            # Whether a job heeds them is not published; whom it refuses is written alone then, where they count.
            "params": _UNVALIDATED,
            "operation_id": each.operation,
            "body": each.body.decode(),
        }
        for each in updates
    ]
    return Request("POST", "/3.0/batches", MAKE_JOB, body=orjson.dumps({"operations": operations}))


def jobs() -> Request:
    fields = ",".join(f"batches.{each}" for each in _JOB_PARTS)
    return Request("GET", "/3.0/batches", JOBS, query={"count": str(MOST_PAGE), "fields": f"{fields},total_items"})


def job(job_id: str) -> Request:
    return Request("GET", f"/3.0/batches/{job_id}", JOB, query={"fields": ",".join(_JOB_PARTS)})


_UNVALIDATED = {"skip_merge_validation": "true"}
"""Fields that the audience requires may be left out: people are told of them beforehand."""
_BY_CHANGE = {"sort_field": "last_changed", "sort_dir": "ASC"}


def _audience(audience_id: str) -> str:
    return f"/3.0/lists/{audience_id}"


def _tag(audience_id: str, tag_id: str) -> str:
    return f"{_audience(audience_id)}/segments/{tag_id}"


def _member(audience_id: str, member: str) -> str:
    return f"{_audience(audience_id)}/members/{member}"
