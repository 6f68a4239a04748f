"""Calls to one data centre of Iterable's. Facts: Iterable contract, section 1."""

from __future__ import annotations

from shared.vendors.http import Client, Credentials, Link
from shared.vendors.iterable import responses
from shared.vendors.iterable.definition import DEFINITION, HOSTS
from shared.vendors.keys import key_in


def client_of(center: str, credentials: Credentials, link: Link) -> Client:
    return Client(
        DEFINITION,
        HOSTS[center],
        link,
        key_in("Api-Key", credentials),
        refusal=responses.refusal,
        understood=responses.list_unknown,
    )
