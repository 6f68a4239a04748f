"""Records of work that goes on over slices: each is written once, and whoever comes second takes the first one's.

A record is written when the files that it names are there. Those have the name of the execution that wrote them, so
that a stale one never writes over what a record names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from typing import TYPE_CHECKING, Any, TypeVar, get_args, get_origin, get_type_hints

import orjson
from pydantic import TypeAdapter

from shared.cloud.blobs import Blobs
from shared.errors import Conflict

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    D = TypeVar("D", bound=DataclassInstance)


class Unusable(Exception):
    """A record cannot be read, or what it names is gone: the work that it is about begins anew."""


def keep(blobs: Blobs, name: str, record: D) -> D:
    """Write a record, unless another execution was first; the record that counts. Raises Unusable."""
    try:
        blobs.create(name, to_json(record))
    except Conflict:
        found = read(blobs, name, type(record))
        if found is None:
            raise Unusable(name) from None
        return found
    return record


def read(blobs: Blobs, name: str, shape: type[D]) -> D | None:
    """A record, None where there is none. Raises Unusable where it is not of this shape."""
    found = blobs.read(name)
    return None if found is None else of_json(found[0], shape)


def to_json(record: DataclassInstance) -> bytes:
    """A dataclass; its mappings are lists of pairs, since not all of their keys are texts."""
    named = {each.name: getattr(record, each.name) for each in fields(record)}
    return orjson.dumps({name: [*map(list, v.items())] if isinstance(v, Mapping) else v for name, v in named.items()})


def of_json(content: bytes, shape: type[D]) -> D:
    """What `to_json` gave. Raises Unusable."""
    try:
        plain = orjson.loads(content)
        return shape(**{name: make(plain[name]) for name, make in _makers(shape).items()})
    except (ValueError, KeyError, TypeError) as error:
        raise Unusable(f"no {shape.__name__}") from error


@cache
def _makers(shape: type[Any]) -> Mapping[str, Any]:
    """By field, what makes its value of JSON."""
    return {name: _maker(hint) for name, hint in get_type_hints(shape).items()}


def _maker(hint: Any) -> Any:
    if get_origin(hint) is not dict:
        return TypeAdapter(hint).validate_python
    key, value = get_args(hint)
    pairs = TypeAdapter(list[tuple[key, value]])  # type: ignore[valid-type]  # known when it runs
    return lambda plain: dict(pairs.validate_python(plain))
