"""Who may do what, over HTTP: every route of the app, as every role, on shared and unshared connections.

What is expected is read from the table of actions; that each route names its action is part of the test. Roles are
looked at before bodies, so a body that is no good shows that the caller was let through to it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator
from functools import cache
from itertools import product

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.routing import BaseRoute

from shared.access.actions import CHANGES, TABLE, Action, Right, may
from shared.access.person import How, Person, Role
from shared.app import create_app
from shared.delivery.state.records import State
from shared.web.wiring import Allowed
from tests.unit.api.asgi import Answer, Client
from tests.unit.api.callers import ROLES, KnownCallers
from tests.unit.api.service import FakeService, run

SHARED, ADMINISTRATORS = "administrators and contributors", "administrators"
VALUES = {"name": "vips", "run": "r3", "vendor": "letterbox", "segment": "blob/ci:VIP", "credential": "key"}
OVER_A_CONNECTION = re.compile(r"/(connections|exports)/\{name\}")
NOT_IN_THE_APP = {Action.LOAD_ASSETS, Action.SEE_HEALTH}
"""Actions that pages or functions beside the API may be alone in having."""


@cache
def app() -> FastAPI:
    return create_app(FakeService(), KnownCallers())


def routes() -> Iterator[tuple[str, APIRoute]]:
    for route in _flat(app().routes):
        if isinstance(route, APIRoute):
            yield from ((method, route) for method in sorted(route.methods or ()))


def _flat(found: list[BaseRoute]) -> Iterator[BaseRoute]:
    for route in found:
        router = getattr(route, "original_router", None)
        yield from _flat(router.routes) if router else [route]


def actions(route: APIRoute) -> list[Action]:
    return [each.call.action for each in route.dependant.dependencies if isinstance(each.call, Allowed)]


ROUTES = [pytest.param(method, route, id=f"{method} {route.path}") for method, route in routes()]


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_every_route_names_one_action(method: str, route: APIRoute) -> None:
    assert len(actions(route)) == 1


def test_there_is_no_other_kind_of_route() -> None:
    others = {getattr(route, "path", "") for route in _flat(app().routes) if not isinstance(route, APIRoute)}
    assert others <= {"/static", "/static/{path:path}"}


def test_every_action_is_asked_for_somewhere() -> None:
    asked = {action for _, route in routes() for action in actions(route)}
    assert set(Action) - asked - NOT_IN_THE_APP == set()
    assert set(TABLE) == set(Action)


@pytest.mark.parametrize(("method", "route"), ROUTES)
def test_the_table_holds(method: str, route: APIRoute) -> None:
    [action] = actions(route)
    for caller, shared_with in product([*ROLES, "nobody"], [SHARED, ADMINISTRATORS]):
        status = ask(method, route, caller, shared_with).status
        assert status in expected(route, action, caller, shared_with), (caller, shared_with)


def expected(route: APIRoute, action: Action, caller: str, shared_with: str) -> Collection[int]:
    """The statuses that an answer may have."""
    rights = [TABLE[action][role] for role in (None, *ROLES.get(caller, ()))]
    if caller == "nobody" and Right.YES not in rights:
        return [401]
    over = OVER_A_CONNECTION.search(route.path) is None or shared_with == SHARED
    if Right.YES in rights or (Right.SHARED in rights and over):
        return {*range(200, 504)} - {401, 403, 500}
    return [403]


CHANGING = [
    pytest.param(method, route, id=f"{method} {route.path}")
    for method, route in routes()
    if actions(route)[0] in CHANGES and method != "GET"
]


@pytest.mark.parametrize(("method", "route"), CHANGING)
def test_whatever_changes_something_is_in_the_audit_trail(method: str, route: APIRoute) -> None:
    ask(method, route, "ann", SHARED)
    [[record], _] = app().state.service.trail.page(9, None)
    assert (record.who, record.action) == ("ann", actions(route)[0])


def ask(method: str, route: APIRoute, caller: str, shared_with: str) -> Answer:
    service = FakeService()
    service.world.connect("vips", shared_with=shared_with)
    service.world.save("vips", connection="vips")
    service.past = [run("r3", State.BLOCKED)]
    app().state.service = service
    body = b"{}" if method in ("POST", "PUT") else None
    path = route.path_format.format_map(defaultdict(lambda: "en", VALUES))
    return Client(app()).send(method, path, raw=body, headers={"x-test-caller": caller, "host": "127.0.0.1"})


@pytest.mark.parametrize("action", sorted(CHANGES))
def test_viewers_and_strangers_change_nothing(action: Action) -> None:
    viewer = Person("v", "v", frozenset({Role.VIEWER}), How.SESSION)
    assert not may(viewer, action) and not may(None, action)


def test_administrators_may_do_everything() -> None:
    administrator = Person("a", "a", frozenset({Role.ADMINISTRATOR}), How.SESSION)
    assert all(may(administrator, action) for action in Action)


PEOPLE = [Action.SEE_REJECTED, Action.SEE_SAMPLE, Action.SEE_PREVIEW, Action.EXPLAIN_PERSON]


@pytest.mark.parametrize("action", PEOPLE)
def test_people_are_seen_by_those_alone_who_work_on_the_connection(action: Action) -> None:
    rights = {Role.VIEWER: Right.NO, Role.CONTRIBUTOR: Right.SHARED, Role.ADMINISTRATOR: Right.YES, None: Right.NO}
    assert TABLE[action] == rights


@pytest.mark.parametrize("action", [action for action in sorted(Action) if "connection" in action or "cred" in action])
def test_contributors_see_names_and_lists_of_connections_and_no_more(action: Action) -> None:
    mine = {Action.SEE_CONNECTIONS: Right.YES, Action.SEE_TARGETS: Right.SHARED}
    assert TABLE[action][Role.CONTRIBUTOR] is mine.get(action, Right.NO)


def test_rights_add_up_over_roles() -> None:
    both = Person("b", "b", frozenset({Role.VIEWER, Role.CONTRIBUTOR}), How.SESSION)
    assert may(both, Action.SEE_EXPORTS) and may(both, Action.EDIT_EXPORT)
    assert not may(both, Action.EDIT_CONNECTION)


OF_A_RUN = ["/rejected.csv", "/left-out.csv", "/holdout.csv", "/rehearsal.csv", "/rejected", "/sample"]


@pytest.mark.parametrize("part", OF_A_RUN)
@pytest.mark.parametrize("over", ["private", "gone"])
def test_people_of_earlier_runs_stay_with_the_connection_that_they_went_over(part: str, over: str) -> None:
    service = world_of_a_reused_name(over)
    answer = Client(create_app(service, KnownCallers())).get(
        f"/api/v1/exports/vips/runs/old{part}", headers={"x-test-caller": "carl"}
    )
    assert answer.status == 403


def test_an_earlier_run_is_steered_by_those_alone_who_may_use_its_connection() -> None:
    client = Client(create_app(world_of_a_reused_name("private"), KnownCallers()), {"x-test-caller": "carl"})
    assert client.post("/api/v1/exports/vips/runs/old/cancel").status == 403
    assert client.post("/api/v1/exports/vips/runs/new/cancel").status == 409
    assert client.get("/api/v1/exports/vips/runs/old").status == 200


def test_detaching_takes_the_people_of_its_runs_from_contributors() -> None:
    service = world_of_a_reused_name("private")
    client = Client(create_app(service, KnownCallers()))
    assert client.post("/api/v1/several", {"exports": ["vips"], "do": "detach"}).status == 200
    assert client.get("/api/v1/exports/vips/runs/new/rejected", headers={"x-test-caller": "carl"}).status == 403


def world_of_a_reused_name(over: str) -> FakeService:
    """An export on a shared connection; `old` is a run from when one of its name was on another connection."""
    service = FakeService()
    service.world.connect("private", shared_with=ADMINISTRATORS)
    service.world.connect("open", shared_with=SHARED)
    service.world.save("vips", connection="open")
    service.past = [run("new", connection="open"), run("old", connection=over)]
    return service


def test_who_differs_from_a_deleted_exports_list_is_not_told() -> None:
    service = FakeService()
    client = Client(create_app(service, KnownCallers()), {"x-test-caller": "carl"})
    assert client.get("/api/v1/exports/vips/doctor/differences.csv").status == 404
