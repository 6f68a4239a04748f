"""What the API answers about exports: what they are, what they would send, and where a person stands."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import Field

from shared.api.run_views import RunSummary
from shared.api.views import IssueView, View
from shared.catalog.models import Export


class PreviewRow(View):
    """A row as the vendor would get it; it holds an address. `left_out`: fields whose cell is not of their type."""

    address: str
    problem: str | None
    values: dict[str, Any]
    left_out: tuple[str, ...] = ()


class Explanation(View):
    """Why a person is or is not on an export's targets; it holds no address."""

    export: str
    address: str = Field(description="valid, or what is wrong with the address.")
    targets: list[TargetExplanation]


class TargetExplanation(View):
    """`segments`: where the address stands in the newest snapshots. `ledger`: what is known of it, null if nothing.
    `receipts`: what became of it in the last runs. `verdict`: one sentence."""

    target: str
    verdict: str
    segments: list[dict[str, Any]]
    ledger: dict[str, str] | None
    receipts: list[dict[str, Any]]


class ExportView(Export):
    """A stored export, with when it runs next, how it last went, and the warnings of saving it."""

    next_times: tuple[datetime, ...] = Field(default=(), description="Empty without a cron schedule or when paused.")
    last_run: RunSummary | None = None
    warnings: tuple[IssueView, ...] = ()
