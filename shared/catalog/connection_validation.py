"""What is wrong with a connection, judged by its vendor's definition. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from shared.catalog.issues import Issue, pointer
from shared.catalog.models import ConnectionInput, SettingValue
from shared.vendors.contract import Definition, FieldType, Setting
from shared.wording import Message, say

SECRET_NAME = re.compile(r"[A-Za-z0-9-]{1,127}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_HEX = re.compile(r"(?=.*\d)[0-9a-f]{20,}", re.IGNORECASE)
_TURNS = re.compile(r"(?<=[A-Za-z])(?=\d)|(?<=\d)(?=[A-Za-z])")
"""Between a letter and a digit: random text has many such places, a name has one or two."""

_WORDS = {
    FieldType.STRING: say("Write a text, in quotes."),
    FieldType.INTEGER: say("Write a whole number."),
    FieldType.NUMBER: say("Write a number."),
    FieldType.BOOLEAN: say("Write true or false."),
    FieldType.DATE: say("Write a date as YYYY-MM-DD."),
}


def connection_issues(connection: ConnectionInput, definitions: Mapping[str, Definition]) -> list[Issue]:
    """Everything that forbids saving it."""
    definition = definitions.get(connection.vendor)
    if definition is None:
        return [Issue("/vendor", say("Choose one of %(choices)s.", choices=", ".join(sorted(definitions))))]
    return [
        *_settings(connection, definition),
        *_decisions(connection, definition),
        *_secrets(connection, definition),
        *_opt_outs(connection, definition),
    ]


def _opt_outs(connection: ConnectionInput, definition: Definition) -> Iterator[Issue]:
    if connection.opt_outs and not definition.opt_outs:
        yield Issue(
            "/opt_outs",
            say(
                "%(vendor)s does not tell who opted out, so nobody can be landed: leave the place for opt-outs empty.",
                vendor=definition.label,
            ),
        )


def _settings(connection: ConnectionInput, definition: Definition) -> Iterator[Issue]:
    return setting_issues(connection.settings, definition.settings, definition.label)


def _decisions(connection: ConnectionInput, definition: Definition) -> Iterator[Issue]:
    """Choices that somebody has to answer for, and nobody does; and decisions about nothing."""
    asking = tuple(setting for setting in definition.settings if setting.decisions)
    yield from _names("decisions", connection.decisions, asking, definition.label)
    for setting in asking:
        chosen = connection.settings.get(setting.name, setting.default)
        decided = connection.decisions.get(setting.name)
        if chosen in setting.decisions and (decided is None or decided.choice != chosen):
            yield Issue(
                pointer(["decisions", setting.name]),
                say(
                    "Somebody has to decide this for %(choice)s: record the decision with its text.",
                    choice=str(chosen),
                ),
            )


def setting_issues(given: Mapping[str, SettingValue], known: tuple[Setting, ...], vendor: str) -> Iterator[Issue]:
    """What is wrong with the settings of a connection or an export."""
    yield from _names("settings", given, known, vendor)
    for setting in known:
        if setting.name not in given:
            if setting.required and setting.default is None:
                yield Issue(
                    pointer(["settings", setting.name]), say("This is required: %(what)s.", what=Message(setting.label))
                )
            continue
        if wrong := _value_problem(setting, given[setting.name]):
            yield Issue(pointer(["settings", setting.name]), wrong)


def _secrets(connection: ConnectionInput, definition: Definition) -> Iterator[Issue]:
    """None of them is required: they may follow, typed or by signing in at the vendor, once there is a connection."""
    yield from _names("secrets", connection.secrets, definition.credentials, definition.label)
    for credential, secret in connection.secrets.items():
        if wrong := _secret_problem(secret):
            yield Issue(pointer(["secrets", credential]), wrong)
    oauth = definition.oauth
    if oauth and oauth.credential in connection.secrets and len(connection.secrets) > 1:
        instead = say("Signing in takes the place of all other credentials: name either this one or the others.")
        yield Issue(pointer(["secrets", oauth.credential]), instead)


def _names(part: str, given: Iterable[str], known: tuple[Setting, ...], vendor: str) -> Iterator[Issue]:
    """Names that the vendor does not know."""
    names = [setting.name for setting in known]
    for name in given:
        if name not in names:
            yield Issue(
                pointer([part, name]),
                say("%(vendor)s has no such entry; it knows %(names)s.", vendor=vendor, names=_listed(names)),
            )


def _listed(names: list[str]) -> str:
    return ", ".join(sorted(names)) or "none"


def _value_problem(setting: Setting, value: SettingValue) -> str | None:
    if not _is(setting.type, value):
        return _WORDS[setting.type]
    if setting.required and value == "":
        return say("This is required: %(what)s.", what=Message(setting.label))
    if setting.choices and value not in setting.choices:
        return say("Choose one of %(choices)s.", choices=", ".join(setting.choices))
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _range_problem(setting, value)
    return None


def _range_problem(setting: Setting, value: float) -> str | None:
    if setting.minimum is not None and value < setting.minimum:
        return say("Write a number of at least %(number)s.", number=setting.minimum)
    if setting.maximum is not None and value > setting.maximum:
        return say("Write a number of at most %(number)s.", number=setting.maximum)
    return None


def _is(wanted: FieldType, value: SettingValue) -> bool:
    if wanted is FieldType.BOOLEAN or isinstance(value, bool):
        return wanted is FieldType.BOOLEAN and isinstance(value, bool)
    if wanted is FieldType.DATE:
        return isinstance(value, str) and _is_date(value)
    types = {FieldType.STRING: str, FieldType.INTEGER: int, FieldType.NUMBER: (int, float)}
    return isinstance(value, types[wanted])  # type: ignore[arg-type]  # a table of types and tuples of types


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _secret_problem(name: str) -> str | None:
    """The value itself is never quoted: it may be the secret."""
    if not SECRET_NAME.fullmatch(name):
        return say("Write the name of a Key Vault secret (1 to 127 letters, digits, hyphens), never the secret itself.")
    if _looks_like_a_secret(name):
        return say(
            "This looks like the secret itself. Put it into Key Vault, change it at the vendor if it was real, and "
            "write the Key Vault secret's name here."
        )
    return None


def _looks_like_a_secret(text: str) -> bool:
    """API keys: UUIDs, long hexadecimal runs, and long runs that keep changing between letters and digits."""
    if _UUID.fullmatch(text):
        return True
    return any(_HEX.fullmatch(part) or _is_random(part) for part in text.split("-"))


def _is_random(part: str) -> bool:
    return len(part) >= 16 and len(_TURNS.findall(part)) >= 4
