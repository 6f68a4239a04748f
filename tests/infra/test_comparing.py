"""`make snapshot` tells what a change of the templates changes."""

from __future__ import annotations

from typing import Any

from dev.infra_checks.comparing import differences

GROUP = "/subscriptions/22222222-2222-2222-2222-222222222222/resourceGroups/rg-exports/providers/"


def made(**properties: Any) -> dict[str, Any]:
    vault = {"id": f"{GROUP}Microsoft.KeyVault/vaults/v", "apiVersion": "2025-05-01", "properties": properties}
    return {"predictedResources": [vault], "outputs": {"vault": "v"}}


def test_the_same_has_no_differences() -> None:
    assert list(differences(made(a=1), made(a=1))) == []


def test_a_property_is_told_with_its_path_and_both_values() -> None:
    assert list(differences(made(a={"b": [1, 2]}), made(a={"b": [1, 3]}, c=[]))) == [
        "  Microsoft.KeyVault/vaults/v: properties.a.b[1]: 2 -> 3",
        "  Microsoft.KeyVault/vaults/v: properties.c: not there -> []",
    ]


def test_resources_that_come_and_go_are_told() -> None:
    none: dict[str, Any] = {"predictedResources": [], "outputs": {}}
    assert list(differences(none, made())) == [
        "+ Microsoft.KeyVault/vaults/v",
        "  outputs: : {} -> not there",
        "  outputs: vault: not there -> v",
    ]
    assert "- Microsoft.KeyVault/vaults/v" in list(differences(made(), none))
