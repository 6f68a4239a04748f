"""HTTP: `POST /api/v1/exports/{name}/run` starts an export, or names the run that is under way.

For programs that have a function key, which the host checks; people and programs that sign in have `POST …/runs`.
"""

from __future__ import annotations

import azure.functions as func

from functions import process

blueprint = func.Blueprint()

POLL_SECONDS = "2"


@blueprint.function_name("run_export")
@blueprint.route(route="api/v1/exports/{name}/run", methods=["POST"], auth_level=func.AuthLevel.FUNCTION)
def run_export(req: func.HttpRequest) -> func.HttpResponse:
    from shared.api.runs import answer, start_by_key
    from shared.errors import ExportError
    from shared.web.problems import refusal, unnamed

    try:
        started = start_by_key(process.service(), process.access(), req.route_params["name"], req.get_body())
    except Exception as error:  # noqa: BLE001  # the worker would log its text, which may hold addresses
        refused = refusal(error) if isinstance(error, ExportError) else unnamed(error)
        content, headers = bytes(refused.body), dict(refused.headers)
        return func.HttpResponse(content, status_code=refused.status_code, headers=headers, mimetype=refused.media_type)
    run = started.run
    where = {"Location": f"/api/v1/exports/{run.export}/runs/{run.run}", "Retry-After": POLL_SECONDS}
    return func.HttpResponse(
        answer(started).model_dump_json(), status_code=202, headers=where, mimetype="application/json"
    )
