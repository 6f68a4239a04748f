"""The documentation page: every operation of the OpenAPI document, and every kind of problem. No scripts, no CDN."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from shared.web.problems import KINDS

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
code { background: color-mix(in srgb, currentColor 8%, transparent); padding: .1em .3em; border-radius: .2em; }
dt { margin-top: 1rem; } table { border-collapse: collapse; } td, th { text-align: left; padding: .2rem .8rem .2rem 0; }
:root { color-scheme: light dark; }
"""


def page(document: dict[str, Any]) -> str:
    """HTML of an OpenAPI document."""
    info = document["info"]
    operations = "\n".join(_operations(document["paths"]))
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(info["title"])} API</title>
<link rel="stylesheet" href="/api/docs.css">
</head>
<body>
<h1>{escape(info["title"])} API {escape(info["version"])}</h1>
<p>{escape(info["description"])} The full description is <a href="/api/openapi.json">openapi.json</a>.</p>
<h2>Operations</h2>
<dl>
{operations}
</dl>
<h2>Problems</h2>
<table>
<tr><th scope="col">type</th><th scope="col">status</th><th scope="col">title</th><th scope="col">meaning</th></tr>
{_problems()}
</table>
</body>
</html>
"""


def _operations(paths: dict[str, Any]) -> Iterator[str]:
    for path, methods in paths.items():
        for method, operation in methods.items():
            statuses = ", ".join(sorted(operation["responses"]))
            yield (
                f"<dt><code>{method.upper()} {escape(path)}</code> <strong>{escape(operation['summary'])}</strong></dt>"
                f"<dd>{escape(operation.get('description', ''))} Answers {statuses}.{_parameters(operation)}</dd>"
            )


def _parameters(operation: dict[str, Any]) -> str:
    described = [
        f"<li><code>{escape(each['name'])}</code> ({escape(each['in'])}) {escape(each['description'])}</li>"
        for each in operation.get("parameters", [])
        if each.get("description")
    ]
    return f"<ul>{''.join(described)}</ul>" if described else ""


def _problems() -> str:
    return "\n".join(
        f'<tr id="{name}"><td><code>{name}</code></td><td>{kind.status}</td>'
        f"<td>{escape(kind.title)}</td><td>{escape(kind.meaning)}</td></tr>"
        for name, kind in KINDS.items()
    )
