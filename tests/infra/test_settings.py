"""Every app setting that the code reads is set in Bicep, and every one that is set is read by the code or the host."""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from shared.access.settings import from_environment as sign_in
from shared.cloud.settings import from_environment
from tests.files import files
from tests.infra.deployment import Deployment

ROOT = Path(__file__).parents[2]
SOURCES = [
    ROOT / "function_app.py",
    *files(ROOT / "functions", "**/*.py"),
    *files(ROOT / "shared", "**/*.py"),
]

ONE_MACHINE = {
    "AzureWebJobsStorage": "a connection string; in Azure it is the identity",
    "SegmentStorage": "a connection string; in Azure it is the identity",
    "KEY_VAULT_STAND_IN_CERTIFICATE": "the vault's stand-in",
    "SIGN_IN_STAND_IN_CERTIFICATE": "the sign-in provider's stand-in",
    "VENDOR_HOSTS": "simulators",
}
"""Read by the code and never set in Azure."""

THE_HOST = {
    "AzureWebJobsStorage__credential",
    "AzureWebJobsDisableHomepage",
    "PYTHON_THREADPOOL_THREAD_COUNT",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
    "APPLICATIONINSIGHTS_AUTHENTICATION_STRING",
}
"""Set in Azure and read by the Functions host, not by the code."""

THE_PLATFORM = {"WEBSITE_HOSTNAME"}
"""Read by the code and set by Azure itself."""

OTHER_FORMS = {
    f"{name}__{kind}ServiceUri"
    for name in ("AzureWebJobsStorage", "SegmentStorage")
    for kind in ("blob", "queue", "table")
}
"""The code also takes endpoints in place of an account's name."""


FORMS = {
    "KEY_VAULT_URL": "https://vault.example/",
    "NOTIFY_URL": "https://receiver.example/hook",
    "PUBLIC_URL": "https://exports.example",
    "SIGN_IN_ISSUER": "https://login.example/tenant/v2.0",
}
"""What stands for what only Azure knows, where any text will not do."""

LEFT_OUT = ("NOTIFY_URL", "NOTIFY_SECRET", "OAUTH_APPS", "SIGN_IN_ISSUER", "SIGN_IN_CLIENT_ID", "TELEMETRY")
"""Empty where a deployment does without."""


@pytest.fixture(scope="module")
def in_azure(deployments: dict[str, Deployment]) -> dict[str, str]:
    """Name -> value, with everything switched on; what only Azure knows is a stand-in of the right form."""
    settings = deployments["sign-in"].settings()
    return {name: _known(name, value) for name, value in settings.items()}


def _known(name: str, value: str) -> str:
    return FORMS.get(name, f"some-{name}") if value.startswith("[") else value


class Listening(dict[str, str]):
    """An environment that remembers what it was asked for."""

    def __init__(self, values: dict[str, str]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, name: str, default: str | None = None) -> str | None:  # type: ignore[override]  # narrower on purpose
        self.asked.add(name)
        return super().get(name, default)

    def __getitem__(self, name: str) -> str:
        self.asked.add(name)
        return super().__getitem__(name)

    def __contains__(self, name: object) -> bool:
        self.asked.add(str(name))
        return super().__contains__(name)


def read_by_code(in_azure: dict[str, str]) -> set[str]:
    names: set[str] = set()
    trees = {path: ast.parse(path.read_text()) for path in SOURCES}
    takers = _takers(trees.values())
    for path, tree in trees.items():
        module = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        names |= set(_direct(tree, takers)) | set(_given(tree)) | set(_bindings(tree))
        if any(isinstance(node, ast.FunctionDef) and node.name == "from_environment" for node in tree.body):
            environment = Listening(in_azure)
            importlib.import_module(module).from_environment(environment)
            names |= environment.asked
    return names - THE_PLATFORM


def _takers(trees: Iterable[ast.Module]) -> set[str]:
    """Functions whose first parameter is `environment`: `_given` sees what they ask it for."""
    functions = (node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
    return {node.name for node in functions if node.args.args and node.args.args[0].arg == "environment"}


def _direct(tree: ast.Module, takers: set[str]) -> Iterator[str]:
    """`os.environ["X"]`, `os.environ.get("X")`, `os.getenv("X")`. As a whole it is only handed to `takers`."""
    parents = {child: parent for parent in ast.walk(tree) for child in ast.iter_child_nodes(parent)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "os.getenv":
            yield _name(node.args[0])
        if not isinstance(node, ast.Attribute) or ast.unparse(node) != "os.environ":
            continue
        match parents[node]:
            case ast.Subscript(slice=name):
                yield _name(name)
            case ast.Attribute(attr="get") as get:
                call = parents[get]
                assert isinstance(call, ast.Call)
                yield _name(call.args[0])
            case ast.Call(func=ast.Name(function)) if function in takers:
                pass
            case other:
                pytest.fail(f"this test does not see which settings {ast.unparse(other)} reads")


def _given(tree: ast.Module) -> Iterator[str]:
    """Names that functions ask an environment for that they were given, as `environment`."""
    for node in ast.walk(tree):
        match node:
            case (
                ast.Call(func=ast.Attribute(value=ast.Name("environment"), attr="get"), args=[ast.Constant(name), *_])
                | ast.Call(args=[ast.Name("environment"), ast.Constant(name), *_])
                | ast.Subscript(value=ast.Name("environment"), slice=ast.Constant(name))
            ):
                yield str(name)


def _name(node: ast.expr) -> str:
    assert isinstance(node, ast.Constant), f"this test does not see which setting {ast.unparse(node)} is"
    return str(node.value)


def _bindings(tree: ast.Module) -> Iterator[str]:
    """`schedule="%X%"` of a trigger."""
    for node in ast.walk(tree):
        if isinstance(node, ast.keyword) and isinstance(node.value, ast.Constant):
            yield from re.findall(r"^%(\w+)%$", str(node.value.value))


@pytest.fixture(scope="module")
def read(in_azure: dict[str, str]) -> set[str]:
    return read_by_code(in_azure)


def test_every_setting_that_the_code_reads_is_set_and_no_other(read: set[str], made: Deployment) -> None:
    assert read - made.settings().keys() - ONE_MACHINE.keys() - OTHER_FORMS == set()
    assert made.settings().keys() - read - THE_HOST == set()
    assert made.settings().keys() & ONE_MACHINE.keys() == set()


def test_the_code_accepts_what_is_set(in_azure: dict[str, str]) -> None:
    settings = from_environment(in_azure)
    assert settings.state_storage.connection_string is None
    assert settings.state_storage.blob.startswith("https://")
    assert settings.segment_storage != settings.state_storage


def test_the_code_accepts_a_deployment_without_sign_in_and_notifications(deployments: dict[str, Deployment]) -> None:
    environment = {name: _known(name, value) for name, value in deployments["dev"].settings().items()}
    environment["NOTIFY_URL"] = ""  # a secure parameter, which no snapshot shows; its default is empty
    assert {name for name in LEFT_OUT if environment[name]} == set()
    assert from_environment(environment).notify_url == ""
    assert sign_in(environment) is None


def test_sign_in_that_is_set_is_understood(in_azure: dict[str, str]) -> None:
    settings = sign_in(in_azure)
    assert settings is not None
    assert settings.origin == "https://exports.example"


NUMBERS = (
    "slice_seconds",
    "stale_seconds",
    "job_seconds",
    "rows_per_file",
    "memory_mb",
    "temporary_mb",
    "rejected_share",
    "missed_minutes",
    "artefact_days",
    "event_days",
)


@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_that_are_set_are_the_code_s_own_defaults(in_azure: dict[str, str], name: str) -> None:
    smallest = from_environment({"AzureWebJobsStorage__accountName": "x"})
    assert getattr(from_environment(in_azure), name) == getattr(smallest, name)
