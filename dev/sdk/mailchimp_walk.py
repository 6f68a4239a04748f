"""A tag's whole life with Mailchimp's own library. Run by the Python that has it: -m dev.sdk.mailchimp_walk URL."""

from __future__ import annotations

import hashlib
import json
import time
from typing import Any

import mailchimp_marketing

from dev.sdk.steps import WalkError, main, refused, step

AUDIENCE = "57afe96172"
PEOPLE = ["ana@example.com", "bo@example.com", "cy@example.com"]
KEY = "0123456789abcdef0123456789abcdef-us6"


def client(url: str, key: str) -> Any:
    made = mailchimp_marketing.Client({"api_key": key, "server": "us6"})
    made.api_client.host = f"{url}/us6/3.0"
    return made


def hash_of(address: str) -> str:
    return hashlib.md5(address.encode(), usedforsecurity=False).hexdigest()


def row(address: str, status: str, **fields: Any) -> dict[str, Any]:
    return {"email_address": address, "status": status, "merge_fields": fields}


def ended(api: Any, batch_id: str) -> Any:
    for _ in range(100):
        found = api.batches.status(batch_id)
        if found["status"] == "finished":
            return found
        time.sleep(0.1)
    raise WalkError("the batch did not end")


def walk(url: str) -> None:
    api = client(url, KEY)
    step("ping", api.ping.get()["health_status"], "Everything's Chimpy!")
    step("account", api.root.get_root(fields=["account_id"])["account_id"], "8d3a3db4d97663a9074efcc16")
    lists = api.lists.get_all_lists(count=1000, fields=["lists.id", "lists.name", "total_items"])
    step("audiences", [each["id"] for each in lists["lists"]], [AUDIENCE])
    step("double opt-in", api.lists.get_list(AUDIENCE)["double_optin"], False)

    field = {"tag": "TIER", "name": "Tier", "type": "text", "required": False, "public": False}
    step("a merge field is made", api.lists.add_list_merge_field(AUDIENCE, field)["tag"], "TIER")
    fields = api.lists.get_list_merge_fields(AUDIENCE, count=1000)["merge_fields"]
    step("merge fields", [each["tag"] for each in fields], ["FNAME", "LNAME", "ADDRESS", "PHONE", "TIER"])

    segment = {"name": "Loyal customers", "static_segment": []}
    tag = api.lists.create_segment(AUDIENCE, segment)["id"]
    found = api.lists.tag_search(AUDIENCE, name="Loyal")["tags"]
    step("the tag is found by name", [each["id"] for each in found], [tag])
    segments = api.lists.list_segments(AUDIENCE, type="static", count=1000)["segments"]
    step("and among all", [each["id"] for each in segments], [tag])

    rows = [row(address, "subscribed", FNAME="Someone", TIER="Gold") for address in PEOPLE]
    body = {"members": rows, "update_existing": False, "sync_tags": False}
    made = api.lists.batch_list_members(AUDIENCE, body, skip_merge_validation=True)
    step("people made", (made["total_created"], made["error_count"]), (3, 0))
    again = api.lists.batch_list_members(AUDIENCE, body)
    codes = {each["error_code"] for each in again["errors"]}
    step("made again, they exist", (again["total_created"], codes), (0, {"ERROR_CONTACT_EXISTS"}))

    tagged = api.lists.batch_segment_members({"members_to_add": [*PEOPLE, "nobody@example.com"]}, AUDIENCE, tag)
    step("people tagged", (tagged["total_added"], tagged["error_count"]), (3, 0))
    step("count", api.lists.get_segment(AUDIENCE, tag)["member_count"], 3)
    members = api.lists.get_segment_members_list(AUDIENCE, tag, count=1000, include_transactional=True)["members"]
    step("people with the tag", sorted(each["email_address"] for each in members), PEOPLE)
    one = api.lists.get_list_member(AUDIENCE, hash_of("ana@example.com"))
    step("a value is read back", (one["status"], one["merge_fields"]["TIER"]), ("subscribed", "Gold"))

    changed = api.lists.update_list_member(AUDIENCE, hash_of("ana@example.com"), {"merge_fields": {"TIER": ""}})
    step("nothing clears", (changed["status"], changed["merge_fields"]["TIER"]), ("subscribed", ""))
    put = {"email_address": "dee@example.com", "status_if_new": "transactional"}
    step(
        "a put makes somebody",
        api.lists.set_list_member(AUDIENCE, hash_of("dee@example.com"), put)["status"],
        "transactional",
    )
    api.lists.update_list_member(AUDIENCE, hash_of("cy@example.com"), {"status": "unsubscribed"})
    gone = api.lists.get_list_members_info(AUDIENCE, status="unsubscribed", count=1000)
    step("who unsubscribed", [each["email_address"] for each in gone["members"]], ["cy@example.com"])
    step("active people with the tag", api.lists.get_segment(AUDIENCE, tag)["member_count"], 2)

    patch = {"merge_fields": {"FNAME": "Bo"}}
    path = f"/lists/{AUDIENCE}/members/{hash_of('bo@example.com')}"
    operation = {"method": "PATCH", "path": path, "operation_id": "0", "body": json.dumps(patch)}
    batch = ended(api, api.batches.start({"operations": [operation]})["id"])
    step("a batch", (batch["finished_operations"], batch["errored_operations"]), (1, 0))
    step("is listed", [each["id"] for each in api.batches.list(count=1000)["batches"]], [batch["id"]])
    bo = api.lists.get_list_member(AUDIENCE, hash_of("bo@example.com"))
    step("and was carried out", bo["merge_fields"]["FNAME"], "Bo")
    api.batches.delete_request(batch["id"])

    untagged = api.lists.batch_segment_members({"members_to_remove": ["ana@example.com"]}, AUDIENCE, tag)
    step("people untagged", untagged["total_removed"], 1)
    off = {"tags": [{"name": "Loyal customers", "status": "inactive"}], "is_syncing": True}
    api.lists.update_list_member_tags(AUDIENCE, hash_of("cy@example.com"), off)
    step("tags of one", api.lists.get_list_member_tags(AUDIENCE, hash_of("cy@example.com"))["tags"], [])
    flags = dict.fromkeys(("include_cleaned", "include_transactional", "include_unsubscribed"), True)
    left = api.lists.get_segment_members_list(AUDIENCE, tag, **flags)["members"]
    step("people left with the tag", [each["email_address"] for each in left], ["bo@example.com"])

    refused("a tag of the same name", lambda: api.lists.create_segment(AUDIENCE, segment), 400)
    many = {"members_to_add": [f"p{number}@example.com" for number in range(501)]}
    refused("more than 500", lambda: api.lists.batch_segment_members(many, AUDIENCE, tag), 400)
    refused("somebody who is not there", lambda: api.lists.get_list_member(AUDIENCE, hash_of("x")), 404, "Not Found")
    refused("a tag that is not there", lambda: api.lists.get_segment(AUDIENCE, "1"), 404, "Not Found")
    refused("an audience that is not there", lambda: api.lists.get_list("0000000000"), 404, "Not Found")
    number = {"members": [row("eve@example.com", "subscribed", ADDRESS="1 High Street")], "update_existing": False}
    refused("a value of a wrong type", lambda: api.lists.batch_list_members(AUDIENCE, number), 400, "anyOf")
    refused("a wrong key", client(url, "nobody-us6").ping.get, 401, "API Key Invalid")
    elsewhere = client(url, "00112233445566778899aabbccddeeff-us20")
    refused("a key of another data centre", elsewhere.ping.get, 403, "us20")


if __name__ == "__main__":
    main(walk)
