"""A stand-in for Table Storage that holds more rows than fit anywhere: partitions may be made as they are asked for.

A process of its own, so that what it costs is not taken for the app's. It knows what the service asks: a row, rows of a
range of keys, conditions joined by `and`, selected columns, few at once, insert and upsert; and answers at once, so the
way to Azure is not in any figure.
"""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from dev.host.azurite import ACCOUNT_KEY

ACCOUNT = "benchaccount"
MOST = 1_000
"""Rows of an answer."""
_ONE = re.compile(r"/(\w+)\(PartitionKey='((?:[^']|'')*)',\s*RowKey='((?:[^']|'')*)'\)")
_TERM = re.compile(r"\(?(\w+) (eq|ge|gt|lt|le) (?:'((?:[^']|'')*)')\)?")
_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "eq": lambda one, other: one == other,
    "ge": lambda one, other: one >= other,
    "gt": lambda one, other: one > other,
    "lt": lambda one, other: one < other,
    "le": lambda one, other: one <= other,
}


@dataclass(frozen=True, slots=True)
class Made:
    """A partition that is made as it is asked for: its keys in order, and the row of each."""

    keys: Sequence[str]
    row: Callable[[str], Mapping[str, Any]]


@dataclass
class Tables:
    """Rows that were written, and partitions that are made: (table, partition) -> rows by key."""

    made: Mapping[tuple[str, str], Made] = field(default_factory=dict)
    written: dict[tuple[str, str], dict[str, Mapping[str, Any]]] = field(default_factory=dict)

    def get(self, table: str, partition: str, key: str) -> Mapping[str, Any] | None:
        place = (table, partition)
        if (found := self.written.get(place, {}).get(key)) is not None or place not in self.made:
            return found
        keys = self.made[place].keys
        at = bisect_left(keys, key)
        return self.made[place].row(key) if at < len(keys) and keys[at] == key else None

    def put(self, table: str, row: Mapping[str, Any]) -> None:
        self.written.setdefault((table, row["PartitionKey"]), {})[row["RowKey"]] = row

    def between(self, table: str, partition: str, first: str, last: str) -> Iterator[Mapping[str, Any]]:
        """In the order of keys, up to and without `last`, where there is one."""
        place = (table, partition)
        if place in self.made:
            keys, row = self.made[place].keys, self.made[place].row
        else:
            rows = self.written.get(place, {})
            keys, row = sorted(rows), rows.__getitem__
        for at in range(bisect_left(keys, first), len(keys)):
            if last and keys[at] >= last:
                return
            yield row(keys[at])


def _unquoted(text: str) -> str:
    return text.replace("''", "'")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    tables: Tables

    def do_GET(self) -> None:  # the name that the library calls
        url = urlsplit(self.path)
        path, query = unquote(url.path).removeprefix(f"/{ACCOUNT}"), parse_qs(url.query)
        one = _ONE.fullmatch(path)
        if "comp" in query or "restype" in query:
            self._nothing_listed()
        elif one:
            row = self.tables.get(one[1], _unquoted(one[2]), _unquoted(one[3]))
            self._answer(200 if row else 404, _wire(row) if row else _problem("ResourceNotFound"))
        elif path.endswith("()"):
            self._list(path.strip("/").removesuffix("()"), {name: values[0] for name, values in query.items()})
        else:
            self._answer(404, _problem("BlobNotFound"), {"x-ms-error-code": "BlobNotFound"})

    def _nothing_listed(self) -> None:
        """No segment lies there."""
        text = b'<?xml version="1.0"?><EnumerationResults><Blobs/><NextMarker/></EnumerationResults>'
        self.send_response(200)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def _list(self, table: str, asked: Mapping[str, str]) -> None:
        terms = [(name, test, _unquoted(value)) for name, test, value in _TERM.findall(asked["$filter"])]
        partition = next(value for name, test, value in terms if (name, test) == ("PartitionKey", "eq"))
        first = max([value for name, test, value in terms if name == "RowKey" and test == "ge"], default="")
        last = min([value for name, test, value in terms if name == "RowKey" and test == "lt"], default="")
        rest = [term for term in terms if term[0] not in ("PartitionKey", "RowKey")]
        columns = asked["$select"].split(",") if "$select" in asked else None
        found: list[Mapping[str, Any]] = []
        following = ""
        for row in self.tables.between(table, partition, max(first, asked.get("NextRowKey", "")), last):
            if len(found) == min(int(asked.get("$top", MOST)), MOST):
                following = str(row["RowKey"])
                break
            if all(name in row and _TESTS[test](str(row[name]), value) for name, test, value in rest):
                found.append(_wire(row, columns))
        headers = {
            "x-ms-continuation-NextPartitionKey": partition,
            "x-ms-continuation-NextRowKey": following,
        }
        self._answer(200, {"value": found}, headers if following else {})

    def do_POST(self) -> None:
        table, row = unquote(urlsplit(self.path).path).removeprefix(f"/{ACCOUNT}/"), self._body()
        if table == "Tables":
            self._answer(201, {"TableName": row["TableName"]})
        else:
            self.tables.put(table, _read(row))
            self._answer(201, _wire(_read(row)), {"etag": _etag()})

    def _upsert(self) -> None:
        one = _ONE.fullmatch(unquote(urlsplit(self.path).path).removeprefix(f"/{ACCOUNT}"))
        if one:
            self.tables.put(one[1], _read(self._body()))
        self._answer(204 if one else 201, None, {"etag": _etag()})  # without a row, a container of blobs is made

    do_PUT = do_PATCH = do_MERGE = _upsert  # noqa: N815

    def _body(self) -> dict[str, Any]:
        sent: dict[str, Any] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        return sent

    def _answer(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *given: object) -> None:
        """Nothing."""


def _etag() -> str:
    return "W/\"datetime'2026-11-22T12%3A00%3A00.0000001Z'\""


def _problem(code: str) -> dict[str, Any]:
    return {"odata.error": {"code": code, "message": {"lang": "en-US", "value": code}}}


def _wire(row: Mapping[str, Any], columns: Sequence[str] | None = None) -> dict[str, Any]:
    """As the service sends a row with minimal metadata."""
    found: dict[str, Any] = {"odata.etag": _etag()}
    for name, value in row.items():
        if columns is not None and name not in columns:
            continue
        if isinstance(value, datetime):
            found[f"{name}@odata.type"] = "Edm.DateTime"
            found[name] = value.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
        else:
            found[name] = value
    return found


def _read(sent: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what only the wire needs."""
    kept = {name: value for name, value in sent.items() if "@odata.type" not in name}
    moments = [name.partition("@")[0] for name, kind in sent.items() if kind == "Edm.DateTime"]
    return kept | {name: datetime.fromisoformat(kept[name]) for name in moments}


def serve(tables: Tables) -> None:
    """Print the port, and answer until standard input is closed."""
    handler = type("Handler", (_Handler,), {"tables": tables})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    print(server.server_port, flush=True)
    server.serve_forever()


def connection_string(port: int) -> str:
    where = f"http://127.0.0.1:{port}/{ACCOUNT}"
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={ACCOUNT_KEY};"
        f"TableEndpoint={where};BlobEndpoint={where};QueueEndpoint={where};"
    )
