"""What FastAPI's description of the API does not say by itself: problems, who is let in, examples."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.api.examples import BODIES, PROBLEM, example_of
from shared.web.problems import Problem, responses

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
