"""Every point that a vendor's contract marks as unconfirmed is asked, or named with why nobody tries it."""

from __future__ import annotations

import pytest

from shared.vendors.probing import questions
from shared.vendors.registry import DEFINITIONS

# The contract's points, by section, as they are marked there.
UNCONFIRMED: dict[str, dict[str, tuple[str, ...]]] = {
    "iterable": {
        "2": ("project_type",),
        "3": ("list_name_twice", "list_name_length"),
        "4": ("no_ops", "most_rows", "oversize", "write_rate"),
        "5": ("channel_default",),
        "6": ("type_mismatch",),
        "8": ("retry_after",),
        "10": ("duplicate_rows",),
    },
    "dotdigital": {
        "1": ("forbidden_body",),
        "2": ("list_statuses", "list_count"),
        "3": ("field_case", "most_fields", "unknown_field"),
        "4": ("gzip", "oversize", "null_if_not_empty", "revived", "rejoined"),
        "5": ("poll_tier", "retention"),
        "7": ("most_ids", "removal_keys"),
        "8": ("list_reading",),
        "9": ("tier_limits", "limited_body", "reset_meaning"),
        "11": ("consent_twice", "duplicate_rows"),
        "12": ("v2_collection",),
    },
    "campaign-monitor": {
        "1": ("refresh_rotation", "sign_in_refused", "reading_scope", "clients"),
        "2": ("unknown_list",),
        "3": ("field_key", "most_fields", "field_name_length", "long_value", "bracketed_key"),
        "4": (
            "name_omitted",
            "all_failed",
            "most_bytes",
            "consent_errors",
            "unchanged_new",
            "duplicate_rows",
            "deleted_told",
            "refusals_told",
            "malformed",
            "concurrency",
        ),
        "5": ("absent_removed",),
        "6": ("date_required", "past_last_page", "absent_read", "list_count"),
        "10": ("review",),
    },
    "klaviyo": {
        "1": ("missing_revision", "scope_first"),
        "2": ("filter_quotes", "list_names"),
        "3": (
            *("error_rows", "named_rows", "same_person", "job_time", "most_bytes"),
            *("rejoined", "expired_job", "import_null"),
        ),
        "4": ("longest_filter",),
        "5": ("absent_removal", "other_addresses"),
        "6": ("fresh_reads", "suppressed_counted"),
        "7": ("address_case",),
        "8": ("shared_methods",),
    },
    "mailchimp": {
        "1": ("every_host", "writing_roles"),
        "3": ("tag_names", "tag_refusals"),
        "4": (
            *("archived_added", "status_left_out", "row_texts", "same_twice"),
            *("call_seconds", "job_parameters"),
        ),
        "5": ("page_of_more", "unknown_field"),
        "6": ("fresh_count",),
        "7": ("clear_address", "most_fields"),
        "8": ("connections",),
    },
    "omnisend": {
        "1": ("missing_version", "batch_scopes"),
        "2": ("tag_characters", "tag_length", "tag_case", "most_tags"),
        "2a": ("segment_selector", "older_tags"),
        "2b": ("upsert_tags",),
        "3": ("new_status", "most_properties"),
        "4": ("batch_put", "batch_bytes", "finished_count", "stopped"),
        "5": ("segment_names",),
        "7": ("problem_type",),
    },
}


@pytest.mark.parametrize("vendor", sorted(DEFINITIONS))
def test_every_unconfirmed_point_is_in_the_list(vendor: str) -> None:
    asked = [(each.section, each.id) for each in questions(vendor)]
    assert sorted(asked) == sorted(
        (section, each) for section, ids in UNCONFIRMED.get(vendor, {}).items() for each in ids
    )
    assert len({each for _, each in asked}) == len(asked)


@pytest.mark.parametrize("vendor", sorted(DEFINITIONS))
def test_questions_are_questions_and_reasons_are_reasons(vendor: str) -> None:
    for each in questions(vendor):
        assert each.asks.endswith("?"), each.id
        assert not each.not_tried.endswith("."), each.id
