"""Microsoft's Python worker library, run in this process: it indexes function_app.py and calls the functions.

Plain `def` functions run on the library's thread pool, `async def` functions on the event loop, as in Azure.
The library keeps its state in its modules, so a process can load one app, once.
"""

from __future__ import annotations

import json
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import azure_functions_runtime as runtime  # type: ignore[import-untyped]  # it ships no types

from dev.host import protos

Binding = dict[str, Any]


class AppError(Exception):
    """The function app cannot be loaded."""


@dataclass(frozen=True)
class Function:
    """One function of the app; its bindings are as in a function.json, the trigger first."""

    name: str
    id: str
    bindings: tuple[Binding, ...]

    @property
    def trigger(self) -> Binding:
        """The binding that starts the function."""
        return next(binding for binding in self.bindings if binding["type"].endswith("Trigger"))

    def binding(self, name: str) -> Binding:
        """The binding of one parameter."""
        return next(binding for binding in self.bindings if binding["name"] == name)


@dataclass(frozen=True)
class Outcome:
    """How one invocation ended.

    `value` is what the function returned, `outputs` what it put into its output bindings, by parameter.
    `error` is "Type: message" and `stack` its traceback, both empty after a success.
    """

    ok: bool
    value: Any = None
    outputs: Mapping[str, Any] = field(default_factory=dict)
    error: str = ""
    stack: str = ""


class Worker:
    """The loaded app. Made by `load`, and stopped by `stop`."""

    _loaded: tuple[Path, list[Function]] | None = None

    def __init__(self, functions: list[Function]) -> None:
        self.functions = functions

    @classmethod
    async def load(cls, app: Path) -> Worker:
        """Index `app`/function_app.py (once per process) and start the thread pool.

        Raises AppError, with the library's message and traceback.
        """
        app = app.resolve()
        if cls._loaded is None:
            cls._loaded = app, await _index(app)
        loaded, functions = cls._loaded
        if loaded != app:
            raise AppError(f"this process has loaded {loaded}; {app} needs a process of its own: HostProcess")
        runtime.start_threadpool_executor()
        return cls(functions)

    async def invoke(
        self, function: Function, inputs: Mapping[str, protos.TypedData], metadata: Mapping[str, Any]
    ) -> Outcome:
        """Call one function. Its own errors are in the outcome, never raised."""
        request = protos.Message(
            invocation_id=str(uuid.uuid4()),
            function_id=function.id,
            input_data=[protos.ParameterBinding(name=name, data=data) for name, data in inputs.items()],
            trigger_metadata={name: protos.TypedData(json=json.dumps(value)) for name, value in metadata.items()},
            trace_context=protos.Message(trace_parent="", trace_state="", attributes={}),
            retry_context=protos.Message(retry_count=0, max_retry_count=0, exception=None),
        )
        response = await runtime.invocation_request(_envelope(invocation_request=request))
        result = response.result
        if result.status != protos.StatusResult.Success:
            return Outcome(ok=False, error=result.exception.message, stack=result.exception.stack_trace)
        outputs = {output.name: output.data for output in response.output_data}
        return Outcome(ok=True, value=response.return_value, outputs=outputs)

    def stop(self, patience: float) -> bool:
        """Stop the thread pool; False when a function is still running after `patience` seconds."""
        stopping = threading.Thread(target=runtime.stop_threadpool_executor, daemon=True)
        stopping.start()
        stopping.join(patience)
        return not stopping.is_alive()


async def _index(app: Path) -> list[Function]:
    if not (app / "function_app.py").exists():
        raise AppError(f"there is no function_app.py in {app}")
    sys.path.insert(0, str(app))
    init = protos.Message(capabilities={}, function_app_directory=str(app))
    request = _envelope(worker_init_request=init)
    request.properties = {"host": "127.0.0.1", "protos": protos}
    response = await runtime.worker_init_request(request)
    if response.result.status != protos.StatusResult.Success:
        failure = response.result.exception
        raise AppError(f"{failure.message}\n{failure.stack_trace}")
    metadata = await runtime.functions_metadata_request(None)
    return [
        Function(found.name, found.function_id, tuple(json.loads(raw) for raw in found.raw_bindings))
        for found in metadata.function_metadata_results
    ]


def _envelope(**request: protos.Message) -> protos.Message:
    return protos.Message(request=protos.Message(**request))
