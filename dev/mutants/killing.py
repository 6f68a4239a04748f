"""Run a module's tests on each of its mutants, each in a process of its own. Nothing on disk is changed.

Most mutants change a function: they are put into the module where it is loaded, tests and all, and only the tests run
anew. What survives that, and what runs when the module is imported, is imported anew as well, in a process that has
loaded the libraries and all of ours that does not import the module; where a conftest imports it, conftests are loaded
anew too.
"""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.machinery
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from dev.mutants.breaking import Mutant
from dev.mutants.swapping import Loaded, Swap

SLOW: tuple[str, ...] = (
    *("pytest", "hypothesis", "pydantic", "duckdb", "orjson", "fastapi", "cryptography.fernet", "jwt", "msal", "yaml"),
    *("azure.storage.blob", "azure.storage.queue", "azure.data.tables", "azure.functions", "babel.messages"),
)
OURS = ("shared", "dev/host", "dev/simulators", "tests/memory")
TESTS = ("dev.host.azurite", "tests.memory.account")
FIRST_SECONDS = 600.0
PROFILE = "mutants"
KILLED, SURVIVED, TOO_LONG = "killed", "survived", "took too long"


def load(path: Path) -> None:
    """Import what is the same for every mutant of a module: libraries, and all of ours that does not import it."""
    for name in (*SLOW, *sorted(_others(path))):
        try:
            importlib.import_module(name)
        except ImportError:  # a part that needs what is not installed here
            continue
    phases = (hypothesis.Phase.explicit, hypothesis.Phase.generate)  # whether a test fails is asked, not how simply
    hypothesis.settings.register_profile(PROFILE, deadline=None, derandomize=True, phases=phases)


def _others(path: Path) -> set[str]:
    """Our modules that import this one neither themselves nor by others."""
    files = {".".join(file.with_suffix("").parts): file for folder in OURS for file in Path(folder).rglob("*.py")}
    imports = {name: _imported(file) & files.keys() for name, file in files.items()}
    broken = {".".join(path.with_suffix("").parts)}
    while more := {name for name, found in imports.items() if found & broken} - broken:
        broken |= more
    return {name for name in files if name.startswith("shared.") or name in TESTS} - broken


def _imported(file: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name for each in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module, *(f"{node.module}.{each.name}" for each in node.names)}
    return found


Ready = Callable[[], None]
"""Makes the process that calls it a mutant."""
Tell = Callable[[Mutant, str], None]


class Forks:
    """Forks a process for each mutant, which goes on from here. `ends` has what became of them; it tells at once of a
    mutant that survives. The module as it is (None) comes first and last: where it does not survive, something else is
    wrong, or went wrong meanwhile, and no mutant was killed by a test."""

    def __init__(self, mutants: Mapping[Mutant | None, Ready], tell: Tell | None = None) -> None:
        self.ends: dict[Mutant | None, str] = {}
        self._mutants = mutants
        self._tell = tell

    def here(self) -> bool:
        """True in a process that goes on, False in the first one, in the end."""
        gc.collect()
        gc.freeze()  # what is loaded stays shared: collecting would copy it into each process
        seconds, began = FIRST_SECONDS, time.monotonic()
        for mutant, ready in (*self._mutants.items(), (None, _as_it_is)):
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                ready()
                return True
            self.ends[mutant] = end = _ended(child, time.monotonic() + seconds)
            if mutant is not None and end == SURVIVED and self._tell:
                self._tell(mutant, end)
            if mutant is None and end != SURVIVED:
                self.ends = {None: end}
                break
            if len(self.ends) == 1:
                seconds = 10 + 3 * (time.monotonic() - began)
        return False


def _as_it_is() -> None:
    return None


class Pause:
    """A plugin of pytest that forks where a hook is called."""

    def __init__(self, forks: Callable[[], Forks]) -> None:
        self.is_child = False
        self.ends: dict[Mutant | None, str] = {}
        self._forks = forks

    def _pause(self) -> None:
        forks = self._forks()
        self.is_child = forks.here()
        if not self.is_child:
            self.ends = forks.ends
            pytest.exit("all are tried", 0)


class BeforeCollection(Pause):
    """Once libraries, plugins and conftests are loaded, before tests are."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        self._pause()


class BeforeTests(Pause):
    """Once all is loaded."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self) -> None:
        self._pause()


def run(path: Path, mutants: Sequence[Mutant], tests: Sequence[str], tell: Tell) -> list[str]:
    """What becomes of a module as it is, and then of each mutant; empty where that cannot be said."""
    numbers: dict[Mutant | None, int] = {each: number for number, each in enumerate((None, *mutants))}
    found = _apart(partial(_swapped, path, mutants, tests), numbers)
    ends = {number: end for number, end in found.items() if not number or end != SURVIVED}
    if ends.get(0) != SURVIVED:
        return []
    left = [each for each in mutants if numbers[each] not in ends]
    ends |= _apart(partial(_imported_anew, path, left, tests, tell), numbers)
    known = ends[0] == SURVIVED and ends.keys() == {*numbers.values()}
    return [ends[number] for number in sorted(ends)] if known else []


Ends = Mapping[Mutant | None, str]


def _apart(work: Callable[[], Ends], numbers: Mapping[Mutant | None, int]) -> dict[int, str]:
    """The ends of a work that loads what others must not have loaded, in a process of its own."""
    come, go = os.pipe()
    child = os.fork()
    if child == 0:
        failed = 1  # so ends a mutant too that breaks pytest itself
        try:
            os.close(come)
            os.write(go, json.dumps([(numbers[each], end) for each, end in work().items()]).encode())
            failed = 0
        finally:
            os._exit(failed)
    os.close(go)
    with os.fdopen(come) as told:
        ends = json.loads(told.read() or "[]")
    os.waitpid(child, 0)
    return dict(ends)


def _swapped(path: Path, mutants: Sequence[Mutant], tests: Sequence[str]) -> Ends:
    def forks() -> Forks:
        loaded = Loaded(path)
        ready: dict[Mutant | None, Ready] = {None: _as_it_is}
        for mutant in mutants:
            if swap := loaded.swap(mutant):
                ready[mutant] = partial(_swap, swap)
        return Forks(ready)

    return _paused(BeforeTests(forks), tests)


def _swap(swap: Swap) -> None:
    for function, code in swap.items():
        function.__code__ = code


def _imported_anew(path: Path, mutants: Sequence[Mutant], tests: Sequence[str], tell: Tell) -> Ends:
    if not mutants:
        return {None: SURVIVED}
    forks = Forks({None: _as_it_is, **{each: partial(_put, path, each) for each in mutants}}, tell)
    if not _conftests_load(path, tests):
        return _paused(BeforeCollection(lambda: forks), tests)
    if forks.here():
        os._exit(_tests(tests))
    return forks.ends


def _paused(plugin: Pause, tests: Sequence[str]) -> Ends:
    code = _tests(tests, plugin)
    if plugin.is_child:
        os._exit(code)
    return plugin.ends


def _conftests_load(path: Path, tests: Sequence[str]) -> bool:
    class Look:
        @pytest.hookimpl(tryfirst=True)
        def pytest_collection(self) -> None:
            os._exit(int(_is_loaded(path)))

    child = os.fork()
    if child == 0:
        _tests(tests, Look())
        os._exit(0)
    return bool(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))


def _ended(child: int, deadline: float) -> str:
    while time.monotonic() < deadline:
        found, status = os.waitpid(child, os.WNOHANG)
        if found:
            return SURVIVED if os.waitstatus_to_exitcode(status) == 0 else KILLED
        time.sleep(0.02)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return TOO_LONG


def _tests(tests: Sequence[str], *plugins: object) -> int:
    """Run the tests without a word; pytest's exit status."""
    out, quiet = [os.dup(1), os.dup(2)], os.open(os.devnull, os.O_WRONLY)
    os.dup2(quiet, 1)
    os.dup2(quiet, 2)
    try:
        options = ["-q", "-x", "-p", "no:cacheprovider", "-n", "0", "--no-header", "--tb=no", "--assert=plain"]
        options.append(f"--hypothesis-profile={PROFILE}")
        return int(pytest.main([*options, *tests], plugins=plugins))
    finally:
        for number, each in enumerate(out, 1):
            os.dup2(each, number)


def _is_loaded(path: Path) -> bool:
    return any(getattr(each, "__file__", None) == str(path.resolve()) for each in list(sys.modules.values()))


def _put(path: Path, mutant: Mutant) -> None:
    """Have the import of the module find the mutant."""
    real: Callable[..., Any] = importlib.machinery.SourceFileLoader.get_code

    def get_code(loader: Any, name: str) -> Any:
        if Path(loader.path).resolve() == path.resolve():
            return compile(mutant.tree, loader.path, "exec", dont_inherit=True)
        return real(loader, name)

    assert not _is_loaded(path)
    setattr(importlib.machinery.SourceFileLoader, "get_code", get_code)  # noqa: B010 - mypy knows it is a method
