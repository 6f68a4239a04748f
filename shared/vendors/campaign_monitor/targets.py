"""Which list is meant, and what people have to know about it. Pure. Facts: Campaign Monitor contract, section 2."""

from __future__ import annotations

from collections.abc import Sequence

from shared.cloud.scrubbing import excerpt
from shared.errors import UserMustAct
from shared.vendors.campaign_monitor.responses import Details, Named


def by_id(lists: Sequence[Named], list_id: str) -> Named:
    """The client's list with this id. Raises UserMustAct `target_vanished`."""
    for each in lists:
        if each.id.casefold() == list_id.strip().casefold():
            return each
    raise vanished()


def vanished() -> UserMustAct:
    return UserMustAct(
        "target_vanished",
        "The client has no such list in Campaign Monitor: it was deleted, or belongs to another client.",
    )


def by_name(lists: Sequence[Named], name: str) -> tuple[Named | None, list[str]]:
    """The list with exactly this name, of several the one whose id comes first; warnings."""
    same = sorted((each for each in lists if each.name == name), key=lambda each: each.id)
    if len(same) < 2:
        return (same[0] if same else None), []
    return same[0], [
        f"The client has {len(same)} lists named {excerpt(name, 80)}, and one of them is used: give the export the id "
        "of the list that is meant."
    ]


def taken(name: str) -> UserMustAct:
    """Campaign Monitor has the name, but not in this very spelling."""
    return UserMustAct(
        "target_name_taken",
        f"Campaign Monitor has a list whose name is nearly {excerpt(name, 80)}: give the export that list's id, or "
        "another name.",
    )


def warnings(details: Details) -> list[str]:
    found = []
    if details.confirmed_opt_in:
        found.append(
            "The list is confirmed opt-in: Campaign Monitor sends everyone who is added an e-mail, and they get no "
            "campaigns before they confirm. Choose a single opt-in list to avoid that."
        )
    if details.ignores_suppression:
        found.append(
            "The list's unsubscribe setting leaves the client's suppression list aside; people on it are not added "
            "all the same."
        )
    return found
