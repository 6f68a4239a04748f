"""Which tests are to notice when a module is broken: few and quick, since they run for each mutant."""

from __future__ import annotations

from collections.abc import Mapping

DELIVERY = "tests/unit/delivery"
MODULES: Mapping[str, tuple[str, ...]] = {
    "delivery/state/transitions": (f"{DELIVERY}/test_transitions.py",),
    "delivery/state/ledger": (f"{DELIVERY}/test_ledger_age.py", f"{DELIVERY}/test_ledger.py"),
    "delivery/state/journal": (f"{DELIVERY}/test_journal.py",),
    "delivery/plan/guards": (f"{DELIVERY}/test_guards.py",),
    "delivery/messages": (f"{DELIVERY}/test_messages.py",),
    "delivery/account/lease": (f"{DELIVERY}/test_lease.py",),
    "delivery/slices": (f"{DELIVERY}/test_slices.py", f"{DELIVERY}/test_slice_rows.py"),
    "delivery/commit/step": (f"{DELIVERY}/test_commit_step.py",),
    "delivery/commit/new_ledger": (f"{DELIVERY}/test_new_ledger.py", f"{DELIVERY}/test_commit_step.py"),
    "delivery/plan/operations": (f"{DELIVERY}/test_operations.py",),
    "delivery/plan/step": (f"{DELIVERY}/test_plan_step.py",),
    "delivery/plan/staging": (f"{DELIVERY}/test_staging.py",),
    "delivery/plan/drift": (f"{DELIVERY}/test_drift.py", f"{DELIVERY}/test_guards.py"),
    "delivery/plan/lines": (f"{DELIVERY}/test_files_for_people.py",),
    "delivery/plan/planned_people": (f"{DELIVERY}/test_files_for_people.py",),
    "delivery/plan/protected_people": (f"{DELIVERY}/test_protected_people.py",),
    "delivery/commit/report": (f"{DELIVERY}/test_files_for_people.py",),
    "delivery/plan/cell_values": (
        f"{DELIVERY}/test_matching_document.py",
        f"{DELIVERY}/test_cell_values.py",
        "tests/unit/vendors/test_fits.py",
    ),
    "delivery/plan/phones": (f"{DELIVERY}/test_phones.py",),
    "vendors/campaign_monitor/left_alone": (
        "tests/unit/vendors/campaign_monitor/test_left_alone.py",
        "tests/unit/vendors/test_rolls.py",
    ),
    "vendors/campaign_monitor/requests": ("tests/unit/vendors/campaign_monitor/test_requests.py",),
    "vendors/dotdigital/requests": ("tests/unit/vendors/dotdigital/test_requests.py",),
    "vendors/iterable/requests": ("tests/unit/vendors/iterable/test_requests.py",),
    "vendors/iterable/new_fields": ("tests/unit/vendors/iterable/test_new_fields.py",),
    "vendors/omnisend/requests": ("tests/unit/vendors/omnisend/test_requests.py",),
    "vendors/dotdigital/left_alone": ("tests/unit/vendors/dotdigital/test_left_alone.py",),
    "vendors/omnisend/spellings": ("tests/unit/vendors/omnisend/test_spellings.py",),
    "access/sealing": ("tests/unit/access/test_sessions.py",),
    "access/sessions": ("tests/unit/access/test_sessions.py",),
    "access/visitors": ("tests/unit/web/test_own_pages.py",),
    "access/signing_in": (
        "tests/unit/access/test_failures.py",
        "tests/unit/web/test_own_pages.py",
        "tests/unit/access/test_bearer.py",
        "tests/unit/access/test_sign_in.py",
    ),
    "web/gate": ("tests/unit/web/test_gate.py",),
    "mailbox": ("tests/unit/test_mailbox.py",),
    "vendors/rolls": ("tests/unit/vendors/test_rolls.py",),
    "vendors/presence": ("tests/unit/vendors/test_presence.py",),
    "cloud/scrubbing": ("tests/unit/vendors/test_scrubbing.py",),
    "vendors/iterable/responses": ("tests/unit/vendors/iterable/test_responses.py",),
    "vendors/omnisend/responses": ("tests/unit/vendors/omnisend/test_responses.py",),
    "vendors/campaign_monitor/responses": ("tests/unit/vendors/campaign_monitor/test_responses.py",),
    "vendors/dotdigital/responses": ("tests/unit/vendors/dotdigital/test_responses.py",),
}
