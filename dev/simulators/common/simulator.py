"""The application: a vendor with journal, rates, latency and faults around it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from email.utils import formatdate
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl

from starlette.routing import compile_path
from starlette.types import Receive, Scope, Send

from dev.simulators.common.clock import Clock
from dev.simulators.common.faults import ANY, Fault, Faults
from dev.simulators.common.journal import Entry, Journal
from dev.simulators.common.settings import Settings, changed
from dev.simulators.common.vendor import HTML, Answer, Call, Endpoint, Refusal, Vendor, json_answer
from dev.simulators.common.windows import Windows
from dev.simulators.common.wire import Wire

UNKNOWN = "unknown"  # what the journal calls a path that the vendor does not have

AnyVendor = Vendor[Any]
VendorT = TypeVar("VendorT", bound=AnyVendor)
VendorT_co = TypeVar("VendorT_co", bound=AnyVendor, covariant=True)

_PAGE = b"<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"
_STRANGE = {"apiVersion": 99, "outcome": [{"kind": "deferred"}]}


class Simulator(Generic[VendorT_co]):
    """An ASGI application. `url` is set while it is served; `vendor`, `journal` and `faults` may be
    looked at and changed directly by a test in the same process while no call is under way.
    """

    def __init__(self, vendor: VendorT_co, faults: Iterable[Fault] = (), url: str = "") -> None:
        self.vendor = vendor
        self.url = url
        self.clock: Clock = vendor.clock
        self.journal = Journal(self.clock)
        names = [endpoint.name for endpoint in vendor.endpoints()]
        self.faults = Faults([*names, UNKNOWN], faults)
        self._windows = Windows(self.clock)
        self._table = _Table(vendor.endpoints())
        self._rated = {ANY, *names}
        self._check(vendor.settings)
        self._at_start = (vendor.settings.model_copy(deep=True), [*faults])

    def change_settings(self, changes: Mapping[str, Any]) -> None:
        """See `settings.changed`; raises `ValueError` for what does not fit, also a rate of no endpoint."""
        settings = changed(self.vendor.settings, changes)
        self._check(settings)
        self.vendor.settings = settings

    def _check(self, settings: Settings) -> None:
        if strangers := settings.rates.keys() - self._rated:
            raise ValueError(f"no such endpoint: {', '.join(sorted(strangers))}")

    def reset(self) -> None:
        """Everything as at start: settings, faults, an empty account, an empty journal."""
        settings, faults = self._at_start
        self.vendor.settings = settings.model_copy(deep=True)
        self.vendor.clear()
        self.faults.set(faults)
        self.journal.clear()
        self._windows.clear()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        wire = Wire(scope, receive, send)
        endpoint, parameters = self._table.find(scope["method"], self.vendor.route(scope["path"]))
        name = endpoint.name if endpoint else UNKNOWN
        entry = self.journal.arrive(scope["method"], scope["path"], name, scope["query_string"].decode("latin-1"))
        try:
            body = await wire.body()
            call = _call(scope, name, parameters, body)
            entry.body_bytes = len(body)
            if self.vendor.settings.journal == "bodies":
                entry.body = body
            await self._handle(call, endpoint, entry, wire)
        finally:
            self.journal.leave()

    async def _handle(self, call: Call, endpoint: Endpoint | None, entry: Entry, wire: Wire) -> None:
        fault = self.faults.next(call.endpoint)
        answer = None
        if fault is None or fault.works:
            answer = self._work(call, endpoint, entry)
            settings = self.vendor.settings
            if seconds := settings.latency_fixed + settings.latency_per_row * entry.rows:
                await wire.silence(seconds, self.clock)
        if fault is not None:
            entry.fault = fault.kind
            answer = await self._strike(fault, call, answer, wire)
        entry.status = answer.status if answer else None
        self.journal.settle(entry)  # before the answer, so whoever has it also finds it in the journal
        if answer is None:
            await wire.drop()
        elif fault is not None and fault.kind == "truncate":
            await wire.cut(answer)
        else:
            await wire.answer(answer)

    def _work(self, call: Call, endpoint: Endpoint | None, entry: Entry) -> Answer:
        if endpoint is None:
            return self.vendor.not_found(call)
        account = self.vendor.authenticate(call)
        if isinstance(account, Answer):
            return account
        entry.account = account
        most = self.vendor.settings.most_in_flight
        if most is not None and self.journal.in_flight > most:
            return self.vendor.rate_limited(call.endpoint, account)
        wait = self._windows.take(account, self._rates(call.endpoint))
        if wait > 0:
            return self._limited(call.endpoint, account, wait)
        try:
            answer = endpoint.work(replace(call, account=account))
        except Refusal as refusal:
            answer = refusal.answer
        entry.rows = answer.rows
        entry.worked = answer.status < 400 if answer.worked is None else answer.worked
        if self.vendor.settings.journal != "counts":
            entry.touched = answer.touched
            entry.left = answer.left
        return answer

    def _rates(self, name: str) -> list[tuple[str, Any]]:
        rates = self.vendor.settings.rates
        return [(limit, rates[limit]) for limit in (name, ANY) if limit in rates]

    def _limited(self, name: str, account: str, wait: float) -> Answer:
        answer = self.vendor.rate_limited(name, account)
        seconds = math.ceil(wait)
        match self.vendor.settings.retry_after:
            case "seconds":
                return self.vendor.told_to_wait(answer, seconds)
            case "http_date":
                return answer.with_header("retry-after", formatdate(self.clock.epoch() + seconds, usegmt=True))
            case _:
                return answer

    async def _strike(self, fault: Fault, call: Call, answer: Answer | None, wire: Wire) -> Answer | None:
        """The answer that the client gets instead; None: the connection drops."""
        match fault.kind:
            case "rate_limited":
                limited = self.vendor.rate_limited(call.endpoint, call.account)
                after = fault.retry_after
                return limited if after is None else self.vendor.told_to_wait(limited, after)
            case "error":
                return self.vendor.error(fault.status or 500)
            case "html":
                return _made_up(Answer(fault.status or 502, _PAGE, HTML))
            case "unknown_json":
                return _made_up(json_answer(_STRANGE if fault.body is None else fault.body, fault.status or 200))
            case "hang":
                stayed = await wire.silence(fault.seconds, self.clock)
                return answer if stayed else None
            case "truncate":
                return answer
            case "drop":
                return None


def _made_up(answer: Answer) -> Answer:
    """One that the vendor would never give, told apart for whoever judges answers."""
    return answer.with_header("x-simulator", "made up")


def _call(scope: Scope, name: str, parameters: Mapping[str, Any], body: bytes) -> Call:
    headers = {key.decode("latin-1"): value.decode("latin-1") for key, value in scope["headers"]}
    query = dict(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    client = scope["client"][0] if scope.get("client") else ""
    return Call(scope["method"], scope["path"], name, parameters, query, headers, body, client)


@dataclass(frozen=True, slots=True)
class _Template:
    endpoint: Endpoint
    pattern: Any
    convertors: Mapping[str, Any]


class _Table:
    """Finds the endpoint of a path; a fixed path goes before a template."""

    def __init__(self, endpoints: Sequence[Endpoint]) -> None:
        self._fixed = {(e.method, e.path): e for e in endpoints if "{" not in e.path}
        self._templates = [
            _Template(e, pattern, convertors)
            for e in endpoints
            if "{" in e.path
            for pattern, _, convertors in [compile_path(e.path)]
        ]

    def find(self, method: str, path: str) -> tuple[Endpoint | None, Mapping[str, Any]]:
        if fixed := self._fixed.get((method, path)):
            return fixed, {}
        for template in self._templates:
            match = template.pattern.match(path)
            if match and template.endpoint.method == method:
                parameters = {name: template.convertors[name].convert(text) for name, text in match.groupdict().items()}
                return template.endpoint, parameters
        return None, {}
