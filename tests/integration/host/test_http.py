"""HTTP functions: routes, keys, bodies, and what is left to the page function."""

from __future__ import annotations

import json
import os
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from tests.integration.host.conftest import SampleHost


def test_route_parameters_query_and_url_reach_the_function(host: SampleHost) -> None:
    answer = host.request("POST", "/echo/a%20b%2Fc/d?x=1&x=2&empty=")
    assert answer.status_code == 201
    assert json.loads(answer.headers["x-route"]) == {"name": "a b%2Fc", "rest": "d"}
    assert json.loads(answer.headers["x-query"]) == {"x": "1,2", "empty": ""}
    assert answer.headers["x-url"] == f"{host.url}/echo/a%20b%2Fc/d?x=1&x=2&empty="


def test_an_optional_parameter_may_be_absent(host: SampleHost) -> None:
    assert json.loads(host.request("POST", "/echo/alone").headers["x-route"]) == {"name": "alone"}


def test_request_headers_reach_the_function_in_any_case(host: SampleHost) -> None:
    assert host.request("POST", "/echo/a", headers={"x-SEND": "sent"}).headers["x-sent"] == "sent"


@pytest.mark.parametrize(
    ("path", "answer"),
    [("special", "special"), ("other", "any other"), ("late", "any late")],
)
def test_the_first_function_by_name_whose_route_fits_wins(host: SampleHost, path: str, answer: str) -> None:
    assert host.request("GET", f"/items/{path}").text == answer


def test_a_route_is_not_case_sensitive(host: SampleHost) -> None:
    assert host.request("GET", "/ITEMS/Special/").text == "special"


def test_a_method_that_the_route_does_not_have_goes_to_the_next_function(host: SampleHost) -> None:
    answer = host.request("POST", "/items/special")
    assert answer.status_code == 404
    assert answer.json() == {"detail": "Not Found"}  # the page function's own answer


def test_what_no_other_function_answers_goes_to_the_pages(host: SampleHost) -> None:
    assert host.request("GET", "/").json() == {"page": "home"}
    assert host.request("GET", "/pages/one").json() == {"page": "one"}


@pytest.mark.parametrize("path", ["/echo/binary", "/files/a/b"])
def test_large_binary_bodies_pass_unchanged_both_ways(host: SampleHost, path: str) -> None:
    body = os.urandom(1 << 20) * 24
    method = "POST" if path.startswith("/echo") else "PUT"
    answer = host.request(method, path, data=body, headers={"content-type": "application/octet-stream"})
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.content == body


def test_a_function_with_a_key_wants_it(host: SampleHost) -> None:
    assert requests.get(f"{host.url}/keyed", timeout=120).status_code == 401
    assert requests.get(f"{host.url}/keyed?code=wrong", timeout=120).status_code == 401
    assert (
        requests.get(f"{host.url}/keyed", headers={"x-functions-key": "wröng".encode()}, timeout=120).status_code == 401
    )
    assert requests.get(f"{host.url}/keyed", params={"code": host.key}, timeout=120).text == "the key was right"
    assert requests.get(f"{host.url}/keyed", headers={"x-functions-key": host.key}, timeout=120).ok


def test_an_anonymous_function_wants_no_key(host: SampleHost) -> None:
    assert requests.get(f"{host.url}/items/1", timeout=120).text == "any 1"


def test_the_hosts_own_paths_want_the_key_and_never_reach_a_function(host: SampleHost) -> None:
    assert requests.get(f"{host.url}/admin/host/activity", timeout=120).status_code == 401
    assert host.request("GET", "/admin/anything").status_code == 404


def test_a_function_that_fails_answers_500_and_is_logged(host: SampleHost) -> None:
    answer = host.request("GET", "/boom")
    assert (answer.status_code, answer.content) == (500, b"")
    assert "boom failed: RuntimeError: boom" in host.log()


def test_cookies_keep_their_attributes(host: SampleHost) -> None:
    with requests.get(f"{host.url}/cookies", stream=True, timeout=120) as answer:
        cookies = answer.raw.headers.getlist("set-cookie")
    assert cookies == [
        "one=1; Path=/; Max-Age=60; SameSite=Lax; Secure; HttpOnly",
        "two=2; Expires=Wed, 21 Oct 2026 07:28:00 GMT",
    ]


def test_plain_functions_run_in_parallel_and_a_host_is_not_idle_meanwhile(host: SampleHost) -> None:
    with ThreadPoolExecutor(2) as two:
        first = two.submit(host.request, "POST", "/meet", timeout=120)
        assert not host.wait_until(lambda status: status.running.get("meet") == 1).idle
        second = two.submit(host.request, "POST", "/meet", timeout=120)
    assert [first.result().text, second.result().text] == ["met", "met"]
    assert host.status().idle
