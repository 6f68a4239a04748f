"""The API keeps its own description, whatever is sent: schemathesis finds no 5xx and no answer that is not described.

`SCHEMATHESIS_EXAMPLES` is how many requests are made up for each operation; 25 in `make faults`, and beside them one
for each border of each value.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from shared.api import describing as examples
from shared.app import create_app
from shared.delivery.state.records import State
from tests.sampling import EVERY
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService, run

EXAMPLES = int(os.environ.get("SCHEMATHESIS_EXAMPLES") or (25 if EVERY else 4))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]


@cache
def app() -> FastAPI:
    """The world that the examples tell of."""
    service = FakeService()
    service.world.connect("iterable")
    service.world.save("newsletter", connection="iterable")
    service.past = [run(examples.RUN, State.BLOCKED, export="newsletter")]
    return create_app(service, KnownCallers())


schema = schemathesis.openapi.from_asgi("/api/openapi.json", app())
# They are made up while tests are collected, by each process.
schema.config.phases.coverage.enabled = EVERY


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_the_api_is_as_it_is_described(case: schemathesis.Case[Any]) -> None:
    case.call_and_validate(checks=CHECKS)


def test_every_operation_is_tried() -> None:
    described = {f"{method.upper()} {path}" for path, methods in app().openapi()["paths"].items() for method in methods}
    assert described
    assert {found.ok().label for found in schema.get_all_operations() if isinstance(found, Ok)} == described
