"""Run a module's tests on each of its mutants, each in a process of its own, forked from one that has loaded what is
slow to load. Nothing on disk is changed: the mutant takes the module's place when it is imported."""

from __future__ import annotations

import ast
import importlib
import importlib.machinery
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from dev.mutants.breaking import Mutant

SLOW: tuple[str, ...] = (
    *("pytest", "hypothesis", "pydantic", "duckdb", "orjson", "fastapi", "cryptography.fernet", "jwt", "msal", "yaml"),
    *("azure.storage.blob", "azure.storage.queue", "azure.data.tables", "azure.functions", "babel.messages"),
)
OURS = ("shared", "dev/host", "dev/simulators", "tests/memory")
TESTS = ("dev.host.azurite", "tests.memory.account")
FIRST_SECONDS = 600.0
LOADED = 99
KILLED, SURVIVED, TOO_LONG = "killed", "survived", "took too long"


def load(path: Path) -> None:
    """Import what is the same for every mutant of a module: libraries, and all of ours that does not import it."""
    for name in (*SLOW, *sorted(_others(path))):
        try:
            importlib.import_module(name)
        except ImportError:  # a part that needs what is not installed here
            continue


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


class Forks:
    """A plugin of pytest that forks once libraries, plugins and conftests are loaded, before tests are: a process for
    each mutant goes on from there. `ends` has what became of them, first of the module as it is (None)."""

    def __init__(self, path: Path, mutants: Sequence[Mutant], tell: Callable[[Mutant, str], None]) -> None:
        self.ends: list[str] = []
        self.is_child = False
        self._path = path
        self._mutants = mutants
        self._tell = tell

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self) -> None:
        if _is_loaded(self._path):
            pytest.exit("a conftest has loaded the module", LOADED)
        self._seconds, began = FIRST_SECONDS, time.monotonic()
        for mutant in (None, *self._mutants):
            child = os.fork()
            if child == 0:
                os.setpgid(0, 0)
                self.is_child = True
                if mutant is not None:
                    _put(self._path, mutant)
                return
            self._heard(mutant, _ended(child, time.monotonic() + self._seconds))
            if mutant is None:
                if self.ends != [SURVIVED]:
                    break
                self._seconds = 20 + 5 * (time.monotonic() - began)
        pytest.exit("all are tried", 0)

    def _heard(self, mutant: Mutant | None, end: str) -> None:
        self.ends.append(end)
        if mutant is not None:
            self._tell(mutant, end)


def run(path: Path, mutants: Sequence[Mutant], tests: Sequence[str], tell: Callable[[Mutant, str], None]) -> list[str]:
    """What becomes of a module as it is, and then of each mutant; `tell` hears of a mutant as soon as it is known."""
    forks = Forks(path, mutants, tell)
    code = _tests(tests, forks)
    if forks.is_child:
        os._exit(code)
    if code == LOADED:
        raise SystemExit(f"{path}: a conftest of its tests imports it, so that no mutant can take its place")
    return forks.ends


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
