"""A stranger carries out docs/deploying.md, from the first command to the last, with nothing made beforehand.

Where a command is refused, they do what the refusal says and try again; a refusal that says nothing stops them. Each
call is held against the released azure-cli, and works only where an earlier step made what it needs.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys

import pytest

from dev.infra_checks.compiler import Compiler
from dev.infra_checks.variants import Variant, snapshot
from tests.infra import released_az
from tests.infra.conftest import ROOT, Azure

DOCUMENT = (ROOT / "docs/deploying.md").read_text()
ANSWERS = {"GROUP": "segment-exports-dev", "VAULT": "kv-exports-x", "YOU": "ada", "REGION": "westeurope"}
"""What a person puts in the place of the words in capitals."""


def steps() -> list[str]:
    """Commands of the document's blocks, in its order."""
    blocks = re.findall(r"^```\n(.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in block.replace("\\\n", " ").splitlines() if line.strip()]


class Stranger:
    """Runs commands in a shell, and does what refusals say."""

    def __init__(self, azure: Azure) -> None:
        self.azure = azure
        self.did: list[str] = []

    def carry_out(self, step: str) -> str:
        """What the step printed in the end."""
        for _ in range(8):
            done = self._run(step)
            if done.returncode == 0:
                return done.stdout
            advice = re.findall(r"(?:^|Run: | {2})(az [a-z].*)$", done.stderr, re.MULTILINE)
            assert advice, f"{step}\nwas refused, and nothing says what to do:\n{done.stderr}"
            for each in advice:
                self._run(each)
        pytest.fail(f"{step} is refused again and again:\n{done.stderr}")

    def _run(self, step: str) -> subprocess.CompletedProcess[str]:
        for word, value in ANSWERS.items():
            step = re.sub(rf"\b{word}\b", value, step)
        step = step.replace("KEY-FILE", str(self.azure.folder / "key")).replace(" [--keep-state]", "")
        if step.startswith("infra/"):
            step = re.sub(r"^infra/\S+", lambda found: f"bash {ROOT / found[0]} --yes", step)
        self.did.append(step)
        variables = {
            "PATH": f"{self.azure.folder / 'bin'}:{os.environ['PATH']}",
            "STAND_IN": str(self.azure.folder),
            "PYTHON": "packer",
            "SMOKE_TRIES": "1",
            "SMOKE_WAIT": "0",
            "EXPOSE_WAIT": "0",
        }
        return subprocess.run(["bash", "-c", step], env=variables, capture_output=True, text=True, timeout=300)


@pytest.fixture
def stranger(azure: Azure) -> Stranger:
    source = (
        f"#!{sys.executable} -S\nimport sys\nsys.path.insert(0, {str(ROOT)!r})\n"
        "from tests.infra.stand_in_world import main\nsys.exit(main())\n"
    )
    for name in ("az", "curl"):
        (azure.folder / "bin" / name).write_text(source)
    (azure.folder / "key").write_text("secret")
    azure.have(signed_in=False, unregistered=["Microsoft.App", "Microsoft.Web"], client_secret="~secret~")
    return Stranger(azure)


def test_the_document_is_carried_out_from_nothing(stranger: Stranger) -> None:
    printed = "".join(stranger.carry_out(step) for step in steps())
    assert "Deployed: https://func-exports-dev-x.azurewebsites.net" in printed
    assert "az provider register --namespace Microsoft.App --wait" in stranger.did
    assert [each for call in stranger.azure.calls() for each in released_az.wrong(call)] == []


def test_parameters_that_the_document_gives_are_such_that_the_templates_take(compiler: Compiler) -> None:
    given = [shlex.split(step) for step in steps() if " -- " in step]
    assert given
    for words in given:
        file = f"parameters/{words[words.index('--environment') + 1]}.bicepparam"
        pairs = dict(word.split("=", 1) for word in words[words.index("--") + 1 :])
        values = {name: json.loads(value) if value[0] in "[{" else value for name, value in pairs.items()}
        assert snapshot(compiler, ROOT / "infra", Variant(file, values))["predictedResources"]


def test_what_is_printed_to_do_next_can_be_done(stranger: Stranger) -> None:
    printed = stranger.carry_out("infra/deploy.sh --environment dev --resource-group GROUP --location westeurope")
    following = re.findall(r"^ +\d\. [^:]*: +((?:az|infra/)[^\n]*)$", printed.replace("\\\n", " "), re.MULTILINE)
    assert len(following) == 4
    for step in following:
        stranger.carry_out(re.sub(r" {2,}\(.*", "", step))
    assert stranger.azure.state()["secrets"].keys() == {"iterable-api-key", "sign-in-secret"}


def test_a_step_too_early_is_refused(stranger: Stranger) -> None:
    """Or the walk would prove nothing."""
    with pytest.raises(AssertionError, match="nothing says what to do"):
        stranger.carry_out("az keyvault secret set --vault-name VAULT --name a --file KEY-FILE")
