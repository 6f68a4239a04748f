"""What README.md tells a newcomer to type works as it stands there."""

from __future__ import annotations

import re
import subprocess

from tests.integration.app.conftest import REPOSITORY, App

HEADER = "EMail,FirstName,City\n"


def typed() -> str:
    """The block of the first export, without its first line, which names the address and the key of an app."""
    readme = (REPOSITORY / "README.md").read_text(encoding="utf-8")
    [block] = re.findall(r"^```\nKEY=[^\n]*\n(.*?)^```$", readme, re.MULTILINE | re.DOTALL)
    return str(block)


def test_the_first_export_delivers(app: App) -> None:
    folder = "LoyalCustomers/20261122T060000Z"
    app.segments.upload_blob(f"{folder}/part-0.csv", f"{HEADER}ada@example.com,Ada,Turin\n".encode())
    app.segments.upload_blob(f"{folder}/_SUCCESS", b"")
    failing = 'set -e\ncurl() { command curl --silent --show-error --fail-with-body "$@"; }\n'
    told = {"APP": app.host.url, "KEY": app.host.key, "PATH": "/usr/local/bin:/usr/bin:/bin"}
    ran = subprocess.run(["bash", "-c", failing + typed()], env=told, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert "LoyalCustomers" in ran.stdout
    app.host.wait_idle()
    assert app.members("My list") == {"ada@example.com"}
