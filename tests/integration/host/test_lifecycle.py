"""Starting and ending: in this process, in one of its own, by command, by signal, and by force."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from azure.storage.blob import BlobServiceClient

from dev.host import HostClient, HostError
from tests.integration.host.conftest import SAMPLE_APP, STRICT, SampleHost
from tests.integration.host.test_azurite import connect, wait_for_end

REPOSITORY = Path(__file__).parents[3]
LEFT_BEHIND = 1

IN_PROCESS = """
import os, sys, threading
from pathlib import Path
from dev.host import AppError, LocalHost
app = Path(sys.argv[1])
settings = {"WORK_QUEUE": "work", "TICK_SCHEDULE": "0 0 0 1 1 *"}
for start in (1, 2):
    with LocalHost(app, settings=settings, polling=0.1) as host:
        assert host.request("GET", "/pages/one").json() == {"page": "one"}
        host.request("POST", "/work", json=[{"id": "a"}, {"id": "b", "do": "fail"}]).raise_for_status()
        status = host.wait_idle()
        assert (status.succeeded["work"], status.failed["work"]) == (1, 5), status
        host.fire("tick")
        assert host.request("GET", "/setting/KEY_VAULT_URL").text == host.services.key_vault.url
    assert host.ended_well
    assert "KEY_VAULT_URL" not in os.environ
assert [thread.name for thread in threading.enumerate()] == ["MainThread"], threading.enumerate()
try:
    with LocalHost(app.parent, settings=settings):
        pass
except AppError as error:
    print(error)
"""


def test_a_host_starts_and_ends_in_one_process_and_leaves_nothing_open() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IN_PROCESS, str(SAMPLE_APP)],
        cwd=REPOSITORY,
        env={**os.environ, **STRICT},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "needs a process of its own" in done.stdout
    assert "Warning" not in done.stderr


def test_a_function_that_runs_at_the_end_is_waited_for(new_host: Callable[..., SampleHost], tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with new_host(grace=60) as host:
        host.order(do="read", pipe=str(pipe))
        host.wait_until(lambda status: status.running.get("work") == 1)
        host.begin_to_stop()
        pipe.write_text("go on")
        assert host.stop() == 0
        with host.queue() as queue:
            assert queue.get_queue_properties().approximate_message_count == 0


def test_a_function_that_does_not_end_is_left_behind_and_its_message_stays(new_host: Callable[..., SampleHost]) -> None:
    with new_host(grace=1) as host:
        host.order(do="wait")
        host.wait_until(lambda status: status.running.get("work") == 1)
        assert host.stop() == LEFT_BEHIND
        with host.queue() as queue:
            assert queue.get_queue_properties().approximate_message_count == 1


def test_a_killed_hosts_messages_are_still_there_for_the_next_one(new_host: Callable[..., SampleHost]) -> None:
    with new_host() as host:
        order = host.order(do="wait")
        host.wait_until(lambda status: status.running.get("work") == 1)
        taken = host.seen(order)[0]
        host.kill()
        with host.queue() as queue:  # it is hidden for ten minutes, unless someone shows it
            queue.update_message(taken["message"], taken["receipt"], visibility_timeout=0)
    with host:
        host.open_gate(order)
        host.wait_idle()
        assert [note.get("attempt") for note in host.seen(order)] == [2, None]


def test_a_function_that_ends_the_process_ends_the_host(new_host: Callable[..., SampleHost]) -> None:
    with new_host() as host:
        host.order(do="exit")
        assert host.wait() == 3


@contextmanager
def command(*arguments: object) -> Iterator[tuple[subprocess.Popen[str], HostClient]]:
    settings = {"WORK_QUEUE": "work", "TICK_SCHEDULE": "0 0 0 1 1 *", **STRICT}
    with subprocess.Popen(
        [sys.executable, "-m", "dev.host", "--port=0", f"--app={SAMPLE_APP}", *map(str, arguments)],
        cwd=REPOSITORY,
        env={**os.environ, **settings},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            words = process.stdout.readline().split()
            assert words[:2] + words[3:4] == ["listening", "on", "key:"], words
            yield process, HostClient(words[2], words[4])
        finally:
            process.kill()


def storage_of(host: HostClient) -> str:
    return host.request("GET", "/setting/SegmentStorage").text


def blob_url(connection_string: str) -> str:
    return dict(part.split("=", 1) for part in connection_string.strip(";").split(";"))["BlobEndpoint"]


@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM])
def test_the_command_ends_cleanly_and_takes_its_services_with_it(end: signal.Signals) -> None:
    with command() as (process, host), connect(blob_url(storage_of(host))) as storage:
        process.send_signal(end)
        output, log = process.communicate()
        assert (process.returncode, output) == (0, "")
        assert "Warning" not in log
        wait_for_end(storage)


@pytest.mark.skipif(sys.platform != "linux", reason="only there a signal can be sent to one thread of a process")
def test_a_signal_that_another_thread_gets_ends_the_command_too() -> None:
    with command() as (process, _):
        others = [int(task.name) for task in Path(f"/proc/{process.pid}/task").iterdir()]
        tgkill = {"x86_64": 234, "aarch64": 131}[os.uname().machine]
        ctypes.CDLL(None).syscall(tgkill, process.pid, max(others), signal.SIGTERM)
        process.communicate(timeout=120)
        assert process.returncode == 0


def test_a_killed_command_takes_its_services_with_it() -> None:
    with command() as (process, host), connect(blob_url(storage_of(host))) as storage:
        process.kill()
        wait_for_end(storage)


def test_a_data_folder_keeps_storage_secrets_and_key(tmp_path: Path) -> None:
    keys = []
    for start in (1, 2):
        with command("--data", tmp_path) as (process, host):
            keys.append(host.key)
            with BlobServiceClient.from_connection_string(storage_of(host)) as blobs:
                if start == 1:
                    blobs.create_container("kept")
                assert [container.name for container in blobs.list_containers()] == ["kept"]
            process.send_signal(signal.SIGTERM)
            process.communicate()
    assert keys[0] == keys[1]
    assert stat.S_IMODE((tmp_path / "host-key").stat().st_mode) == 0o600


def test_a_port_that_is_taken_is_reported() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        done = subprocess.run(
            [sys.executable, "-m", "dev.host", f"--port={taken.getsockname()[1]}", f"--app={SAMPLE_APP}"],
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
        )
    assert done.returncode == 2
    assert "already in use" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_app_that_cannot_be_loaded_is_reported(new_host: Callable[..., Any], tmp_path: Path) -> None:
    with pytest.raises(HostError, match=r"there is no function_app\.py"), new_host(app=tmp_path):
        pass
    (tmp_path / "function_app.py").write_text("raise ImportError('nothing here')")
    with pytest.raises(HostError, match="ImportError: nothing here"), new_host(app=tmp_path):
        pass


def test_a_host_process_ends_with_its_parent(services: Any) -> None:
    program = """
import sys
from pathlib import Path
from dev.host import HostProcess
with HostProcess(Path(sys.argv[1]), settings={"WORK_QUEUE": "work", "TICK_SCHEDULE": "0 0 0 1 1 *"}) as host:
    print(host.url, flush=True)
    sys.stdin.read()
"""
    with subprocess.Popen(
        [sys.executable, "-c", program, str(SAMPLE_APP)],
        cwd=REPOSITORY,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as parent:
        assert parent.stdout is not None
        with connect(parent.stdout.readline().strip()) as host:
            parent.kill()
            wait_for_end(host)
