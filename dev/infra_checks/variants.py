"""Deployments that differ in what exists, and what the compiler says that each of them makes."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dev.infra_checks.compiler import Compiler


@dataclass(frozen=True, slots=True)
class Variant:
    """A parameter file, and the parameters that are given besides, as with `deploy.sh … -- NAME=VALUE`."""

    file: str = "parameters/dev.bicepparam"
    given: Mapping[str, Any] = field(default_factory=dict)


_PERSON = "33333333-3333-3333-3333-333333333333"
_NETWORK = {"virtualNetwork": True, "allowedAddresses": ["203.0.113.7"]}
_OFFICES = {"allowedAddresses": ["203.0.113.7"], "alertEmails": ["it@exports.example"]}
_SIGN_IN = {"entraTenantId": _PERSON, "entraClientId": _PERSON, "publicUrl": "https://exports.example"}

VARIANTS: Mapping[str, Variant] = {
    "dev": Variant(),
    "prod": Variant("parameters/prod.bicepparam", _OFFICES),
    "azd": Variant("main.bicepparam"),
    "azd in a network": Variant("main.bicepparam", _NETWORK),
    "network": Variant(given=_NETWORK),
    "network without an address": Variant(given={"virtualNetwork": True, "peopleComeThroughNetwork": True}),
    "fixed outbound address": Variant(given={**_NETWORK, "fixedOutboundAddress": True}),
    "lock": Variant(given={"lockData": True}),
    "existing segment account": Variant(
        given={
            **_NETWORK,
            "segmentStorageAccountName": "customerinsights",
            "segmentStorageResourceGroup": "crm",
            "segmentLocations": ["exports/CustomerInsights", "exports/other", "lists"],
        }
    ),
    "hierarchical namespace": Variant(given={"segmentHierarchicalNamespace": True}),
    "writer of segments": Variant(given={"segmentWriterPrincipalId": _PERSON}),
    "account keys for the source": Variant(given={"segmentSharedKeyAccess": True}),
    "no secrets written": Variant(given={"appWritesSecrets": False}),
    "zones": Variant(given={"zoneRedundant": True, "storageSku": "Standard_GZRS"}),
    "telemetry": Variant(given={"telemetry": "azure", "rollingUpdates": False}),
    "sign-in": Variant(given={**_SIGN_IN, "oauthApps": "vendor=client:name-of-secret", "notifySecretName": "notify"}),
    "other settings": Variant(
        given={
            "settingOverrides": {"SLICE_SECONDS": "120"},
            "artefactDays": 7,
            "eventDays": 90,
            "eventAddresses": "plain",
        }
    ),
}  # fmt: skip
"""One for each parameter that changes what is made, and the three that people start from."""


def snapshot(compiler: Compiler, folder: Path, variant: Variant, **more: Any) -> dict[str, Any]:
    """`predictedResources` and `outputs` of a variant of the templates in `folder`. Raises CompilerFailed."""
    folder = folder.resolve()
    given = {**compiler.parameters(folder / variant.file), **variant.given}
    with tempfile.TemporaryDirectory() as place:
        path = Path(place).resolve() / "variant.bicepparam"
        main = os.path.relpath(folder / "main.bicep", path.parent)
        lines = [f"using '{main}'", *(f"param {name} = {_bicep(value)}" for name, value in given.items())]
        path.write_text("\n".join(lines) + "\n")
        return compiler.snapshot(path, **more)


def _bicep(value: Any) -> str:
    """A JSON value as Bicep writes it."""
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'").replace("${", "\\${") + "'"
    if isinstance(value, Mapping):
        return "{\n" + "".join(f"{_bicep(key)}: {_bicep(each)}\n" for key, each in value.items()) + "}"
    if isinstance(value, Sequence):
        return "[\n" + "".join(f"{_bicep(each)}\n" for each in value) + "]"
    return json.dumps(value)
