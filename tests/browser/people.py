"""Lines of snapshots: people who do not exist."""

from __future__ import annotations


def some(count: int, start: int = 0, mark: str = "p") -> list[str]:
    """So many people with an address of their own."""
    return [f"{mark}{number}@example.com,Testa {number},Exampleville" for number in range(start, start + count)]


UNUSABLE = ["no-address-at-all,Sample,Testhausen", ",Mocka,Testhausen"]
"""Rows that are refused here, for two reasons."""
