"""What can go wrong at a vendor: how it comes, what a marketer is told, and how it is mended. One row each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from dev.simulators.iterable import STANDARD_KEY as ITERABLE_KEY
from dev.simulators.klaviyo import REVISION as KLAVIYO_REVISION
from dev.simulators.klaviyo import STANDARD_KEY as KLAVIYO_KEY
from dev.simulators.mailchimp import STANDARD_KEY as MAILCHIMP_KEY
from dev.simulators.omnisend import STANDARD_KEY as OMNISEND_KEY
from shared.delivery.state.records import State
from tests.integration.delivery.engine import Engine, secret_name

Act = Callable[[Engine], None]


@dataclass(frozen=True)
class Misfortune:
    """`strike` comes in the middle of the first run, or with `before` ahead of it; `mend` takes its cause away.

    `words` have to be in what the run tells people. `rebuild`: a person has to ask for the list to be made anew.
    """

    vendor: str
    name: str
    strike: Act
    mend: Act
    state: State
    words: tuple[str, ...]
    before: bool = False
    rebuild: bool = False
    targets: list[Mapping[str, Any]] = field(default_factory=lambda: [{"segments": ["Loyal"]}])

    def __str__(self) -> str:
        return f"{self.vendor}: {self.name}"


def setting(**changes: Any) -> Act:
    return lambda engine: engine.tell("settings", changes)


def loaded(**content: Any) -> Act:
    return lambda engine: engine.tell("people", content)


def nothing(engine: Engine) -> None:
    """The cause is gone by itself."""


def other_secret(engine: Engine) -> None:
    """The vendor accepts another secret only, and Key Vault has the old one."""
    engine.revoked = engine.kit.new_secret(engine)  # type: ignore[attr-defined]  # kept for the mending


def stored_secret(engine: Engine) -> None:
    secrets: Any = engine.cloud.secrets
    for credential, value in engine.revoked.items():  # type: ignore[attr-defined]  # by other_secret
        secrets.rotated[secret_name(credential)] = value


def drop_lists(engine: Engine) -> None:
    """Directly, since no call is under way between two slices."""
    vendor: Any = engine.simulator.vendor
    owner = {"iterable": "project", "campaign-monitor": "client"}.get(engine.kit.name, "account")
    owned = getattr(vendor, owner)()
    if engine.kit.name == "mailchimp":
        for tag in [*owned.first.segments.values()]:
            owned.first.delete_segment(tag)
        return
    lists = owned.lists
    for number in [each for each, found in lists.items() if not getattr(found, "reserved", False)]:
        del lists[number]


def drop_city(engine: Engine) -> None:
    vendor: Any = engine.simulator.vendor
    account = vendor.account()
    del getattr(account, "first", account).fields["CITY"]


def of_type(kind: str) -> Act:
    def change(engine: Engine) -> None:
        vendor: Any = engine.simulator.vendor
        vendor.project().types["city"] = kind

    return change


def given(list_id: str) -> list[Mapping[str, Any]]:
    return [{"segments": ["Loyal"], "list_id": list_id, "existing": "adopt"}]


HEX = "a58ee1d3039b8bec838e6d1482a8a965"
CITY = {"name": "CITY", "type": "String"}

MISFORTUNES = [
    *(
        Misfortune(vendor, "credentials revoked", other_secret, stored_secret, State.FAILED, words)
        for vendor, words in {
            "iterable": ("API key", "check that it is complete"),
            "dotdigital": ("API user and password", "check both"),
            "campaign-monitor": ("API key", "copy it again"),
            "omnisend": ("API key", "nobody deleted it"),
            "klaviyo": ("private API key", "nobody deleted it"),
            "mailchimp": ("API key", "nobody revoked it"),
        }.items()
    ),
    Misfortune(
        "iterable",
        "credentials disabled",
        setting(keys={ITERABLE_KEY: {"disabled": True}}),
        setting(keys={ITERABLE_KEY: {}}),
        State.FAILED,
        ("API key", "disabled"),
    ),
    Misfortune(
        "omnisend",
        "credentials lose a permission",
        setting(keys={OMNISEND_KEY: {"scopes": ["brands.read", "contacts.read"]}}),
        setting(keys={OMNISEND_KEY: {}}),
        State.FAILED,
        ("API key lacks a permission", "contacts.write"),
    ),
    Misfortune(
        "klaviyo",
        "credentials lose a permission",
        setting(keys={KLAVIYO_KEY: {"scopes": ["accounts:read", "lists:read", "profiles:read"]}}),
        setting(keys={KLAVIYO_KEY: {}}),
        State.FAILED,
        ("may not do all that exports need", "profiles:write"),
    ),
    Misfortune(
        "mailchimp",
        "credentials lose a permission",
        setting(keys={MAILCHIMP_KEY: {"role": "viewer"}}),
        setting(keys={MAILCHIMP_KEY: {}}),
        State.FAILED,
        ("does not let this connection do that", "may change the audience"),
    ),
    Misfortune(
        "klaviyo",
        "revision retired",
        setting(revisions={KLAVIYO_REVISION: "retired"}),
        setting(revisions={KLAVIYO_REVISION: "current"}),
        State.FAILED,
        ("no longer serves revision", "newer release"),
    ),
    Misfortune(
        "klaviyo",
        "import cancelled",
        setting(next_job_statuses=["cancelled"]),
        nothing,
        State.WARNINGS,
        ("cancelled in Klaviyo",),
    ),
    *(
        Misfortune(
            vendor, "list deleted", drop_lists, nothing, State.FAILED, ("deleted the list", "rebuild"), rebuild=True
        )
        for vendor in ("iterable", "dotdigital", "campaign-monitor", "klaviyo", "mailchimp")
    ),
    *(
        Misfortune(
            vendor,
            "unknown list",
            nothing,
            loaded(lists=[{"id": int(list_id) if list_id == "999" else list_id, "name": "Loyal"}]),
            State.FAILED,
            words,
            before=True,
            targets=given(list_id),
        )
        for vendor, list_id, words in (
            ("iterable", "999", ("list 999", "does not exist in Iterable")),
            ("dotdigital", "999", ("list 999", "does not exist in Dotdigital")),
            ("campaign-monitor", HEX, ("no such list in Campaign Monitor", "deleted")),
            ("klaviyo", "Gone99", ("list Gone99", "does not exist in Klaviyo")),
            ("mailchimp", "999", ("list 999", "does not exist in Mailchimp")),
        )
    ),
    Misfortune(
        "dotdigital",
        "field deleted",
        drop_city,
        loaded(fields=[CITY]),
        State.FAILED,
        ("no data field CITY", "Create missing data fields"),
        before=True,
    ),
    Misfortune(
        "mailchimp",
        "field deleted",
        drop_city,
        loaded(fields=[{"tag": "CITY", "name": "City", "type": "text"}]),
        State.FAILED,
        ("no merge field for CITY", "Create missing merge fields"),
        before=True,
    ),
    Misfortune(
        "dotdigital",
        "field deleted in the middle",
        drop_city,
        loaded(fields=[CITY]),
        State.WARNINGS,
        ("a field was deleted in Dotdigital", "data matching"),
    ),
    Misfortune(
        "dotdigital",
        "field of another type in the middle",
        loaded(fields=[{"name": "CITY", "type": "Numeric"}]),
        loaded(fields=[CITY]),
        State.WARNINGS,
        ("another type", "data matching"),
    ),
    Misfortune(
        "iterable",
        "field of another type in the middle",
        of_type("long"),
        of_type("string"),
        State.WARNINGS,
        ("another type", "data matching"),
    ),
    Misfortune(
        "iterable",
        "project out of fields",
        setting(unique_fields=1),
        setting(unique_fields=1000),
        State.FAILED,
        ("cannot take more fields", "limit raised"),
        before=True,
    ),
    Misfortune(
        "dotdigital",
        "account out of contacts",
        setting(contact_limit=10),
        setting(contact_limit=None),
        State.WARNINGS,
        ("beyond the contacts", "have the limit raised"),
    ),
    Misfortune(
        "dotdigital",
        "import rejected by the watchdog",
        setting(next_import_statuses=["RejectedByWatchdog"]),
        nothing,
        State.WARNINGS,
        ("watchdog stopped the whole import", "Dotdigital support"),
    ),
]
