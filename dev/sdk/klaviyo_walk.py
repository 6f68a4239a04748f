"""A list's whole life with Klaviyo's own library. Run by the Python that has it: -m dev.sdk.klaviyo_walk URL."""

from __future__ import annotations

import time
from typing import Any

from klaviyo_api import KlaviyoAPI

from dev.sdk.steps import WalkError, main, refused, step

PEOPLE = ["ana@example.com", "bo@example.com", "cy@example.com"]
STANDARD, READING = "pk_AbC123_standard", "pk_AbC123_reading"


def job(rows: list[dict[str, Any]], list_id: str | None) -> dict[str, Any]:
    data: dict[str, Any] = {"type": "profile-bulk-import-job", "attributes": {"profiles": {"data": rows}}}
    if list_id is not None:
        data["relationships"] = {"lists": {"data": [{"type": "list", "id": list_id}]}}
    return {"data": data}


def row(address: str, **attributes: Any) -> dict[str, Any]:
    return {"type": "profile", "attributes": {"email": address, **attributes}}


def ended(api: Any, job_id: str) -> Any:
    for _ in range(100):
        found = api.Profiles.get_bulk_import_profiles_job(job_id).data
        if found.attributes.status in ("complete", "cancelled"):
            return found
        time.sleep(0.2)
    raise WalkError("the job did not end")


def walk(url: str) -> None:
    api = KlaviyoAPI(STANDARD, max_retries=3, test_host=url)
    step("account", api.Accounts.get_accounts().data[0].id, "AbC123")

    named = {"data": {"type": "list", "attributes": {"name": "Loyal customers"}}}
    list_id = api.Lists.create_list(named).data.id
    found = api.Lists.get_lists(filter='any(name,["Loyal customers"])').data
    step("the list is found by name", [each.id for each in found], [list_id])

    rows = [row(address, first_name="Someone", properties={"Tier": "Gold", "Points": 7}) for address in PEOPLE]
    accepted = api.Profiles.bulk_import_profiles(job(rows, list_id)).data
    step("the job is accepted", accepted.attributes.status, "queued")
    done = ended(api, accepted.id)
    step("people imported", (done.attributes.total_count, done.attributes.failed_count), (3, 0))
    listed = api.Profiles.get_bulk_import_profiles_jobs(sort="-created_at", page_size=100).data
    step("the job is among all", accepted.id in [each.id for each in listed], True)

    members = api.Lists.get_profiles_for_list(list_id, page_size=2)
    rest = api.Lists.get_profiles_for_list(list_id, page_size=2, page_cursor=members.links.next)
    step("members, in two pages", sorted(each.attributes.email for each in (*members.data, *rest.data)), PEOPLE)
    step("the last page has no next", rest.links.next, None)
    step("a value is read back", members.data[0].attributes.properties["Tier"], "Gold")
    asked = ["subscriptions"]
    consents = api.Lists.get_profiles_for_list(list_id, additional_fields_profile=asked, page_size=100).data
    step(
        "consent of all",
        {each.attributes.subscriptions.email.marketing.consent for each in consents},
        {"NEVER_SUBSCRIBED"},
    )
    counted = api.Lists.get_list(list_id, additional_fields_list=["profile_count"]).data
    step("count", counted.attributes.profile_count, 3)

    person = api.Profiles.get_profiles(filter='equals(email,"ana@example.com")').data[0]
    lists = api.Profiles.get_list_ids_for_profile(person.id).data
    step("one person's lists", [each.id for each in lists], [list_id])
    cleared = {"data": {"type": "profile", "attributes": {"email": "ana@example.com", "first_name": None}}}
    step("null clears", api.Profiles.create_or_update_profile(cleared).data.attributes.first_name, None)
    changed = {"data": {"type": "profile", "id": person.id, "attributes": {"last_name": "Diaz"}}}
    step("a change", api.Profiles.update_profile(person.id, changed).data.attributes.last_name, "Diaz")

    gone = {"data": [{"type": "profile", "id": person.id}]}
    api.Lists.remove_profiles_from_list(list_id, gone)
    left = api.Lists.get_profile_ids_for_list(list_id, page_size=100).data
    step("people after one was taken off", len(left), 2)
    step("who was taken off is still a profile", api.Profiles.get_profile(person.id).data.id, person.id)

    failing = api.Profiles.bulk_import_profiles(
        job([row("dee@example.com"), {"type": "profile", "attributes": {}}], None)
    )
    step("a row without a name fails", ended(api, failing.data.id).attributes.failed_count, 1)
    errors = api.Profiles.get_errors_for_bulk_import_profiles_job(failing.data.id).data
    step("and is told", errors[0].attributes.code, "invalid")
    written = api.Profiles.get_profiles_for_bulk_import_profiles_job(failing.data.id).data
    step("the others were written", [each.attributes.email for each in written], ["dee@example.com"])
    written_ids = api.Profiles.get_profile_ids_for_bulk_import_profiles_job(failing.data.id).data
    step("by id too", [each.id for each in written_ids], [each.id for each in written])

    refused("an invalid address", lambda: api.Profiles.bulk_import_profiles(job([row("bad@")], list_id)), 400, "data/0")
    refused(
        "an unknown list", lambda: api.Profiles.bulk_import_profiles(job([row("ana@example.com")], "Y0")), 400, "lists"
    )
    refused("a list that is not there", lambda: api.Lists.get_list("Y0"), 404, "not_found")
    refused("a filter that is none", lambda: api.Lists.get_lists(filter="any(name,[Loyal])"), 400, "Invalid filter")
    stranger = {"data": [{"type": "profile", "id": "XYZABD"}]}
    refused(
        "an unknown id",
        lambda: api.Lists.remove_profiles_from_list(list_id, stranger),
        400,
        "Invalid profile IDs: XYZABD",
    )
    refused("flows without the scope", lambda: api.Lists.get_flows_triggered_by_list(list_id), 403, "permission_denied")
    other = KlaviyoAPI(READING, test_host=url)
    refused("writing with a key that reads", lambda: other.Lists.create_list(named), 403, "permission_denied")
    nobody = KlaviyoAPI("pk_nobody", test_host=url)
    refused("a wrong key", nobody.Accounts.get_accounts, 401, "authentication_failed")
    flows = KlaviyoAPI("pk_AbC123_flows", test_host=url)
    step("flows that the list starts", flows.Lists.get_flows_triggered_by_list(list_id).data, [])


if __name__ == "__main__":
    main(walk)
