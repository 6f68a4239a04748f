"""What one deployment makes, as the compiler evaluated it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

ROLES = {
    "b7e6dc6d-f1e8-4753-8033-0f276bb0955b": "Storage Blob Data Owner",
    "ba92f5b4-2d11-453d-a403-e96b0029c9fe": "Storage Blob Data Contributor",
    "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1": "Storage Blob Data Reader",
    "974c5e8b-45b9-4653-ba55-5f855dd0fb88": "Storage Queue Data Contributor",
    "0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3": "Storage Table Data Contributor",
    "b86a8fe4-44ce-4948-aee5-eccb2c155cd7": "Key Vault Secrets Officer",
    "4633458b-17de-408a-b874-0445c86b69e6": "Key Vault Secrets User",
    "3913510d-42f4-4e42-8a64-420c390055eb": "Monitoring Metrics Publisher",
}
"""Azure's built-in roles that may be given: id -> name."""


@dataclass(frozen=True, slots=True)
class Deployment:
    """A variant's `predictedResources` and `outputs`."""

    variant: str
    resources: list[dict[str, Any]]
    outputs: dict[str, Any]

    def of(self, kind: str) -> list[dict[str, Any]]:
        """Resources of a type, `Microsoft.` left out."""
        return [each for each in self.resources if each["type"] == f"Microsoft.{kind}"]

    def one(self, kind: str, name: str = "") -> Any:
        """The only resource of a type whose name begins so."""
        [found] = [each for each in self.of(kind) if each["name"].startswith(name)]
        return found

    def names(self) -> Iterator[tuple[str, str]]:
        """Type and own name of each resource, without its parents'."""
        for each in self.resources:
            yield each["type"].removeprefix("Microsoft."), evaluated(each["name"]).rpartition("/")[2]

    def settings(self) -> dict[str, str]:
        """App settings by name."""
        found: dict[str, str] = self.one("Web/sites/config")["properties"]
        return found

    def roles(self) -> set[tuple[str, str, str]]:
        """Who has which role on what: the app or the writer, the role's name, and the end of the scope's id."""
        found = set()
        for each in self.of("Authorization/roleAssignments"):
            given = each["properties"]
            who = "the app" if "userAssignedIdentities" in given["principalId"] else "the source product"
            scope = each["id"].partition("/providers/Microsoft.Authorization")[0].partition("/providers/")[2]
            found.add((who, ROLES[given["roleDefinitionId"].rpartition("/")[2]], scope))
        assert len(found) == len(self.of("Authorization/roleAssignments")), "a role is given twice"
        return found


def evaluated(name: str) -> str:
    """A name, with what the compiler leaves to Azure: the domain of storage."""
    text = name.replace("environment().suffixes.storage", "'core.windows.net'")
    while found := re.search(r"format\('([^']*)'((?:, '[^']*')*)\)", text):
        values = re.findall(r"'([^']*)'", found[2])
        text = text.replace(found[0], f"'{found[1].format(*values)}'")
    return text.removeprefix("['").removesuffix("']")
