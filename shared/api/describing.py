"""What FastAPI's description of the API does not say by itself: problems, who is let in, examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.web.problems import Problem, responses

RUN = "20261122-050000-123-4567"
SEGMENT = "segments:Loyal customers"

PARAMETERS: dict[str, str] = {
    "vendor": "iterable",
    "credential": "api_key",
    "run": RUN,
    "request": RUN,
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
    "CollectInput": {"afresh": True},
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
    "ClearInput": {"exports": "detach"},
    "Schedule": {"kind": "cron", "expression": "0 5 * * 1-5", "time_zone": "Europe/Stockholm"},
    "SegmentInput": {"dialect": {"encoding": "windows-1252", "delimiter": ";"}},
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


_SCHEMES = {
    "session": {
        "type": "apiKey",
        "in": "cookie",
        "name": "__Host-segment-exports",
        "description": "People who signed in. What changes something needs the header X-CSRF-Token too.",
    },
    "token": {
        "type": "http",
        "scheme": "bearer",
        "bearerFormat": "JWT",
        "description": "An access token of Microsoft Entra ID for this app, with an app role in `roles`.",
    },
}


def finish(document: dict[str, Any]) -> None:
    """Complete the description in place."""
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem={**problem, "examples": [PROBLEM]})
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for name, example in BODIES.items():
        schemas[name]["examples"] = [example]
    document["components"]["securitySchemes"] = _SCHEMES
    document["security"] = [{name: []} for name in _SCHEMES]
    for path, operation in _operations(document):
        _finish_operation(path, operation)


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        yield from ((path, operation) for operation in methods.values())


def _finish_operation(path: str, operation: dict[str, Any]) -> None:
    if "requestBody" in operation:
        operation["responses"] |= {str(status): said for status, said in responses(413, signed_in=False).items()}
    parameters = operation.get("parameters", [])
    # FastAPI adds a 422 of its own shape to whatever has a parameter; a path's parameters are any text.
    if "application/json" in operation["responses"].get("422", {}).get("content", {}):
        del operation["responses"]["422"]
        if any(parameter["in"] == "query" for parameter in parameters):
            operation["responses"] |= {str(status): said for status, said in responses(422, signed_in=False).items()}
    for parameter in parameters:
        example = example_of(path, parameter["name"]) if parameter["in"] == "path" else None
        if example is not None:
            parameter["example"] = example
