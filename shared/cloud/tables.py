"""Table Storage with the three things that the service relies on: conditional writes, ranges, atomic transactions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

from shared.cloud.settings import StorageAddress
from shared.errors import Conflict

if TYPE_CHECKING:
    from azure.data.tables import TableClient

Entity = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Stored:
    """A row as it was read."""

    entity: Entity
    etag: str


@dataclass(frozen=True, slots=True)
class Insert:
    """Part of a transaction: the row must not exist."""

    entity: Entity


@dataclass(frozen=True, slots=True)
class Replace:
    """Part of a transaction: the row must be as it was read."""

    entity: Entity
    etag: str


ANY = "*"
"""In the place of an ETag: the row must be there, as whatever."""


@dataclass(frozen=True, slots=True)
class Delete:
    """Part of a transaction: the row must be as it was read, or with ANY must exist."""

    row: str
    etag: str


class Rows(Protocol):
    """What the catalog and the audit trail need of a table; Conflict means that somebody else was first."""

    def get(self, partition: str, row: str) -> Stored | None: ...
    def insert(self, entity: Entity) -> str: ...
    def replace(self, entity: Entity, etag: str) -> str: ...
    def delete(self, partition: str, row: str, etag: str | None = None) -> None: ...
    def query(self, partition: str, *, first: str = "", last: str = "") -> Iterator[Stored]: ...


class Table:
    """One table, made on first use. Conflict means that somebody else was first."""

    def __init__(self, address: StorageAddress, name: str) -> None:
        self._address = address
        self._name = name

    @cached_property
    def _client(self) -> TableClient:
        from shared.cloud.storage import table_client

        return table_client(self._address).create_table_if_not_exists(self._name)

    def get(self, partition: str, row: str) -> Stored | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return _stored(self._client.get_entity(partition, row))
        except ResourceNotFoundError:
            return None

    def insert(self, entity: Entity) -> str:
        """Raises Conflict where the row exists."""
        with _conflicts():
            return str(self._client.create_entity(entity)["etag"])

    def replace(self, entity: Entity, etag: str) -> str:
        """Raises Conflict where the row changed or is gone."""
        from azure.core import MatchConditions
        from azure.data.tables import UpdateMode

        with _conflicts():
            answer = self._client.update_entity(
                entity, mode=UpdateMode.REPLACE, etag=etag, match_condition=MatchConditions.IfNotModified
            )
        return str(answer["etag"])

    def put(self, entity: Entity) -> None:
        """Write a row, whatever was there."""
        from azure.data.tables import UpdateMode

        self._client.upsert_entity(entity, mode=UpdateMode.REPLACE)

    def delete(self, partition: str, row: str, etag: str | None = None) -> None:
        """No error where the row is gone already. Raises Conflict where it changed."""
        from azure.core import MatchConditions
        from azure.core.exceptions import ResourceNotFoundError

        condition: dict[str, Any] = (
            {} if etag is None else {"etag": etag, "match_condition": MatchConditions.IfNotModified}
        )
        try:
            with _conflicts(gone=False):
                self._client.delete_entity(partition, row, **condition)
        except ResourceNotFoundError:
            return

    def query(
        self,
        partition: str,
        *,
        first: str = "",
        last: str = "",
        at_once: int | None = None,
        columns: Sequence[str] = (),
        where: Mapping[str, str] | None = None,
    ) -> Iterator[Stored]:
        """Rows of a partition in key order, RowKey from `first` up to and without `last`. A request brings `at_once` of
        them, else as many as storage gives; for whoever wants few. With `columns` no other comes, with `where` only
        rows that have these values."""
        conditions = ["PartitionKey eq @partition"]
        if first:
            conditions.append("RowKey ge @first")
        if last:
            conditions.append("RowKey lt @last")
        conditions += [f"{name} eq @{name}" for name in where or {}]
        parameters = {"partition": partition, "first": first, "last": last, **(where or {})}
        yield from self._asked(" and ".join(conditions), parameters, columns, at_once)

    def scan(self, condition: str, parameters: Mapping[str, Any], columns: Sequence[str] = ()) -> Iterator[Stored]:
        """Rows of all partitions that meet an OData condition."""
        yield from self._asked(condition, dict(parameters), columns)

    def _asked(
        self, condition: str, parameters: dict[str, Any], columns: Sequence[str], at_once: int | None = None
    ) -> Iterator[Stored]:
        few: dict[str, Any] = {"results_per_page": at_once} if at_once else {}
        some: dict[str, Any] = {"select": list(columns)} if columns else {}
        for entity in self._client.query_entities(condition, parameters=parameters, **few, **some):
            yield _stored(entity)

    def transaction(self, partition: str, steps: Sequence[Insert | Replace | Delete]) -> list[str]:
        """All steps or none, on one partition; their new ETags in order ("" for a delete). Raises Conflict."""
        from azure.data.tables import TableTransactionError

        try:
            answers = self._client.submit_transaction([_step(partition, step) for step in steps])
        except TableTransactionError as error:
            if error.status_code in (404, 409, 412):
                raise Conflict(f"a row of {self._name} is not as it was read") from None
            raise
        return [str(answer.get("etag", "")) for answer in answers]


def _step(partition: str, step: Insert | Replace | Delete) -> Any:
    from azure.core import MatchConditions
    from azure.data.tables import UpdateMode

    match step:
        case Insert(entity):
            return "create", entity
        case Replace(entity, etag):
            condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            return "update", entity, {"mode": UpdateMode.REPLACE, **condition}
        case Delete(row, etag):
            condition = {"etag": etag, "match_condition": MatchConditions.IfNotModified}
            return "delete", {"PartitionKey": partition, "RowKey": row}, condition


def _stored(entity: Any) -> Stored:
    return Stored(dict(entity), str(entity.metadata["etag"]))


@contextmanager
def _conflicts(*, gone: bool = True) -> Iterator[None]:
    from azure.core.exceptions import ResourceExistsError, ResourceModifiedError, ResourceNotFoundError

    wanted = (ResourceExistsError, ResourceModifiedError, *((ResourceNotFoundError,) if gone else ()))
    try:
        yield
    except wanted as error:
        raise Conflict(f"the row is not as it was read: {getattr(error, 'error_code', '')}") from None
