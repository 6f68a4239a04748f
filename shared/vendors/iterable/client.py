"""Calls to one data centre of Iterable's. Facts: Iterable contract, section 1."""

from __future__ import annotations

from dataclasses import replace

from shared.vendors.http import Client, Credentials, Link
from shared.vendors.iterable import responses
from shared.vendors.iterable.definition import DEFINITION, HOSTS
from shared.vendors.keys import key_in


def client_of(center: str, credentials: Credentials, link: Link, seconds: float | None = None) -> Client:
    """`seconds`: the longest that a request may take, where it is not the vendor's."""
    return Client(
        replace(DEFINITION, request_seconds=seconds) if seconds else DEFINITION,
        HOSTS[center],
        link,
        key_in("Api-Key", credentials),
        refusal=responses.refusal,
        understood=responses.list_unknown,
    )
