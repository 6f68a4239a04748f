"""One export on several connections, over HTTP."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from shared.app import create_app
from shared.catalog.companions import companion_name
from shared.catalog.models import Export
from shared.delivery.lookups.compared import Comparison, WhyMissing
from shared.delivery.start.starting import Beside, Started
from shared.delivery.state.records import Run, State
from shared.delivery.state.transitions import RunKind
from tests.unit.api.asgi import Client
from tests.unit.api.bodies import export_body
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService
from tests.unit.catalog.samples import START

ONE = "/api/v1/exports/vips"
SECOND = companion_name("vips", "second")
ALSO = {"connection": "second", "matching": [{"field": "name", "column": "FirstName"}]}


@pytest.fixture
def several(service: FakeService) -> FakeService:
    service.world.connect(shared_with="administrators and contributors")
    service.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    return service


def test_saving_makes_an_export_for_the_other_connection(client: Client, several: FakeService) -> None:
    answer = client.put(ONE, export_body(also=[ALSO]))
    assert answer.status == 201
    assert answer.json["owned_by"] == ""
    found = {each["name"]: each for each in client.get("/api/v1/exports").json}
    assert found.keys() == {"vips", SECOND}
    assert found[SECOND]["owned_by"] == "vips"
    assert client.put(ONE, answer.json, headers={"If-Match": answer.headers["etag"]}).status == 200


def test_validating_saves_nothing_of_either(client: Client, several: FakeService) -> None:
    assert client.post(f"{ONE}/validate", export_body(also=[ALSO])).status == 200
    assert client.get("/api/v1/exports").json == []
    answer = client.post(f"{ONE}/validate", export_body(also=[{"connection": "second", "settings": {"x": 1}}]))
    assert [error["pointer"] for error in answer.json["errors"]] == ["/also/0/settings/x"]


def test_a_companion_is_not_changed_by_itself(client: Client, several: FakeService) -> None:
    client.put(ONE, export_body(also=[ALSO]))
    there = f"/api/v1/exports/{SECOND}"
    stored = client.get(there)
    version = {"If-Match": stored.headers["etag"]}
    for answer in (client.put(there, stored.json, headers=version), client.delete(there, headers=version)):
        assert (answer.status, answer.json["code"]) == (409, "owned")
        assert 'the export "vips"' in answer.json["detail"]


def test_who_may_not_use_one_connection_neither_changes_nor_runs_the_export(
    client: Client, contributor: Client, several: FakeService
) -> None:
    saved = client.put(ONE, export_body(also=[ALSO]))
    assert contributor.put(ONE, saved.json, headers={"If-Match": saved.headers["etag"]}).status == 403
    assert contributor.post(f"{ONE}/runs", {}).status == 403
    assert contributor.get(f"{ONE}/comparison.csv").status == 403
    assert contributor.get(ONE).status == 200
    several.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={}, shared_with=_SHARED)
    assert contributor.post(f"{ONE}/validate", saved.json, headers={"If-Match": saved.headers["etag"]}).status == 200


_SHARED = "administrators and contributors"


class Two(FakeService):
    """A service whose other connection cannot start, and of which both are compared."""

    def begin(self, name: str, kind: RunKind = RunKind.DELIVERY, *, by: str = "") -> Started:
        run = Run(name, "r1", State.QUEUED, "on demand", "{}", 1, kind, START)
        return Started(run, new=True, beside=(Beside(SECOND, "second", None, "The connection is disabled."),))

    def compare(self, here: Export, there: Export) -> Comparison:
        missing = Counter({WhyMissing("rejected", "bad", "It looks wrong."): 2, WhyMissing("not yet", "", "Wait."): 1})
        return Comparison(9, missing if here.connection == "marketing" else Counter())

    @contextmanager
    def _file(self) -> Iterator[Path]:
        yield self.path

    def compared_people(self, here: Export, there: Export) -> Any:
        return self._file()

    path: Path = Path()


@pytest.fixture
def two(tmp_path: Path) -> Client:
    made = Two()
    made.path = tmp_path / "people.csv"
    made.path.write_text("address,list\n")
    made.world.connect()
    made.world.connect("second", "acc-2", vendor="plain", settings={}, secrets={})
    asked = Client(create_app(made, KnownCallers()))
    asked.put(ONE, export_body(also=[ALSO]))
    return asked


def test_a_run_tells_of_those_beside_it_and_why_one_was_not_started(two: Client) -> None:
    answer = two.post(f"{ONE}/runs", {})
    assert answer.status == 202
    assert answer.json["beside"] == [
        {"export": SECOND, "connection": "second", "run": None, "message": "The connection is disabled."}
    ]


def test_a_comparison_counts_people_by_reason(two: Client) -> None:
    found = two.get(f"{ONE}/comparison").json
    assert found == {
        "on": "marketing",
        "not_on": "second",
        "people": 9,
        "missing": 3,
        "reasons": [
            {"outcome": "rejected", "code": "bad", "reason": "It looks wrong.", "people": 2},
            {"outcome": "not yet", "code": "", "reason": "Wait.", "people": 1},
        ],
    }
    assert two.get(f"{ONE}/comparison", query={"on": "second"}).json["not_on"] == "marketing"
    assert two.get(f"{ONE}/comparison", query={"on": "nowhere"}).status == 404


def test_the_people_are_a_file_that_nothing_on_the_way_keeps(two: Client) -> None:
    answer = two.get(f"{ONE}/comparison.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["cache-control"] == "no-store"
    assert answer.body == b"address,list\n"
