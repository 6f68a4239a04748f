"""The browser of the tests: the Chromium that the machine has."""

from __future__ import annotations

import os
import shutil

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome")


def chromium() -> str:
    """The program. Where there is none the test is skipped, in CI it fails."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    reason = f"NO BROWSER TESTS: none of {', '.join(NAMES)} is installed (apt-get install chromium)"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)
