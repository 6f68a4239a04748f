"""Table Storage in memory: conditions, ranges, transactions, and the OData conditions that the service uses."""

from __future__ import annotations

import operator
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import count
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableEntity, TableTransactionError

from tests.memory.errors import refused

Key = tuple[str, str]
Rows = dict[Key, TableEntity]

_ETAGS = count(1)
_MOST_STEPS = 100
_MOST_CHARACTERS = 32_768
_MOST_BYTES = 1 << 20
_INTEGERS = range(-(2**31), 2**31)
_FORBIDDEN = re.compile(r"[/\\#?\x00-\x1f\x7f-\x9f]")


class MemoryTableService:
    """Stands where a TableServiceClient does."""

    def __init__(self, tables: dict[str, Rows], lock: threading.RLock) -> None:
        self._tables = tables
        self._lock = lock

    def create_table_if_not_exists(self, table_name: str) -> MemoryTable:
        with self._lock:
            return MemoryTable(self._tables.setdefault(table_name, {}), self._lock)


class MemoryTable:
    """Stands where a TableClient does."""

    def __init__(self, rows: Rows, lock: threading.RLock) -> None:
        self._rows = rows
        self._lock = lock

    def get_entity(self, partition_key: str, row_key: str) -> TableEntity:
        with self._lock:
            return _copy(_there(self._rows, (partition_key, row_key)))

    def create_entity(self, entity: Mapping[str, Any]) -> dict[str, Any]:
        with self._lock:
            return _create(self._rows, entity)

    def update_entity(self, entity: Mapping[str, Any], **condition: Any) -> dict[str, Any]:
        with self._lock:
            return _update(self._rows, entity, **condition)

    def upsert_entity(self, entity: Mapping[str, Any], *, mode: Any) -> dict[str, Any]:
        if mode != "replace":
            raise NotImplementedError(mode)
        with self._lock:
            return _store(self._rows, entity)

    def delete_entity(
        self, partition_key: str, row_key: str, *, etag: str | None = None, match_condition: Any = None
    ) -> None:
        """Quiet about a row that is gone, as the real one is."""
        with self._lock:
            if (partition_key, row_key) in self._rows:
                named = {"PartitionKey": partition_key, "RowKey": row_key}
                _delete(self._rows, named, etag=etag, match_condition=match_condition)

    def query_entities(
        self,
        query_filter: str,
        *,
        parameters: Mapping[str, Any],
        results_per_page: int | None = None,
        select: Sequence[str] | None = None,
    ) -> Iterator[TableEntity]:
        """In the order of keys, as they are when the first of them is asked for."""
        holds = condition(query_filter, parameters)
        with self._lock:
            found = [_copy(self._rows[key]) for key in sorted(key for key, row in self._rows.items() if holds(row))]
        yield from found if select is None else (_selected(each, select) for each in found)

    def submit_transaction(self, operations: Sequence[tuple[Any, ...]]) -> list[dict[str, Any]]:
        if not operations:
            return []
        if len(operations) > _MOST_STEPS:
            raise _failed(refused(400, "InvalidInput"))
        keys = [_key(operation[1]) for operation in operations]
        if len({partition for partition, _ in keys}) > 1:
            raise ValueError("Partition Keys must all be the same")
        if len(set(keys)) < len(keys):
            raise _failed(refused(400, "InvalidDuplicateRow"))
        with self._lock:
            trial = dict(self._rows)
            try:
                answers = [_step(trial, *operation) for operation in operations]
            except HttpResponseError as error:
                raise _failed(error) from None
            self._rows.clear()
            self._rows.update(trial)
            return answers


def _step(rows: Rows, name: str, entity: Mapping[str, Any], options: Mapping[str, Any] | None = None) -> dict[str, Any]:
    known: dict[str, Callable[..., dict[str, Any]]] = {"create": _create, "update": _update, "delete": _delete}
    return known[name](rows, entity, **(options or {}))


def _create(rows: Rows, entity: Mapping[str, Any]) -> dict[str, Any]:
    if _key(entity) in rows:
        raise refused(409, "EntityAlreadyExists")
    return _store(rows, entity)


def _update(
    rows: Rows, entity: Mapping[str, Any], *, mode: Any, etag: str, match_condition: MatchConditions
) -> dict[str, Any]:
    if mode != "replace":
        raise NotImplementedError(mode)
    _meet(_there(rows, _key(entity)), etag, match_condition)
    return _store(rows, entity)


def _delete(
    rows: Rows, entity: Mapping[str, Any], *, etag: str | None = None, match_condition: Any = None
) -> dict[str, Any]:
    _meet(_there(rows, _key(entity)), etag, match_condition)
    del rows[_key(entity)]
    return {}


def _store(rows: Rows, entity: Mapping[str, Any]) -> dict[str, Any]:
    now = datetime.now(UTC)
    stored = TableEntity({name: _value(value) for name, value in entity.items() if value is not None})
    if any(_FORBIDDEN.search(key) for key in _key(entity)):
        raise refused(400, "InvalidInput")
    if any(isinstance(value, str) and len(value) > _MOST_CHARACTERS for value in stored.values()):
        raise refused(400, "PropertyValueTooLarge")
    if sum(2 * len(str(value)) for value in stored.values()) > _MOST_BYTES:
        raise refused(400, "EntityTooLarge")
    etag = f"W/\"datetime'{now:%Y-%m-%dT%H%%3A%M%%3A%S}.{next(_ETAGS):07d}Z'\""
    stored._metadata = {"etag": etag, "timestamp": now}
    rows[_key(entity)] = stored
    return {"etag": etag}


def _value(value: Any) -> Any:
    """What comes back of a value. Loud about what the service does not keep anywhere."""
    if isinstance(value, str):
        return str(value)
    if isinstance(value, datetime):
        return value.astimezone(UTC)
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int) and value in _INTEGERS:
        return int(value)
    raise TypeError(f"{value!r} is nothing that a table takes as it is")


def _there(rows: Rows, key: Key) -> TableEntity:
    if key not in rows:
        raise refused(404, "ResourceNotFound")
    return rows[key]


def _meet(row: TableEntity, etag: str | None, condition: MatchConditions | None) -> None:
    if condition not in (None, MatchConditions.IfNotModified):
        raise NotImplementedError(condition)
    if condition and etag not in ("*", row.metadata["etag"]):
        raise refused(412, "UpdateConditionNotSatisfied")


def _key(entity: Mapping[str, Any]) -> Key:
    return str(entity["PartitionKey"]), str(entity["RowKey"])


def _copy(row: TableEntity) -> TableEntity:
    copied = TableEntity(row)
    copied._metadata = row.metadata
    return copied


def _selected(row: TableEntity, columns: Sequence[str]) -> TableEntity:
    kept = TableEntity({name: row[name] for name in columns if name in row})
    kept._metadata = row.metadata
    return kept


def _failed(error: HttpResponseError) -> TableTransactionError:
    failed = TableTransactionError(message=str(error))
    failed.status_code = error.status_code
    failed.error_code = error.error_code  # type: ignore[attr-defined]  # as `refused` left it
    return failed


_COMPARISON = re.compile(r"(\w+) (eq|ne|ge|gt|le|lt) (?:@(\w+)|'((?:[^']|'')*)')")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    name: getattr(operator, name) for name in ("eq", "ne", "ge", "gt", "le", "lt")
}


def condition(text: str, parameters: Mapping[str, Any]) -> Callable[[Mapping[str, Any]], bool]:
    """Comparisons that are joined by `and`. A row that lacks the property meets none, whichever it is."""
    comparisons = []
    for each in text.split(" and "):
        found = _COMPARISON.fullmatch(each)
        if found is None:
            raise NotImplementedError(f"the condition {each}")
        name, word, parameter, literal = found.groups()
        value = parameters[parameter] if parameter else literal.replace("''", "'")
        comparisons.append((name, _OPERATORS[word], value))

    def holds(row: Mapping[str, Any]) -> bool:
        return all(name in row and compare(row[name], value) for name, compare, value in comparisons)

    return holds
