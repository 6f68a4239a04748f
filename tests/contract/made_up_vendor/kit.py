"""Postcard's row for the contract suite, and its line in the registry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import shared.vendors
from dev.simulators.common.simulator import Simulator
from shared.vendors import registry
from tests.contract.made_up_vendor.postcard.definition import DEFINITION, HOST
from tests.contract.made_up_vendor.simulator import KEY, Postcard
from tests.kits import Kit, Limit


def _new_secret(engine: Any) -> Mapping[str, str]:
    engine.tell("settings", {"keys": {"new-key": "acme", KEY: None}})
    return {"api_key": "new-key"}


POSTCARD = Kit(
    name="postcard",
    simulator=lambda: Simulator(Postcard()),
    hosts=lambda url: {HOST: url},
    secrets={"api_key": KEY},
    first="first",
    city="city",
    values=lambda row: row["dataFields"],
    adds=("POST /lists/{id}/people",),
    changes=("PUT /people",),
    removes=("POST /lists/{id}/take-off",),
    forbidden=("DELETE",),
    unsubscribed=lambda address, name: {"people": [{"email": address, "lists": [name], "unsubscribed": True}]},
    is_unsubscribed=lambda engine, address: address in engine.inspect("state").json()["unsubscribed"],
    consent_counts=("resubscribes",),
    new_secret=_new_secret,
    refuse=lambda engine, address: engine.tell("settings", {"barred": [address]}),
    limits=(Limit(("POST /lists/{id}/people", "PUT /people", "POST /lists/{id}/take-off"), 60, 60.0),),
)


def register(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one line in the registry; and the folder here is found where shared/vendors/postcard/ would be."""
    monkeypatch.setitem(registry.DEFINITIONS, DEFINITION.name, DEFINITION)
    monkeypatch.setattr(shared.vendors, "__path__", [*shared.vendors.__path__, str(Path(__file__).parent)])
