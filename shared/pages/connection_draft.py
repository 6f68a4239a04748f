"""The form of a connection: definition -> what the form shows -> definition, and the credentials that were typed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from shared.access.person import SharedWith
from shared.catalog.issues import Issue
from shared.catalog.models import Connection, ConnectionInput
from shared.pages.export_draft import setting_shown, settings_of
from shared.pages.forms import Values, text
from shared.vendors.contract import Definition, Setting
from shared.wording import Message, reader, say, translations

TYPED, NAMED, KEPT = "typed", "named", "kept"
"""How a credential is given: typed here, by the name of a Key Vault secret, or as it was before."""


@dataclass(frozen=True, slots=True)
class CredentialDraft:
    """`value` was typed: it goes to Key Vault and is never put into a page again."""

    how: str = TYPED
    secret: str = ""
    value: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class OptOutsDraft:
    """Where people who opted out are landed; nowhere without a location."""

    location: str = ""
    daily: bool = True
    exclude: bool = False

    def values(self) -> dict[str, Any] | None:
        """What is to be saved of it."""
        return {"location": self.location, "daily": self.daily, "exclude": self.exclude} if self.location else None


@dataclass(frozen=True, slots=True)
class ConnectionDraft:
    """Everything that the form holds, as text."""

    vendor: str = ""
    display_name: str = ""
    shared_with: str = SharedWith.ADMINISTRATORS
    settings: Mapping[str, str] = field(default_factory=dict)
    credentials: Mapping[str, CredentialDraft] = field(default_factory=dict)
    rate_budget: str = "75"
    agreed: bool = False
    decided: frozenset[str] = frozenset()
    """Settings and choices that somebody answers for: `new_people.subscribed`."""
    disabled: bool = False
    opt_outs: OptOutsDraft = OptOutsDraft()
    version: str = ""

    @property
    def typed(self) -> dict[str, str]:
        """Credentials to write to Key Vault."""
        return {name: each.value for name, each in self.credentials.items() if each.how == TYPED and each.value}


def draft_of(connection: Connection, version: str) -> ConnectionDraft:
    """What the form shows of a connection."""
    wanted = connection.opt_outs
    return ConnectionDraft(
        vendor=connection.vendor,
        display_name=connection.display_name,
        shared_with=connection.shared_with,
        settings={name: setting_shown(value) for name, value in connection.settings.items()},
        credentials={name: CredentialDraft(KEPT, secret) for name, secret in connection.secrets.items()},
        rate_budget=f"{connection.rate_budget * 100:g}",
        agreed=connection.consent is not None,
        decided=frozenset(f"{name}.{each.choice}" for name, each in connection.decisions.items()),
        disabled=connection.disabled,
        opt_outs=OptOutsDraft(wanted.location, wanted.daily, wanted.exclude) if wanted else OptOutsDraft(),
        version=version,
    )


def draft_from(values: Values) -> ConnectionDraft:
    """What the form sent."""
    credentials, settings = values.get("credentials"), values.get("settings")
    given = credentials if isinstance(credentials, dict) else {}
    return ConnectionDraft(
        vendor=text(values, "vendor"),
        display_name=text(values, "display_name"),
        shared_with=text(values, "shared_with") or SharedWith.ADMINISTRATORS,
        settings={name: str(value) for name, value in (settings if isinstance(settings, dict) else {}).items()},
        credentials={
            name: CredentialDraft(text(each, "how") or TYPED, text(each, "secret"), text(each, "value"))
            for name, each in given.items()
            if isinstance(each, dict)
        },
        rate_budget=text(values, "rate_budget") if "rate_budget" in values else "75",
        agreed=text(values, "agreed") == "on",
        decided=frozenset(_ticked(values)),
        disabled=text(values, "disabled") == "on",
        opt_outs=OptOutsDraft(
            text(values, "opt_outs_location").strip(),
            text(values, "opt_outs_daily") == "on" or "opt_outs_location" not in values,
            text(values, "opt_outs_exclude") == "on",
        ),
        version=text(values, "version"),
    )


def without_values(draft: ConnectionDraft) -> ConnectionDraft:
    """As it may be shown again: a typed credential never is."""
    return replace(draft, credentials={name: replace(each, value="") for name, each in draft.credentials.items()})


def input_of(
    draft: ConnectionDraft, definition: Definition | None, before: Connection | None, consent: Mapping[str, str] | None
) -> dict[str, Any]:
    """What is to be saved, for ConnectionInput to validate. `consent` is what was agreed to, by whom."""
    kept = before.secrets if before else {}
    named = {name: each.secret for name, each in draft.credentials.items() if each.how == NAMED and each.secret}
    # A typed one keeps the name of its secret, or gets one when it is written.
    still = {name: kept[name] for name, each in draft.credentials.items() if each.how in (KEPT, TYPED) and name in kept}
    signed_in = {definition.oauth.credential} if definition and definition.oauth else set[str]()
    still |= {name: secret for name, secret in kept.items() if name in signed_in and not (named or draft.typed)}
    return {
        "display_name": draft.display_name,
        "vendor": draft.vendor,
        "shared_with": draft.shared_with,
        "settings": settings_of(draft.settings, definition.settings if definition else ()),
        "secrets": {**still, **named},
        "rate_budget": _percent(draft.rate_budget),
        "consent": consent if draft.agreed else None,
        "decisions": _decisions(draft, definition, before) if definition else {},
        "disabled": draft.disabled,
        "opt_outs": draft.opt_outs.values(),
    }


def _ticked(values: Values) -> Iterator[str]:
    decided = values.get("decided")
    for setting, choices in (decided if isinstance(decided, dict) else {}).items():
        for choice, ticked in (choices if isinstance(choices, dict) else {}).items():
            if ticked == "on":
                yield f"{setting}.{choice}"


def _decisions(draft: ConnectionDraft, definition: Definition, before: Connection | None) -> dict[str, Any]:
    """What is decided by what was chosen and ticked, in the words that the person reads; an old decision stays as it
    was recorded."""
    found: dict[str, Any] = {}
    for setting in definition.settings:
        choice = draft.settings.get(setting.name, "")
        if choice in setting.decisions and f"{setting.name}.{choice}" in draft.decided:
            old = before.decisions.get(setting.name) if before else None
            same = old is not None and old.choice == choice
            text = old.text if old and same else translations(reader()).gettext(setting.decisions[choice])
            found[setting.name] = {"choice": choice, "text": text}
    return found


def missing(draft: ConnectionDraft, sent: ConnectionInput, definition: Definition) -> list[Issue]:
    """Required credentials that are neither typed nor named; none is, where people may sign in at the vendor."""
    if definition.oauth:
        return []
    given = {*sent.secrets, *draft.typed}
    lacking = [each for each in definition.credentials if each.required and each.name not in given]
    return [
        Issue(f"/secrets/{each.name}", say("This is required: %(what)s.", what=Message(each.label))) for each in lacking
    ]


def typable(definition: Definition) -> list[Setting]:
    """Credentials that people type; the one that signing in gives is not."""
    signing_in = definition.oauth.credential if definition.oauth else ""
    return [each for each in definition.credentials if each.name != signing_in]


def defaults(definition: Definition) -> dict[str, str]:
    """Settings of a new connection."""
    return {each.name: setting_shown(each.default) for each in definition.settings if each.default is not None}


def _percent(value: str) -> Any:
    try:
        return float(value.replace(",", ".")) / 100
    except ValueError:
        return value
