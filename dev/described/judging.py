"""One call and its answer against the description; what is found is told without values, which may be addresses."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import jsonschema_rs
import orjson

from dev.described.descriptions import Description, Operation, Parameter
from dev.described.schemas import as_it_is, checker, closed, is_pieced_together, without_required, wrongs

_EMPTY = (204, 304)
# Descriptions leave most refusals out, and what stands before a vendor answers in HTML.
_REFUSALS = r"^answer [45]\d\d(: (not described|no body)|, content type: text/html is not described)$"

MADE_UP = "x-simulator"
"""A header of answers that a simulator gives on purpose and its vendor never would."""


class Exchange(NamedTuple):
    """A call and its answer as they went over the wire; names of headers are lower-case."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes
    status: int
    answer_headers: Mapping[str, str]
    answer: bytes


class Rules(NamedTuple):
    """How a vendor's description is to be read. `prefix` is what stands before its paths on one host for all; `cut` are
    the beginnings of query parameters that cut an answer down; `allowed` are findings that the contract knows better.
    """

    prefix: str = ""
    cut: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()


class Checkers:
    """What schemas are checked with; kept, as what they refer to is large."""

    def __init__(self) -> None:
        self._made: dict[tuple[int, str], tuple[Any, jsonschema_rs.Draft4Validator]] = {}

    def of(self, schema: Any, shared: Any, change: Callable[[Any], Any]) -> jsonschema_rs.Draft4Validator:
        """`change` is applied to the schema and to what it may refer to."""
        key = (id(schema), change.__name__)
        if key not in self._made:
            # The schema is kept too, so that nothing else can come to have its id.
            self._made[key] = (schema, checker(change(schema), change(shared)))
        return self._made[key][1]


class Judge:
    """Counts what was judged, what the description does not have, and what it forbids."""

    def __init__(self, description: Description, rules: Rules) -> None:
        self._description = description
        self._rules = rules
        self._lock = Lock()
        self._checkers = Checkers()
        self.judged: Counter[str] = Counter()
        self.not_described: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.allowed: Counter[str] = Counter()

    def see(self, exchange: Exchange) -> None:
        path = re.sub(self._rules.prefix, "", exchange.path, count=1) if self._rules.prefix else exchange.path
        operation = self._description.find(exchange.method, path) or self._description.find(
            exchange.method, path.rstrip("/")
        )
        with self._lock:
            if operation is None:
                self.not_described[f"{exchange.method} {_shape(path)} -> {exchange.status}"] += 1
                return
            self.judged[operation.name] += 1
            # What was refused need not have been in order: then only the refusal itself is looked at.
            wrong = _request(operation, exchange, self._checkers) if exchange.status < 400 else []
            if MADE_UP not in exchange.answer_headers:
                wrong += _answer(operation, exchange, self._rules, self._checkers)
            for each in wrong:
                if any(re.search(pattern, each) for pattern in (_REFUSALS, *self._rules.allowed)):
                    self.allowed[each] += 1
                else:
                    self.found[f"{operation.name}: {each}"] += 1

    def report(self) -> dict[str, Any]:
        with self._lock:
            return {
                "judged": dict(sorted(self.judged.items())),
                "not_described": dict(sorted(self.not_described.items())),
                "allowed": dict(sorted(self.allowed.items())),
                "found": dict(sorted(self.found.items())),
            }


def _shape(path: str) -> str:
    """A path that is not described, with what looks like an id or an address taken out."""
    return "/".join("…" if re.search(r"\d|@|%", part) else part for part in path.split("/"))


def _request(operation: Operation, exchange: Exchange, checkers: Checkers) -> list[str]:
    query = _query(operation, exchange, checkers)
    return [*query, *_headers(operation, exchange), *_body(operation, exchange, checkers)]


def _query(operation: Operation, exchange: Exchange, checkers: Checkers) -> list[str]:
    given = parse_qsl(exchange.query, keep_blank_values=True)
    known = {each.name: each for each in operation.parameters if each.place == "query"}
    found = [f"call, query {name}: not described" for name, _ in given if name not in known]
    for parameter in known.values():
        texts = [text for name, text in given if name == parameter.name]
        if not texts:
            found += [f"call, query {parameter.name}: required"] if parameter.required else []
            continue
        value = _value(parameter, texts)
        checked = checkers.of(parameter.schema, operation.shared, as_it_is)
        found += [f"call, query {parameter.name} {each}" for each in wrongs(checked, value)]
    return found


def _headers(operation: Operation, exchange: Exchange) -> list[str]:
    names = [each.name for each in operation.parameters if each.place == "header" and each.required]
    return [f"call, header {name}: required" for name in names if name.lower() not in exchange.headers]


def _value(parameter: Parameter, texts: Sequence[str]) -> Any:
    if parameter.array is None:
        return _typed(texts[-1], parameter.schema)
    parts = texts if parameter.array == "multi" else [part for part in texts[-1].split(",") if part]
    return [_typed(part, parameter.schema.get("items", {})) for part in parts]


def _typed(text: str, schema: Any) -> Any:
    """A parameter comes as text; a text that is no number or boolean stays one, and is found."""
    kinds: dict[str, Callable[[], Any]] = {
        "integer": lambda: int(text),
        "number": lambda: float(text),
        "boolean": lambda: {"true": True, "false": False}[text.lower()],
    }
    try:
        return kinds.get(schema.get("type", ""), lambda: text)()
    except (ValueError, KeyError):
        return text


def _body(operation: Operation, exchange: Exchange, checkers: Checkers) -> list[str]:
    if not exchange.body:
        return ["call, body: required"] if operation.body_required else []
    if not operation.bodies:
        return ["call, body: not described"]
    schema, missing = _by_media(operation.bodies, exchange.headers.get("content-type", ""))
    if missing:
        return [f"call, content type: {missing}"]
    if schema is None:
        return []
    try:
        value = orjson.loads(exchange.body)
    except orjson.JSONDecodeError:
        return ["call, body: not JSON"]
    change = as_it_is if is_pieced_together(schema, operation.shared) else closed
    return [f"call, body {each}" for each in wrongs(checkers.of(schema, operation.shared, change), value)]


def _by_media(medias: Mapping[str, Any], given: str) -> tuple[Any, str]:
    """The schema for a content type, and what is wrong with the type."""
    media = given.partition(";")[0].strip().lower()
    for name, schema in medias.items():
        if name.partition(";")[0].strip().lower() == media:
            return schema, ""
    return None, f"{media or 'none'} is not described"


def _answer(operation: Operation, exchange: Exchange, rules: Rules, checkers: Checkers) -> list[str]:
    medias = operation.answer(exchange.status)
    if medias is None:
        return [f"answer {exchange.status}: not described"]
    if not exchange.answer or exchange.status in _EMPTY:
        needed = any(schema is not None for schema in medias.values())
        return [f"answer {exchange.status}: no body"] if needed and exchange.status not in _EMPTY else []
    if not medias:
        return []
    schema, missing = _by_media(medias, exchange.answer_headers.get("content-type", ""))
    if missing:
        return [f"answer {exchange.status}, content type: {missing}"]
    if schema is None:
        return []
    try:
        value = orjson.loads(exchange.answer)
    except orjson.JSONDecodeError:
        value = exchange.answer.decode("utf-8", "replace")  # plain text, where the description says so
    is_cut = any(name.startswith(rules.cut) for name, _ in parse_qsl(exchange.query)) if rules.cut else False
    found = wrongs(checkers.of(schema, operation.shared, without_required if is_cut else as_it_is), value)
    return [f"answer {exchange.status} {each}" for each in dict.fromkeys(found)]
