"""The messages of Microsoft's worker protocol (FunctionRpc.proto) as plain objects: no gRPC, no protobuf.

The worker library takes the module with its message classes as an argument and only constructs them, reads their
attributes, and asks which field of a `TypedData` is set. So objects with attributes are all it needs.
"""

from __future__ import annotations

from types import SimpleNamespace


class Message(SimpleNamespace):
    """Any message: its fields are what it was constructed with."""


class TypedData(Message):
    """A value that has exactly one of the fields string, bytes, json, http, int, double."""

    def WhichOneof(self, group: str) -> str | None:  # noqa: N802 - protobuf's name
        """The name of the field that is set."""
        return next(iter(vars(self)), None)


class ParameterBinding(Message):
    """The value of one parameter of a function: `name` and `data`, a TypedData."""

    def WhichOneof(self, group: str) -> str:  # noqa: N802 - protobuf's name
        """The name of the field that carries the value."""
        return "data"


class StatusResult(Message):
    """How a request to the worker ended: `status`, and `exception` after a failure."""

    Failure, Success, Cancelled = range(3)


class BindingInfo(Message):
    """What one binding of a function is."""

    in_, out, inout = range(3)
    undefined, string, binary, stream = range(4)


class RpcHttpCookie(Message):
    """A cookie of an HTTP answer; its attributes are wrapped in Nullable... or absent."""

    SameSite = SimpleNamespace(**{"None": "", "Lax": "Lax", "Strict": "Strict", "ExplicitNone": "None"})


RpcException = RpcHttp = RpcFunctionMetadata = RpcRetryOptions = Message
WorkerMetadata = WorkerInitResponse = FunctionMetadataResponse = InvocationResponse = Message
NullableString = NullableBool = NullableDouble = NullableTimestamp = Timestamp = Message
