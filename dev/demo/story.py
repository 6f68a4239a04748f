"""What the demo does: define an export, run it over HTTP, change the segment, and let the timer run it again."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from dev.demo import people as made_up
from dev.demo.api import Api, DemoError
from dev.demo.people import Person
from dev.demo.setting import Stage
from dev.demo.vendors import DemoVendor, requests_summary

EXPORT = "loyal-customers"
SEGMENT = "LoyalCustomers"
CONSENT = "Profiles of the segments, with personal data, go to {label} at our instruction."
SEED = 20261122


class Story:
    """One vendor, from nothing to the second delivery."""

    def __init__(self, stage: Stage, vendor: DemoVendor, console: Console, *, stays: bool) -> None:
        """`stays`: the app goes on running afterwards, so that its links lead somewhere."""
        alone = len(stage.simulators) == 1
        self._stage = stage
        self._vendor = vendor
        self._console = console
        self._stays = stays
        self._api = Api(stage.host)
        self._simulator = stage.simulators[vendor.name]
        self._export = EXPORT if alone else f"{EXPORT}-{vendor.name}"
        self._segment = SEGMENT if alone else f"{SEGMENT}{vendor.label.replace(' ', '')}"

    def tell(self, count: int) -> None:
        """The whole demo. Raises DemoError as soon as the list and the segment differ."""
        people = made_up.make_people(count, SEED)
        self._land(people, datetime.now(UTC) - timedelta(minutes=5))
        self._define()
        first = self._api.run(self._export)
        self._watch("first run, triggered over HTTP", first, people)
        later = made_up.next_version(people, SEED + 1, count // 50, count // 60, count // 40)
        self._land(later, datetime.now(UTC))
        second = self._api.next_run(self._export, after=first)
        self._watch("second run, triggered by the timer", second, later)

    def _land(self, people: Sequence[Person], taken_at: datetime) -> None:
        made_up.write_snapshot(
            self._stage.container,
            instance="demo",
            export=f"BlobExport{self._segment.removeprefix(SEGMENT)}",
            segment=self._segment,
            taken_at=taken_at,
            people=people,
        )
        self._console.print(f"A snapshot of the segment {self._segment} with {len(people):,} rows is in Blob Storage.")

    def _define(self) -> None:
        vendor = self._vendor
        names = {credential: f"{vendor.name}-{credential}".replace("_", "-") for credential in vendor.secrets}
        for credential, name in names.items():
            self._stage.services.key_vault.set_secret(name, vendor.secrets[credential])
        connection = {
            "display_name": f"{vendor.label} (simulator)",
            "vendor": vendor.name,
            "settings": dict(vendor.settings),
            "decisions": dict(vendor.decisions),
            "secrets": names,
            "consent": {"agreed_by": "Demo administrator", "text": CONSENT.format(label=vendor.label)},
        }
        self._api.call("PUT", f"/connections/{vendor.name}", connection)
        checked = self._api.call("POST", f"/connections/{vendor.name}/check")
        if not checked["ok"]:
            raise DemoError(f"the connection check failed: {checked['message']}")
        self._console.print(f"Connection check: {checked['message']}")
        export = {
            "display_name": f"Loyal customers, {vendor.label}",
            "connection": vendor.name,
            "targets": [{"segments": [self._segment]}],
            "address_column": "EMail",
            "matching": [{"field": field, "column": column} for field, column in vendor.matching.items()],
            "settings": dict(vendor.export),
            "schedule": {"kind": "on_refresh", "existing": True},
        }
        saved = self._api.call("PUT", f"/exports/{self._export}", export)
        for warning in saved["warnings"]:
            self._console.print(f"Warning: {warning['message']}")

    def _watch(self, title: str, run: str, people: Sequence[Person]) -> None:
        self._console.rule(title)
        before, started = requests_summary(self._simulator)["calls"], time.monotonic()
        view = self._follow(run)
        if view["state"] == "blocked":
            self._answer(run, view)
            view = self._follow(run)
        seconds = time.monotonic() - started
        calls = requests_summary(self._simulator)["calls"] - before
        if view["state"] not in ("succeeded", "succeeded with warnings"):
            raise DemoError(f"the run ended as '{view['state']}': {view['message']}")
        self._show(view, run, calls, seconds)
        self._compare(people)

    def _answer(self, run: str, view: Mapping[str, Any]) -> None:
        """Show the question that a first run of so many people asks, and answer it. Raises DemoError for any other."""
        path = f"/exports/{self._export}/runs/{run}"
        asked = self._api.call("GET", f"{path}/plan")["first_run"]
        if asked is None:
            raise DemoError(f"the run is blocked: {view['message']}")
        self._console.print("The run asks, before it writes anything:", style="yellow")
        self._console.print(f"  {view['message']}", soft_wrap=True)
        plan = view["targets"][0]["plan"]
        self._api.call("POST", f"{path}/decision", {"plan": plan, "decision": "deliver"})
        self._console.print("The answer: deliver. It could be start_small, or first_run: deliver in the export.")

    def _follow(self, run: str) -> Any:
        columns = (TextColumn("{task.description:<8}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        with Progress(*columns, console=self._console) as bar:
            task = bar.add_task("queued", total=None)

            def show(view: Mapping[str, Any]) -> None:
                progress = view["progress"]
                bar.update(task, description=progress["step"], completed=progress["done"], total=progress["total"])

            return self._api.follow(self._export, run, show)

    def _show(self, view: Mapping[str, Any], run: str, calls: int, seconds: float) -> None:
        counts = view["targets"][0]["counts"]
        table = Table(title=f'{view["state"]}: list "{view["targets"][0]["list_name"]}"', show_header=False)
        for label, name in _ROWS:
            table.add_row(label, f"{counts[name]:,}")
        table.add_row("requests to the vendor", f"{calls:,}")
        table.add_row("seconds", f"{seconds:.1f}")
        self._console.print(table)
        report = self._api.call("GET", f"/exports/{self._export}/runs/{run}/report")
        for reason in report["reasons"]:
            self._console.print(f"  {reason['people']:,} {reason['outcome']}: {reason['reason']}")
        if not self._stays:
            return
        link = self._api.call("GET", f"/exports/{self._export}/runs/{run}/rejected.csv?link=json")
        self._console.print(f"  rejected.csv, until {link['expires_at'][11:16]} UTC: {link['url']}", soft_wrap=True)

    def _compare(self, people: Sequence[Person]) -> None:
        """The simulator's list against the segment: the same addresses, and the same values."""
        wanted = {
            address: self._vendor.expected(person) for address, person in made_up.expected_members(people).items()
        }
        members = self._vendor.members(self._simulator, self._segment)
        missing, strangers = wanted.keys() - members.keys(), members.keys() - wanted.keys()
        different = sum(members[address] != values for address, values in wanted.items() if address in members)
        if missing or strangers or different:
            raise DemoError(
                f"the list differs from the segment: {len(missing)} missing, {len(strangers)} too many, "
                f"{different} with other values"
            )
        self._console.print(f"The simulator's list equals the segment: {len(members):,} people.", style="green")


_ROWS = (
    ("rows read", "rows_read"),
    ("duplicates", "duplicates"),
    ("refused here", "refused_here"),
    ("unchanged", "unchanged"),
    ("added", "add"),
    ("changed", "change"),
    ("removed", "remove"),
    ("accepted by the vendor", "accepted"),
    ("rejected by the vendor", "rejected"),
    ("unknown", "unknown"),
)
