"""`python -m dev.costs --vendor iterable --rows 20000 100000`: count, and print what each thousand rows costs."""

from __future__ import annotations

import argparse
import json
import logging
from dataclasses import asdict

from rich.console import Console
from rich.table import Table

from dev.costs.deriving import line
from dev.costs.measuring import Figures, idle_tick, measure
from tests.kits import KITS

RUNS = ("everyone", "1 % changed", "nothing changed")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.costs", description="Count what a run costs.")
    parser.add_argument("--vendor", choices=list(KITS), default="iterable")
    parser.add_argument("--rows", type=int, nargs="+", default=[20_000, 100_000])
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--tick", type=int, metavar="EXPORTS", help="only count an idle tick with so many exports")
    given = parser.parse_args()
    logging.disable(logging.INFO)
    if given.tick:
        print(json.dumps(idle_tick(given.tick)))
        return
    found = {rows: measure(given.vendor, rows) for rows in given.rows}
    if given.json:
        print(json.dumps([asdict(each) for figures in found.values() for each in figures]))
        return
    console = Console(width=150)
    for number, name in enumerate(RUNS):
        console.print(_table(f"{given.vendor}: {name}", [figures[number] for figures in found.values()]))


def _table(title: str, sizes: list[Figures]) -> Table:
    table = Table(title=title)
    for heading in ("", *(f"{each.rows:,} rows, {each.sent:,} sent" for each in sizes), "a run", "per 1,000 rows"):
        table.add_column(heading, justify="right" if heading else "left")
    for name in sorted({name for each in sizes for name in each.operations}):
        _row(table, name, sizes, [float(each.operations.get(name, 0)) for each in sizes])
    _row(table, "slices", sizes, [float(each.slices) for each in sizes])
    _row(table, "seconds", sizes, [each.seconds for each in sizes])
    _row(table, "CPU seconds", sizes, [each.cpu for each in sizes])
    return table


def _row(table: Table, name: str, sizes: list[Figures], values: list[float]) -> None:
    cells = [f"{value:,.1f}" if value % 1 else f"{value:,.0f}" for value in values]
    if len(values) > 1:
        through = line((sizes[0].rows, values[0]), (sizes[-1].rows, values[-1]))
        cells += [f"{through.fixed:.1f}", f"{through.per_thousand:.2f}"]
    table.add_row(name, *cells)


if __name__ == "__main__":
    main()
