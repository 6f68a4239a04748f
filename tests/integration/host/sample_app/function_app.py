"""A small function app that uses every kind of trigger and binding that the host knows."""

from __future__ import annotations

import json
import logging
import os
import sys
import threading
from collections import defaultdict
from typing import Any, List  # noqa: UP035 - the worker library refuses Out[list[str]]

import azure.functions as func
import fastapi

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
ANYONE = func.AuthLevel.ANONYMOUS
WORK_QUEUE = "%WORK_QUEUE%"
STORAGE = "AzureWebJobsStorage"

seen: list[dict[str, Any]] = []
gates: defaultdict[str, threading.Event] = defaultdict(threading.Event)


def note(function: str, **facts: Any) -> None:
    seen.append({"function": function, **facts})


def answer(content: Any, status: int = 200) -> func.HttpResponse:
    return func.HttpResponse(json.dumps(content), status_code=status, mimetype="application/json")


# --- HTTP ---------------------------------------------------------------------------------------------------------


@app.route("echo/{name}/{rest?}", methods=["POST"], auth_level=ANYONE)
def echo(req: func.HttpRequest) -> func.HttpResponse:
    headers = {
        "x-route": json.dumps(dict(req.route_params)),
        "x-query": json.dumps(dict(req.params)),
        "x-url": req.url,
        "x-sent": req.headers.get("X-Send", ""),
    }
    return func.HttpResponse(
        req.get_body(), status_code=201, headers=headers, mimetype=req.headers.get("content-type", "text/plain")
    )


@app.function_name("b_any_item")
@app.route("items/{id}", methods=["GET"], auth_level=ANYONE)
def any_item(req: func.HttpRequest) -> str:
    return f"any {req.route_params['id']}"


@app.function_name("a_special_item")
@app.route("items/special", methods=["GET"], auth_level=ANYONE)
def special_item(req: func.HttpRequest) -> str:
    return "special"


@app.function_name("c_late_item")
@app.route("items/late", methods=["GET"], auth_level=ANYONE)
def late_item(req: func.HttpRequest) -> str:
    return "never reached: b_any_item sorts before it"


@app.route("keyed", methods=["GET"])
def keyed(req: func.HttpRequest) -> str:
    return "the key was right"


@app.route("cookies", methods=["GET"], auth_level=ANYONE)
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("")
    response.headers.add("Set-Cookie", "one=1; Path=/; HttpOnly; Secure; SameSite=Lax; Max-Age=60")
    response.headers.add("Set-Cookie", "two=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT")
    return response


@app.route("boom", auth_level=ANYONE)
def boom(req: func.HttpRequest) -> str:
    raise RuntimeError("boom")


@app.route("meet", methods=["POST"], auth_level=ANYONE)
def meet(req: func.HttpRequest) -> str:
    """Ends only when two calls of it run at the same time."""
    meeting.wait()
    return "met"


meeting = threading.Barrier(2, timeout=30)


@app.route("large", methods=["GET"], auth_level=ANYONE)
def large(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(bytes(range(256)) * int(req.params["kilobytes"]) * 4, mimetype="application/octet-stream")


@app.route("seen", methods=["GET"], auth_level=ANYONE)
def tell(req: func.HttpRequest) -> func.HttpResponse:
    return answer(seen)


@app.route("setting/{name}", methods=["GET"])
def setting(req: func.HttpRequest) -> str:
    return os.environ.get(req.route_params["name"], "")


@app.route("gates/{name}", methods=["POST"], auth_level=ANYONE)
def open_gate(req: func.HttpRequest) -> str:
    gates[req.route_params["name"]].set()
    return "open"


@app.route("work", methods=["POST"], auth_level=ANYONE)
@app.queue_output("out", WORK_QUEUE, STORAGE)
def enqueue(req: func.HttpRequest, out: func.Out[List[str]]) -> func.HttpResponse:  # noqa: UP006 - as above
    orders = req.get_json()
    out.set([json.dumps(order) for order in orders])
    return answer({"enqueued": len(orders)}, 202)


# --- timers -------------------------------------------------------------------------------------------------------


@app.timer_trigger("timer", "%TICK_SCHEDULE%")
def tick(timer: func.TimerRequest) -> None:
    note("tick", past_due=timer.past_due)


@app.timer_trigger("timer", "0 0 0 1 1 *")
def failing_tick(timer: func.TimerRequest) -> None:
    raise ValueError("no time")


# --- queues -------------------------------------------------------------------------------------------------------


@app.queue_trigger("message", WORK_QUEUE, STORAGE)
def work(message: func.QueueMessage) -> None:
    order = json.loads(message.get_body())
    note(
        "work",
        id=order["id"],
        attempt=message.dequeue_count,
        message=message.id,
        receipt=message.pop_receipt,
        inserted=message.insertion_time.isoformat() if message.insertion_time else None,
    )
    logging.getLogger("sample").info("working on %s", order["id"])
    if order.get("do") == "fail":
        raise RuntimeError("cannot do that")
    if order.get("do") == "exit":
        sys.exit(3)
    if order.get("do") == "wait":
        gates[order["id"]].wait()
    if order.get("do") == "read":
        # A named pipe: opening it waits for whoever writes.
        with open(order["pipe"]) as pipe:  # noqa: PTH123
            pipe.read()
    note("work ended", id=order["id"])


@app.queue_trigger("message", "%WORK_QUEUE%-poison", STORAGE)
def work_poison(message: func.QueueMessage) -> None:
    note("poison", id=json.loads(message.get_body())["id"], attempt=message.dequeue_count)


# --- everything else ----------------------------------------------------------------------------------------------

web = fastapi.FastAPI()


@web.get("/")
def home() -> dict[str, str]:
    return {"page": "home"}


@web.get("/pages/{name}")
def page(name: str) -> dict[str, str]:
    return {"page": name}


@web.put("/files/{path:path}")
async def file(path: str, request: fastapi.Request) -> fastapi.Response:
    return fastapi.Response(await request.body(), 203, {"x-path": path}, "application/octet-stream")


middleware = func.AsgiMiddleware(web)
METHODS = ("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")


@app.function_name("z_web")
@app.route("{*path}", methods=METHODS, auth_level=ANYONE)
async def everything_else(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    response: func.HttpResponse = await middleware.handle_async(req, context)
    return response
