"""A target that names no list leans on its connection's, whose id the service copies: that is no difference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cli.api import Answer, Api
from cli.applying import plan
from cli.documents import Document
from cli.failures import Failure
from cli.signing_in import Nobody
from tests.unit.cli.test_pure_parts import DOCUMENT

SCHEMAS = DOCUMENT["components"]["schemas"]
SEVERAL = {
    **SCHEMAS,
    "ExportInput": {
        **SCHEMAS["ExportInput"],
        "properties": {
            **SCHEMAS["ExportInput"]["properties"],
            "also": {"type": "array", "items": {"$ref": "#/components/schemas/Also"}, "default": []},
        },
    },
    "Also": {
        "properties": {
            "connection": {"type": "string"},
            "targets": {"type": "array", "items": {"$ref": "#/components/schemas/AlsoTarget"}, "default": []},
        },
        "required": ["connection"],
    },
    "AlsoTarget": {"properties": {"list_id": {}, "list_name": {}, "existing": {}}},
}
"""Of an app whose exports have other connections."""


class Remembered(Api):
    """An app that has these answers to GET, and no others."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        super().__init__("http://127.0.0.1", Nobody())
        self._answers = {"/api/openapi.json": {"components": {"schemas": SEVERAL}}, **answers}

    def send(self, method: str, address: str, *_: Any, **__: Any) -> Answer:
        if method != "GET" or address not in self._answers:
            raise Failure("not_found", "There is none.", status=404)
        return Answer(self._answers[address], '"1"')


@pytest.mark.parametrize(
    ("connection", "wanted", "action"),
    [
        ({"settings": {"list_id": 7}}, {"segments": ["A"]}, "none"),
        ({"settings": {"list_id": "8"}}, {"segments": ["A"]}, "change"),
        ({"name": "a", "usable": True}, {"segments": ["A"]}, "change"),
        (None, {"segments": ["A"]}, "change"),
        ({"settings": {"list_id": 7}}, {"segments": ["A"], "list_id": "9"}, "change"),
        ({"settings": {}}, {"segments": ["A"], "list_id": "7"}, "none"),
    ],
)
def test_a_copied_list_is_no_difference(connection: Any, wanted: Any, action: str) -> None:
    stored = {"connection": "shops", "targets": [{"segments": ["A"], "list_id": "7"}]}
    answers = {"/api/v1/exports/newsletter": stored}
    if connection:
        answers["/api/v1/connections/shops"] = connection
    document = Document(exports={"newsletter": {"connection": "shops", "targets": [wanted]}})
    [change] = plan(Remembered(answers), document)
    assert change.action == action


def test_a_list_that_was_copied_into_another_connection_is_no_difference_either() -> None:
    own = [{"segments": ["A"], "list_id": None}]
    stored = {
        "connection": "shops",
        "targets": own,
        "also": [{"connection": "second", "targets": [{"list_id": "7", "existing": "adopt"}]}],
    }
    second = {"settings": {"list_id": "7"}}
    app = Remembered({"/api/v1/exports/newsletter": stored, "/api/v1/connections/second": second})
    asked: list[tuple[Any, str]] = [
        ([{"existing": "adopt"}], "none"),
        ([{"existing": "protect"}], "change"),
        ([{"list_id": "8", "existing": "adopt"}], "change"),
    ]
    for targets, action in asked:
        wanted = {"connection": "shops", "targets": own, "also": [{"connection": "second", "targets": targets}]}
        [change] = plan(app, Document(exports={"newsletter": wanted}))
        assert change.action == action, targets


def test_targets_may_be_more_or_fewer_than_before() -> None:
    targets = [{"segments": ["A"], "list_id": "7"}, {"segments": ["B"], "list_id": "8"}]
    stored = {"connection": "c", "targets": targets}
    app = Remembered({"/api/v1/exports/newsletter": stored, "/api/v1/connections/c": {"settings": {"list_id": "7"}}})
    fewer = {"connection": "c", "targets": [{"segments": ["A"]}]}
    [change] = plan(app, Document(exports={"newsletter": fewer}))
    assert [each.pointer for each in change.differences] == ["/targets/1"]
    more = {"connection": "c", "targets": [{"segments": [name]} for name in "ABC"]}
    [change] = plan(app, Document(exports={"newsletter": more}))
    assert [each.pointer for each in change.differences] == ["/targets/1/list_id", "/targets/2"]
