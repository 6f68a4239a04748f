"""The API as one FastAPI app."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from fastapi.telemetry import TelemetryConfig

from shared.api import connections, docs, exports, people, problems, runs, segments, vendors
from shared.api.service import Service
from shared.api.views import Health, Problem
from shared.api.wiring import TheService

_DESCRIPTION = (
    "Keeps the people of segments, and only those, on marketing vendors' lists. "
    "A run is started with POST /api/v1/exports/{name}/run, which is a function of its own."
)
# FastAPI's own telemetry quotes exceptions and whole addresses, with the function key in `code`.
_SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
ROUTERS = (vendors.router, connections.router, exports.router, segments.router, runs.router, people.router)


class _App(FastAPI):
    """FastAPI whose document knows the one shape of all errors."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            _use_problems(document)
        return super().openapi()


def _use_problems(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs"), Problem=problem)
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    for operation in (each for path in document["paths"].values() for each in path.values()):
        # FastAPI adds its own 422 to whatever has a parameter; ours are declared where they can happen.
        if "application/json" in operation["responses"].get("422", {}).get("content", {}):
            del operation["responses"]["422"]


def create_app(service: Service) -> FastAPI:
    """The app over a service; it makes no request and reads nothing until it is asked."""
    app = _App(
        title="Segment exports",
        description=_DESCRIPTION,
        version=service.version,
        openapi_url="/api/openapi.json",
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        telemetry=_SILENT,
        generate_unique_id_function=lambda route: route.name,
    )
    app.state.service = service
    problems.install(app)
    for router in ROUTERS:
        app.include_router(router)
    _add_pages(app)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.get("/api/health", tags=["health"], summary="Is it up?", responses=problems.responses())
    async def health(service: TheService) -> Health:
        """Says so, and which version; needs nobody's permission."""
        return Health(version=service.version)

    @app.get("/api/docs", include_in_schema=False)
    async def documentation() -> HTMLResponse:
        return HTMLResponse(docs.page(app.openapi()))

    @app.get("/", include_in_schema=False)
    async def root() -> RedirectResponse:
        return RedirectResponse("/api/docs")
