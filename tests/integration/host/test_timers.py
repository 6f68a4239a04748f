"""Timer functions: by their schedule, and by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dev.host import FunctionFailed
from tests.integration.host.conftest import SampleHost


def test_a_timer_runs_by_the_schedule_that_an_app_setting_gives(new_host: Callable[..., SampleHost]) -> None:
    with new_host(settings={"TICK_SCHEDULE": "* * * * * *"}) as host:
        host.wait_until(lambda status: status.succeeded.get("tick", 0) >= 2)


def test_a_timer_runs_when_it_is_fired(host: SampleHost) -> None:
    before = host.status().succeeded.get("tick", 0)
    host.fire("tick")
    assert host.status().succeeded["tick"] == before + 1


def test_firing_a_timer_that_fails_says_why(host: SampleHost) -> None:
    with pytest.raises(FunctionFailed, match="failing_tick: ValueError: no time"):
        host.fire("failing_tick")


def test_only_timers_can_be_fired(host: SampleHost) -> None:
    with pytest.raises(KeyError):
        host.fire("unknown")
    with pytest.raises(FunctionFailed, match="not a timer's"):
        host.fire("work")


def test_a_disabled_function_does_not_listen_but_can_be_fired(new_host: Callable[..., SampleHost]) -> None:
    off = {f"AzureWebJobs.{name}.Disabled": "true" for name in ("tick", "work", "keyed")}
    with new_host(settings={"TICK_SCHEDULE": "* * * * * *", **off}) as host:
        assert host.queue_name not in host.status().queues
        assert host.request("GET", "/keyed").status_code == 404
        host.fire("tick")
        assert host.status().succeeded["tick"] == 1
