"""A probe measures: its answers follow the simulator's switches, wherever the contract is unconfirmed."""

from __future__ import annotations

import json
from typing import Any

import pytest

from dev.simulators.omnisend import CONTACTS_KEY
from shared.vendors.contract import Told
from shared.vendors.probing import Notebook, conclude
from shared.wording import rendered
from tests.unit.vendors.probes.account import account

FAST = {"low": {"calls": 350, "seconds": 60}, "medium": {"calls": 1500, "seconds": 60}}
IMPORT_STATUS = "GET /contacts/v3/import/{importId}"

POSITIONS: dict[str, list[tuple[dict[str, Any], dict[str, str]]]] = {
    "iterable": [
        (
            {},
            {
                "project_type": "email",
                "list_name_twice": "taken",
                "list_name_length": "taken",
                "no_ops": "counted as a success",
                "most_rows": "refused: 400 BatchTooLarge",
                "oversize": "refused: 400 BatchTooLarge",
                "type_mismatch": "the row",
                "duplicate_rows": "the last",
            },
        ),
        (
            {
                "project_type": "hybrid",
                "duplicate_list_names": False,
                "longest_list_name": 255,
                "no_ops": "listed",
                "most_rows": 2000,
                "too_large_status": 413,
                "type_mismatch": "batch",
                "duplicate_rows": "first_wins",
                "new_list_invalid_calls": 2,
            },
            {
                "project_type": "hybrid or userid",
                "list_name_twice": "refused: 400 BadParams",
                "list_name_length": "refused: 400 BadParams",
                "no_ops": "listed",
                "most_rows": "taken",
                "oversize": "refused: 413 BatchTooLarge",
                "type_mismatch": "the whole request",
                "duplicate_rows": "the first",
            },
        ),
        ({"most_bytes": 5_000_000}, {"oversize": "taken"}),
    ],
    "dotdigital": [
        (
            {"tiers": FAST},
            {
                "list_statuses": "unknown 404, taken 400",
                "list_count": "later than a minute",
                "field_case": "yes",
                "unknown_field": "the row fails",
                "null_if_not_empty": "no",
                "poll_tier": "low",
                "most_ids": "yes",
                "removal_keys": "Id, Status",
                "tier_limits": "low 350, medium 1500",
                "reset_meaning": "a moment, in seconds",
                "duplicate_rows": "neither",
            },
        ),
        (
            {
                "tiers": FAST,
                "v2_statuses": {"ERROR_ADDRESSBOOK_NOT_FOUND": 400, "ERROR_ADDRESSBOOK_DUPLICATE": 409},
                "list_count_lag": 0,
                "field_names_any_case": True,
                "unknown_field": "request",
                "null_clears_if_not_empty": True,
                "endpoint_tiers": {IMPORT_STATUS: "medium"},
                "most_removals": 1000,
                "removal_keys": "camel",
                "rate_reset": "delta",
                "duplicate_rows": "first_wins",
            },
            {
                "list_statuses": "unknown 400, taken 409",
                "list_count": "at once",
                "field_case": "no",
                "unknown_field": "the request is refused",
                "null_if_not_empty": "yes",
                "poll_tier": "medium",
                "most_ids": "no: 400 error_contact_toomany",
                "removal_keys": "id, status",
                "reset_meaning": "seconds to wait",
                "duplicate_rows": "the first",
            },
        ),
        (
            {
                "tiers": FAST,
                "unknown_field": "ignored",
                "rate_reset": "epoch_ms",
                "duplicate_rows": "last_wins",
            },
            {
                "unknown_field": "it is left out",
                "reset_meaning": "a moment, in milliseconds",
                "duplicate_rows": "the last",
            },
        ),
    ],
    "campaign-monitor": [
        (
            {},
            {
                "clients": "yes: 2",
                "unknown_list": "401 code 101",
                "field_key": "letters and digits are kept",
                "field_name_length": "yes",
                "long_value": "it is cut to 250 characters",
                "bracketed_key": "no: the value is left out",
                "name_omitted": "yes",
                "all_failed": "400 code 210, rows 1",
                "most_bytes": "accepted: 201",
                "consent_errors": "the whole import",
                "unchanged_new": "No",
                "duplicate_rows": "the last",
                "deleted_told": "yes",
                "malformed": "400 code 400",
                "absent_removed": "400 code 203",
                "date_required": "yes: 400 code 5",
                "past_last_page": "400 code 800",
                "absent_read": "400 code 203",
                "list_count": "later than a minute",
            },
        ),
        (
            {
                "unknown_list": "400_101",
                "field_key": "without_spaces",
                "longest_field_name": 99,
                "long_values": "ignored",
                "bracketed_keys": True,
                "name_omitted": "kept",
                "consent_errors": "row",
                "unchanged_for_new": "Yes",
                "duplicate_rows": "first_wins",
                "untold": ["Deleted"],
                "delete_absent": "404",
                "date_required": False,
                "past_last_page": "empty",
                "stats_age": 0,
            },
            {
                "unknown_list": "400 code 101",
                "field_key": "spaces are left out",
                "field_name_length": "no: 400 code 254",
                "long_value": "it is left out",
                "bracketed_key": "yes",
                "name_omitted": "no",
                "consent_errors": "the row",
                "unchanged_new": "Yes",
                "duplicate_rows": "the first",
                "deleted_told": "no",
                "date_required": "no",
                "past_last_page": "an empty page",
                "list_count": "at once",
            },
        ),
        (
            {
                "unknown_list": "404_empty",
                "field_key": "lower_case",
                "long_values": "row_fails",
                "delete_absent": "200",
            },
            {
                "unknown_list": "404",
                "field_key": "letters and digits are kept, in lower case",
                "long_value": "the row fails",
                "absent_removed": "accepted: 200",
            },
        ),
    ],
    "omnisend": [
        (
            {},
            {
                "missing_version": "400 Validation failed",
                "batch_scopes": "yes",
                "tag_characters": "no: 400 Validation failed",
                "tag_length": "no: 400 Validation failed",
                "tag_case": "yes",
                "upsert_tags": "yes",
                "new_status": "nonSubscribed",
                "batch_put": "no: 400 Validation failed",
                "batch_bytes": "refused: 413 Payload too large",
                "finished_count": "yes",
                "problem_type": "application/problem+json",
            },
        ),
        (
            {
                "missing_version": "current",
                "tag_characters": "any",
                "longest_tag": 200,
                "tag_case": "insensitive",
                "upsert_tags": "merge",
                "new_contact_status": "subscribed",
                "put_contacts": "update",
                "most_bytes": 2_000_000,
                "finished_count": "successes",
            },
            {
                "missing_version": "the current version's answer",
                "tag_characters": "yes",
                "tag_length": "yes",
                "tag_case": "no",
                "upsert_tags": "no: they are added",
                "new_status": "subscribed",
                "batch_put": "yes",
                "batch_bytes": "accepted",
                "finished_count": "no",
            },
        ),
        ({"too_large_status": 400}, {"batch_bytes": "refused: 400 Validation failed"}),
    ],
}


@pytest.mark.parametrize(
    ("vendor", "switches", "answers"),
    [(vendor, switches, answers) for vendor, rows in POSITIONS.items() for switches, answers in rows],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_answers_follow_the_switches(vendor: str, switches: dict[str, Any], answers: dict[str, str]) -> None:
    with account(vendor, **switches) as probed:
        found = probed.probe()
    assert {each: found[each].answer for each in answers} == answers
    assert {found[each].told for each in answers} == {Told.ANSWERED}
    again = conclude(vendor, Notebook(json.loads(json.dumps(probed.facts))))
    assert again == found
    for finding in again.values():
        for words in (finding.answer, finding.evidence):
            assert "ENGLISH" not in rendered(words, "sv", foreign="ENGLISH: {}".format)


@pytest.mark.parametrize(("scopes", "answer"), [("contacts", "yes"), ("all", "no: 403 Forbidden")])
def test_a_key_for_contacts_alone_says_whether_it_may_use_batches(scopes: str, answer: str) -> None:
    with account("omnisend", batch_scopes=scopes) as probed:
        probed.secrets = {"api_key": CONTACTS_KEY}
        found = probed.probe()
    assert found["batch_scopes"].answer == answer
    # What takes batches cannot be told without them, and says so.
    assert (found["finished_count"].told is Told.ANSWERED) == (answer == "yes")
    assert (found["batch_bytes"].told is Told.ANSWERED) == (answer == "yes")


@pytest.mark.parametrize(("vendor", "switch"), [("dotdigital", "list_count_lag"), ("campaign-monitor", "stats_age")])
def test_a_count_that_follows_a_little_later_is_told_from_one_that_does_not(vendor: str, switch: str) -> None:
    with account(vendor, **{switch: 3600}) as probed:

        def catch_up() -> None:
            if "count after" in probed.facts["known"]:
                probed.tell("settings", {switch: 0})

        probed.saved = catch_up
        found = probed.probe()
    assert found["list_count"].answer == "within a minute"
