"""The app that people and programs reach over HTTP: API, pages and sign-in over one service."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI
from fastapi.telemetry import TelemetryConfig

from shared.access.visitors import Access
from shared.api import (
    about,
    assistance,
    audit,
    comparing,
    connections,
    describing,
    doctor,
    exports,
    people,
    run_files,
    runs,
    segments,
    several,
    vendors,
)
from shared.control.service import Service
from shared.pages import router as pages
from shared.pages import unknown, vendor_sign_in
from shared.web import problems, sign_in
from shared.web.gate import Gate
from shared.web.languages import ReadersLanguage
from shared.web.middleware import BodyLimit, SecurityHeaders, Unexpected

_DESCRIPTION = (
    "Keeps the people of segments, and only those, on marketing vendors' lists. "
    "Whoever has the app's function key starts a run with POST /api/v1/exports/{name}/run, a function of its own that "
    "is otherwise like POST /api/v1/exports/{name}/runs."
)
# FastAPI's own telemetry quotes exceptions and whole addresses, with the function key in `code`.
_SILENT: TelemetryConfig = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
ROUTERS = (
    vendors.router,
    connections.router,
    vendor_sign_in.router,
    exports.router,
    comparing.router,
    doctor.router,
    several.router,
    assistance.router,
    segments.router,
    runs.router,
    run_files.router,
    people.router,
    audit.router,
    about.router,
)


class _App(FastAPI):
    """FastAPI with a complete description of the API."""

    def openapi(self) -> dict[str, Any]:
        if self.openapi_schema is None:
            document = super().openapi()
            describing.finish(document)
        return super().openapi()


def create_app(service: Service, access: Access) -> FastAPI:
    """The app over a service, for those whom `access` admits; reads nothing until it is asked."""
    app = _App(
        title="Segment exports",
        description=_DESCRIPTION,
        version=service.version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        separate_input_output_schemas=False,
        telemetry=_SILENT,
    )
    app.state.service = service
    app.add_middleware(Gate, access=access)
    problems.install(app)
    unknown.install(app)
    app.add_middleware(Unexpected)
    app.add_middleware(BodyLimit)
    app.add_middleware(ReadersLanguage)
    app.add_middleware(SecurityHeaders, origin=access.origin, issuer=access.issuer)
    # FastAPI makes every route of an included router anew at the first request: half of what starting costs.
    app.router.routes.extend(route for router in (*ROUTERS, sign_in.router, *pages.ROUTERS) for route in router.routes)
    return app
