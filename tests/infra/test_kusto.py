"""Queries of people and alerts are judged by Microsoft's parser, and none is overlooked."""

from __future__ import annotations

import re
from pathlib import Path

from dev.infra_checks.kusto import Query, in_deployment, in_documents, parsed
from shared.cloud.events import Event
from shared.cloud.telemetry import METRICS
from tests.infra.deployment import Deployment

DOCUMENTS = Path(__file__).parents[2] / "docs"
FILE = Path("x.md")


MISTAKES = {
    "traces\n| summarize last = max(timestamp)": (2, "'last' needs to be bracketed"),
    "traces | where mesage has 'x'": (1, "mesage"),
    "trace | count": (1, "trace"),
    "traces | summarise count()": (1, ""),
    "traces | where severityLevel has 'x'": (1, ""),
    "traces | count": None,
}
"""Query -> the line of its mistake, and a part of what is said of it."""


def test_mistakes_are_found_with_their_lines() -> None:
    """In one go, since starting the parser takes seconds."""
    found = parsed([Query(Path(f"{index}.md"), 7, text) for index, text in enumerate(MISTAKES)])
    for index, wanted in enumerate(MISTAKES.values()):
        own = [problem for problem in found if problem.path == Path(f"{index}.md")]
        assert bool(own) is (wanted is not None)
        if wanted:
            assert [each for each in own if each.line == 6 + wanted[0] and wanted[1] in each.message]


def test_every_query_of_the_documents_and_alerts_parses(deployments: dict[str, Deployment]) -> None:
    asked = {query.text: query for query in in_documents(DOCUMENTS)}
    for made in deployments.values():
        asked |= {query.text: query for query in in_deployment({"predictedResources": made.resources}, FILE)}
    assert parsed([*asked.values()]) == []


def test_the_workbook_asks_about_events_that_there_are_and_facts_that_are_told(
    deployments: dict[str, Deployment],
) -> None:
    asked = [
        query.text for query in in_deployment({"predictedResources": deployments["dev"].of("Insights/workbooks")}, FILE)
    ]
    assert len(asked) > 8
    events = {
        name
        for text in asked
        for listed in re.findall(r"event (?:==|in) \(?([^)|]*)", text)
        for name in re.findall(r'"(\w+)"', listed)
    }
    assert events <= {str(event) for event in Event} | {"succeeded"}
    metrics = {name for text in asked for name in re.findall(r'"(segment_exports\.[\w.]+)"', text)}
    assert metrics
    assert metrics <= set(METRICS)


def test_blocks_and_queries_in_the_text_are_seen(tmp_path: Path) -> None:
    (tmp_path / "a.md").write_text(
        "```kusto\nlet events = traces;\n```\n\n```kusto\nevents | count\n```\nLook at `requests | count` or `a | b`.\n"
    )
    found = [(query.line, query.text) for query in in_documents(tmp_path)]
    assert found == [
        (2, "let events = traces;\nevents"),
        (5, "let events = traces;\nevents | count\n"),
        (8, "requests | count"),
    ]


def test_every_block_of_operations_is_one_of_them() -> None:
    document = (DOCUMENTS / "operations.md").read_text()
    found = [query for query in in_documents(DOCUMENTS) if query.path.name == "operations.md"]
    assert len(found) >= document.count("```kusto") > 5
