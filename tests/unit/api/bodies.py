"""JSON bodies to send."""

from __future__ import annotations

from typing import Any

from tests.unit.catalog.samples import connection, export


def connection_body(**changes: Any) -> dict[str, Any]:
    return {**connection().model_dump(mode="json"), **changes}


def export_body(**changes: Any) -> dict[str, Any]:
    return {**export().model_dump(mode="json"), **changes}
