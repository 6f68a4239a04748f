"""Nothing personal and nothing secret in any log, state or word to people, in whichever form of encoding."""

from __future__ import annotations

import base64
import logging
from collections.abc import Iterator
from itertools import chain
from urllib.parse import quote, quote_plus

import pytest

from dev.simulators.common.faults import Fault
from tests.conftest import is_personal
from tests.contract.outcomes import accounted
from tests.integration.delivery.engine import Engine, people

PRIVATE = "jane.doe+private@secret-mail.org"


def forms(text: str) -> set[str]:
    """The text as it may stand in a URL, a header or a form, once or twice encoded."""
    plain = {text, text.lower(), text.upper()}
    once = set(chain.from_iterable((quote(each, safe=""), quote_plus(each), quote(each)) for each in plain))
    twice = {quote(each, safe="") for each in once}
    return plain | once | twice | {base64.b64encode(text.encode()).decode().rstrip("=")}


class Everything(logging.Handler):
    """Keeps all that is logged, with the traces of exceptions."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(logging.Formatter().format(record))


@pytest.fixture
def logged() -> Iterator[list[str]]:
    """What reaches telemetry: the app logs from INFO on."""
    handler, root = Everything(), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.INFO)
    yield handler.lines
    root.setLevel(level)
    root.removeHandler(handler)


def private(engine: Engine) -> list[str]:
    """Every form of the address and of the connection's secrets, and of what is made of both for a header."""
    secrets = [*engine.kit.secrets.values(), ":".join(engine.kit.secrets.values())]
    secrets += [f"{value}:x" for value in engine.kit.secrets.values()]
    return sorted(set(chain.from_iterable(forms(each) for each in [PRIVATE, *secrets])))


TROUBLE = [{"kind": "drop", "work": True}, {"kind": "html", "status": 502}, {"kind": "error", "status": 500}]


@pytest.mark.sampled(3)
@pytest.mark.parametrize("trouble", TROUBLE, ids=lambda trouble: trouble["kind"])
def test_nothing_private_is_logged_told_or_kept_in_the_open(
    engine: Engine, trouble: dict[str, str], logged: list[str]
) -> None:
    """Also while removals fail, for which some vendors want the address in the URL."""
    everyone = [*people(2), *people(1, 10)]
    everyone[1].email = PRIVATE
    engine.kit.refuse(engine, "person10@example.com")
    for segment in (everyone, everyone[:1]):
        engine.land(segment)
        engine.define()
        endpoints = {*engine.kit.adds, *engine.kit.removes}
        engine.simulator.faults.set([Fault(endpoint=each, call=1, **trouble) for each in endpoints])  # type: ignore[arg-type]
        run = engine.run()
        accounted(engine, run)
        view = engine.service.runs.view(run.export, run.run)
        assert view is not None
        shown = [view.model_dump_json(), str(engine.report(run)), *kept_in_the_open(engine)]
        found = [form for form in private(engine) if any(form in text for text in (*logged, *shown))]
        assert not found, f"{len(found)} forms of what is private were found"


def kept_in_the_open(engine: Engine) -> list[str]:
    """Journals and leases, and the rows of runs, targets and exports: what is not made to hold people."""
    blobs, tables = engine.cloud.blobs, (engine.cloud.runs, engine.cloud.targets)
    names = [name for name in blobs.names("") if "/journal/" in name or name.startswith("leases/")]
    contents = [found[0].decode() for name in names if (found := blobs.read(name))]
    export, account = "newsletter", engine.catalog.export("newsletter").item.account
    rows = [str(row.entity) for table in tables for key in (export, account) for row in table.query(key)]
    assert contents and rows
    return contents + rows


@pytest.mark.parametrize("form", sorted(forms(PRIVATE) - {base64.b64encode(PRIVATE.encode()).decode().rstrip("=")}))
def test_the_watch_over_all_tests_knows_every_form_of_an_address(form: str) -> None:
    assert is_personal(f"GET /subscribers.json?email={form}&x=1")
