"""Keeps the Azure libraries' records of single requests out of the logs.

The Functions worker lets records from INFO on through, and Azure's libraries write two for each request to storage and
Key Vault: 30 an idle tick and 188 a small run, each billed by Application Insights. `host.json` cannot leave them out,
since the host files all of a function's records under the function's own name.
"""

from __future__ import annotations

import logging


def hush() -> None:
    """From now on Azure's libraries log warnings and errors only."""
    logging.getLogger("azure").setLevel(logging.WARNING)
