"""Examples for the description of the API: one world, of which every example tells a part."""

from __future__ import annotations

from typing import Any

RUN = "20261122-050000-123-4567"
SEGMENT = "segments:Loyal customers"

PARAMETERS: dict[str, str] = {
    "vendor": "iterable",
    "credential": "api_key",
    "run": RUN,
    "segment": SEGMENT,
}
"""Path parameter -> example; `name` depends on whose it is."""

NAMES = {"/api/v1/connections/": "iterable", "/api/v1/exports/": "newsletter"}

BODIES: dict[str, dict[str, Any]] = {
    "ConnectionInput": {
        "display_name": "Iterable, all shops",
        "vendor": "iterable",
        "shared_with": "administrators and contributors",
        "settings": {"data_center": "eu"},
        "secrets": {"api_key": "iterable-api-key"},
        "consent": {"agreed_by": "Ada Andersson", "text": "Profiles may go to Iterable."},
    },
    "ExportInput": {
        "display_name": "Newsletter",
        "connection": "iterable",
        "targets": [{"segments": [SEGMENT], "list_name": "Newsletter"}],
        "address_column": "EMail",
        "matching": [{"field": "firstName", "column": "FirstName"}],
        "schedule": {"kind": "cron", "expression": "0 5 * * *", "time_zone": "Europe/Stockholm"},
    },
    "CheckUpInput": {"target": 0, "full": True},
    "AddressInput": {"address": "jane@example.org"},
    "Decision": {"plan": "plan-1", "decision": "additions_only"},
    "PreviewInput": {
        "connection": "iterable",
        "segments": [SEGMENT],
        "address_column": "EMail",
        "matching": [{"field": "firstName", "column": "FirstName"}],
    },
    "ProbeInput": {"canary": "canary@example.org"},
    "RemoveInput": {"exports": {"newsletter": "detach"}},
    "Schedule": {"kind": "cron", "expression": "0 5 * * 1-5", "time_zone": "Europe/Stockholm"},
    "SecretInput": {"value": "0123456789abcdef"},
    "SeveralInput": {"exports": ["newsletter"], "do": "pause"},
    "StartInput": {"kind": "dry_run"},
}
"""Schema of a request's body -> example."""

PROBLEM: dict[str, Any] = {
    "type": "/api/docs#invalid",
    "title": "Cannot be saved",
    "status": 422,
    "detail": "Put right what `errors` lists.",
    "code": "invalid",
    "errors": [{"pointer": "/address_column", "message": "The segment has no such column."}],
}


def example_of(path: str, parameter: str) -> str | None:
    """The example of a path's parameter."""
    named = next((name for start, name in NAMES.items() if path.startswith(start)), None)
    return named if parameter == "name" else PARAMETERS.get(parameter)
