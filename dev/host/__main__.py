"""python -m dev.host: the app on one machine, until Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from dev.host.azurite import AzuriteError
from dev.host.local_host import environment, host_key
from dev.host.services import LocalServices
from dev.host.serving import Serving
from dev.host.settings import SettingsError
from dev.host.worker import AppError

LEFT_BEHIND = 1
CANNOT_START = 2


def main() -> int:
    """Serve until told to stop; the exit status: 0, LEFT_BEHIND (functions were still running), CANNOT_START."""
    options = _parse()
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s", stream=sys.stderr
    )
    # This host's own web server; what the app and its libraries log is shown as Azure's worker would pass it on.
    logging.getLogger("uvicorn").setLevel(logging.WARNING)
    wait, stop = _stop_signal()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: None)
    if options.end_with_input:
        threading.Thread(target=_read_to_end, args=(stop,), daemon=True).start()
    try:
        # What functions print belongs into the log: standard output has one line only.
        with redirect_stdout(sys.stderr), _surroundings(options), _serving(options) as serving:
            serving.when_ended(stop)
            print(f"listening on {serving.url}  key: {serving.key}", file=sys.__stdout__, flush=True)
            wait()
    except (AppError, AzuriteError, SettingsError, OSError) as error:
        print(error, file=sys.stderr)
        return CANNOT_START
    return 0 if serving.ended_well else LEFT_BEHIND


@contextmanager
def _surroundings(options: argparse.Namespace) -> Iterator[None]:
    if options.services_from_environment:
        yield
    else:
        with LocalServices(options.data) as services, environment(services.settings()):
            yield


def _serving(options: argparse.Namespace) -> Serving:
    key = host_key(options.data)
    return Serving(options.app, key, port=options.port, polling=options.polling, grace=options.grace)


def _stop_signal() -> tuple[Callable[[], object], Callable[..., object]]:
    """Two functions: to wait, and to end the wait, from any thread.

    A pipe, because a threading.Event deadlocks when its handler interrupts the very thread that waits for it. Signals
    write into it below Python: one that the kernel gives to another thread does not wake the thread that waits.
    """
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    signal.set_wakeup_fd(writer)
    return lambda: os.read(reader, 1), lambda *_: os.write(writer, b".")


def _read_to_end(stop: Callable[[], object]) -> None:
    while os.read(sys.stdin.fileno(), 1024):
        continue
    stop()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m dev.host", description="The function app on one machine.")
    parser.add_argument("--port", type=int, default=7071, help="0 is a free one; default 7071")
    parser.add_argument("--data", type=Path, help="keep storage, secrets and key in this folder; default: in memory")
    parser.add_argument("--app", type=Path, default=Path(__file__).parents[2], help="folder of function_app.py")
    parser.add_argument("--polling", type=float, help="longest pause between looks at a queue, in seconds")
    parser.add_argument("--grace", type=int, default=10, help="seconds that running functions get at the end")
    parser.add_argument(
        "--services-from-environment",
        action="store_true",
        help="start no storage and no Key Vault: the app settings in the environment lead to them",
    )
    parser.add_argument("--end-with-input", action="store_true", help="end when standard input does")
    return parser.parse_args()


if __name__ == "__main__":
    status = main()
    if status == LEFT_BEHIND:
        os._exit(status)  # a normal exit would wait for the threads of those functions
    sys.exit(status)
