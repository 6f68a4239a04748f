"""HTTP: the API and its pages, a FastAPI app behind one catch-all route.

The host matches routes in the order of function names, so this function's name must sort last. It asks for no key,
since browsers have none: shared/access finds out who asks, and lets nobody in whom it does not know.
"""

from __future__ import annotations

from functools import cache

import azure.functions as func

from functions import process

blueprint = func.Blueprint()

METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]


@cache
def _bridge() -> func.AsgiMiddleware:
    from shared.app import create_app

    return func.AsgiMiddleware(create_app(process.service(), process.access()))


@blueprint.function_name("web")
@blueprint.route(route="{*path}", methods=METHODS, auth_level=func.AuthLevel.ANONYMOUS)
def web(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response: func.HttpResponse = _bridge().main(req, context)
    return response
