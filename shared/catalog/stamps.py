"""Who wrote a definition, agreed to it or decided it, and when: the service says so, and no request can. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from shared.access.person import Person
from shared.catalog.models import Connection, Consent, Export, SettingDecision


def written(before: Connection | Export | None, by: str, at: datetime) -> dict[str, object]:
    """The stamps of a definition that is written now."""
    return {
        "created_at": before.created_at if before else at,
        "created_by": before.created_by if before else by,
        "updated_at": at,
        "updated_by": by,
    }


def consent(sent: Consent | None, before: Consent | None, caller: Person, at: datetime) -> Consent | None:
    """The consent as it is stored: the caller's, where its text is new."""
    if sent is None or (before and before.text == sent.text):
        return sent and before
    return sent.model_copy(update={"agreed_by": caller.name, "agreed_at": at})


def decisions(
    sent: Mapping[str, SettingDecision], before: Mapping[str, SettingDecision], caller: Person, at: datetime
) -> dict[str, SettingDecision]:
    """The decisions as they are stored: the caller's, where they are new."""
    stamp = {"decided_by": caller.name, "decided_at": at}
    return {
        name: old
        if (old := before.get(name)) and (old.choice, old.text) == (new.choice, new.text)
        else new.model_copy(update=stamp)
        for name, new in sent.items()
    }
