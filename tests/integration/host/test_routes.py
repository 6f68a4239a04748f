"""Route templates, without a server."""

from __future__ import annotations

import pytest

from dev.host import SettingsError
from dev.host.routes import make_router
from dev.host.worker import Function


def function(name: str, route: str | None = None, *methods: str) -> Function:
    return Function(name, name, ({"type": "httpTrigger", "name": "req", "route": route, "methods": methods},))


def answers(prefix: str, *functions: Function, path: str, method: str = "GET") -> tuple[str, dict[str, str]] | None:
    match = make_router(functions, prefix)(method, path)
    return match and (match.function.name, match.parameters)


@pytest.mark.parametrize(
    ("route", "path", "parameters"),
    [
        ("a/b", "/a/b", {}),
        ("a/b", "/A/B/", {}),
        ("a/b", "/a", None),
        ("a/b", "/a/b/c", None),
        ("a.b", "/axb", None),
        ("a/{id}", "/a/1", {"id": "1"}),
        ("a/{id}", "/a", None),
        ("a/{id}", "/a/1/2", None),
        ("a/{id?}", "/a", {}),
        ("a/{id:int}", "/a/-12", {"id": "-12"}),
        ("a/{id:int}", "/a/one", None),
        ("a/{id:guid}", "/a/00000000-0000-0000-0000-00000000000f", {"id": "00000000-0000-0000-0000-00000000000f"}),
        ("a/{name:alpha}", "/a/one", {"name": "one"}),
        ("a/{name:alpha}", "/a/1", None),
        ("a/{name}.csv", "/a/people.csv", {"name": "people"}),
        ("a/{x}/b/{y}", "/a/1/b/2", {"x": "1", "y": "2"}),
        ("{*path}", "/", {}),
        ("{*path}", "/a/b", {"path": "a/b"}),
        ("a/{*path}", "/a", {}),
        ("a/{*path}", "/a/b/c", {"path": "b/c"}),
        (None, "/f", {}),
        ("", "/f", {}),
    ],
)
def test_templates(route: str | None, path: str, parameters: dict[str, str] | None) -> None:
    assert answers("", function("f", route), path=path) == (None if parameters is None else ("f", parameters))


def test_the_prefix_comes_first() -> None:
    assert answers("api", function("f", "a"), path="/api/a") == ("f", {})
    assert answers("api", function("f", "a"), path="/a") is None


def test_functions_are_asked_in_the_order_of_their_names_not_of_their_registration() -> None:
    catch_all, one = function("z_web", "{*path}"), function("one", "one")
    assert answers("", catch_all, one, path="/one") == ("one", {})
    assert answers("", catch_all, one, path="/two") == ("z_web", {"path": "two"})


def test_a_function_that_lacks_the_method_is_passed_over() -> None:
    first, second = function("a", "x", "get"), function("b", "x", "post")
    assert answers("", first, second, path="/x", method="POST") == ("b", {})
    assert answers("", first, second, path="/x", method="PUT") is None


@pytest.mark.parametrize("route", ["admin/users", "runtime", "a/{id:range(1,2)}", "a/{id:long}", "a/{"])
def test_a_route_that_the_host_refuses_or_does_not_understand_is_an_error(route: str) -> None:
    with pytest.raises(SettingsError):
        make_router([function("f", route)], "")
