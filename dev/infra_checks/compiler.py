"""The Bicep compiler, started once and asked many times.

It is asked over JSON-RPC on its standard input: a process for each file would take seconds, and this takes tenths.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from dev.infra_checks.problem import Problem

AZD = {"AZURE_ENV_NAME": "Marketing_exports.of-the-whole-group(emea)-its-12-brands_prod-2-"}
"""What azd would say, with a name that is as long as it allows (64) and has every sign that it allows."""
SHORT_LIVED = {"DOTNET_TieredPGO": "0", "DOTNET_gcConcurrent": "0"}
"""Settings of .NET for a process that ends before what it learns of itself pays: a third less processor time."""
PLACE = {
    "tenantId": "11111111-1111-1111-1111-111111111111",
    "subscriptionId": "22222222-2222-2222-2222-222222222222",
    "resourceGroup": "rg-exports",
    "location": "westeurope",
    "deploymentName": "segment-exports",
}
"""Where snapshots pretend to deploy to."""


class CompilerFailed(Exception):
    """The compiler refused a request or ended; its words are in the text."""


@dataclass(frozen=True, slots=True)
class Compiled:
    """What the compiler said of a file and all that the file uses; `template` is empty where there are errors."""

    diagnostics: tuple[Problem, ...]
    template: dict[str, Any]


class Compiler:
    """One running compiler. `with Compiler(program) as compiler: …`"""

    def __init__(self, program: Path) -> None:
        self._process = subprocess.Popen(
            [program, "jsonrpc", "--stdio"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, **SHORT_LIVED, **AZD},
        )
        self._asked = 0
        self._read: dict[tuple[Path, str], dict[str, Any]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self._process.kill()
        self._process.communicate()

    def version(self) -> str:
        """Such as 0.49.2."""
        return str(self._ask("bicep/version")["version"])

    def compile(self, path: Path) -> Compiled:
        """A template with its modules, or a parameter file with its template."""
        method = "bicep/compileParams" if path.suffix == ".bicepparam" else "bicep/compile"
        more: dict[str, Any] = {"parameterOverrides": {}} if path.suffix == ".bicepparam" else {}
        said = self._ask(method, path=str(path), **more)
        problems = [
            Problem(
                Path(each["source"]),
                each["range"]["start"]["line"] + 1,
                f"{each['level']} {each['code']}: {each['message']}",
            )
            for each in said["diagnostics"]
        ]
        text = said.get("contents") or said.get("template")
        return Compiled(tuple(problems), json.loads(text) if text else {})

    def parameters(self, path: Path) -> dict[str, Any]:
        """Values that a parameter file gives, by name. Remembered, since many deployments start from one file."""
        key = (path, path.read_text())
        if key not in self._read:
            said = self._ask("bicep/compileParams", path=str(path), parameterOverrides={})
            if not said["success"]:
                raise CompilerFailed("; ".join(each["message"] for each in said["diagnostics"]))
            given = json.loads(said["parameters"])["parameters"]
            self._read[key] = {name: each["value"] for name, each in given.items()}
        return self._read[key]

    def formatted(self, path: Path) -> str:
        """The file as the compiler would write it."""
        return str(self._ask("bicep/format", path=str(path))["contents"])

    def snapshot(self, path: Path, place: Mapping[str, str] = PLACE) -> dict[str, Any]:
        """What a parameter file deploys, with every expression evaluated that does not need Azure."""
        try:
            said = self._ask("bicep/getSnapshot", path=str(path), metadata=dict(place))
        except CompilerFailed as error:
            reasons = "; ".join(each.message for each in self.compile(path).diagnostics)
            raise CompilerFailed(reasons or str(error)) from error
        found: dict[str, Any] = json.loads(said["snapshot"])
        return found

    def _ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        self._asked += 1
        body = json.dumps({"jsonrpc": "2.0", "id": self._asked, "method": method, "params": parameters}).encode()
        into, out = self._process.stdin, self._process.stdout
        assert into is not None
        assert out is not None
        try:
            into.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
            into.flush()
        except BrokenPipeError as error:
            raise CompilerFailed(f"{self._process.args!r} is no Bicep compiler, or too old for JSON-RPC") from error
        length = 0
        while line := out.readline().strip():
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        if not length:
            raise CompilerFailed(f"{self._process.args!r} is no Bicep compiler, or too old for JSON-RPC")
        answer = json.loads(out.read(length))
        if "error" in answer:
            raise CompilerFailed(str(answer["error"].get("message", answer["error"])))
        result: dict[str, Any] = answer["result"]
        return result
