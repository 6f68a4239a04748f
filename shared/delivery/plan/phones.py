"""Telephone numbers as SQL: what people write -> the international form, such as `+441632960000` (E.164). Pure.

Calling codes, lengths and prefixes are those of Google's libphonenumber. A number is taken that may exist by its
length; whether it does is not looked up.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, SUPPORTED_REGIONS, PhoneMetadata, PhoneNumberDesc

from shared.delivery.sql import literal

COUNTRIES = frozenset(SUPPORTED_REGIONS)
"""ISO 3166-1 codes of countries whose numbers are known."""

_BETWEEN_DIGITS = r"[\s\p{Z}().\-/\x{2010}-\x{2015}]"
_WITH_TRUNK_ZERO = r"^((?:\+|00)[^0]*)\(0\)"
"""`+44 (0)1632 960000`: a zero that is dialled inside the country only."""


def international(cell: str, country: str = "") -> str:
    """The number in its international form, NULL where the cell holds none. Without a `country` (ISO 3166-1), numbers
    have to begin with + or 00."""
    own = f"regexp_replace({cell}, {literal(_own_zeros())}, '\\1 0')"
    bare = f"regexp_replace({own}, '{_WITH_TRUNK_ZERO}', '\\1')"
    number = f"regexp_replace({bare}, '{_BETWEEN_DIGITS}', '', 'g')"
    forms = [_dialled(number, prefix) for prefix in _abroad(country)]
    if country:
        forms.append(_at_home(number, country))
    return f"coalesce({', '.join(forms)})"


def _dialled(number: str, prefix: str) -> str:
    """A number behind + or this prefix; NULL where its calling code has none of its length."""
    coded = f"regexp_replace({number}, '^(?:{prefix})', '+')"
    coded = f"regexp_replace({coded}, {literal(_trunk_zeros())}, '\\1')"
    return f"CASE WHEN regexp_full_match({coded}, {literal(_possible())}) THEN {coded} END"


def _at_home(number: str, country: str) -> str:
    """A number as it is dialled inside the country."""
    metadata = _of(country)
    pattern = _numbers(metadata).national_number_pattern
    rest = f"regexp_replace({number}, '^{metadata.national_prefix}', '')" if metadata.national_prefix else number
    return (
        f"CASE WHEN regexp_full_match({number}, '{pattern}') THEN '+{metadata.country_code}' || {number} "
        f"WHEN regexp_full_match({rest}, '{pattern}') THEN '+{metadata.country_code}' || {rest} END"
    )


def _abroad(country: str) -> Sequence[str]:
    """What is dialled before a calling code: 00, as people write it, and then the country's own, such as 0011."""
    own = _of(country).international_prefix if country else ""
    return tuple(dict.fromkeys(filter(None, ("00", own))))


@cache
def _own_zeros() -> str:
    """A zero in brackets that is part of the number, as in Italy."""
    kinds = ((code, kind) for code, each in _each() for kind in (each.fixed_line, each.mobile))
    codes = {str(code) for code, kind in kinds if kind and (kind.example_number or "").startswith("0")}
    return rf"^((?:\+|00)(?:{'|'.join(sorted(codes))})[^0-9]*)\(0\)"


@cache
def _trunk_zeros() -> str:
    codes = {str(code) for code, each in _each() if each.national_prefix == "0"}
    return rf"^(\+(?:{'|'.join(sorted(codes))}))0"


@cache
def _possible() -> str:
    """Every calling code with the lengths that numbers behind it have."""
    lengths: dict[int, set[int]] = {}
    for code, each in _each():
        lengths.setdefault(code, set()).update(_numbers(each).possible_length)
    numbers = (
        rf"{code}(?:{'|'.join(f'[0-9]{{{length}}}' for length in sorted(found))})"
        for code, found in sorted(lengths.items())
    )
    return rf"\+(?:{'|'.join(numbers)})"


def _each() -> Iterator[tuple[int, PhoneMetadata]]:
    for code, regions in COUNTRY_CODE_TO_REGION_CODE.items():
        for region in regions:
            if region in COUNTRIES:
                yield code, _of(region)


def _numbers(metadata: PhoneMetadata) -> PhoneNumberDesc:
    found = metadata.general_desc
    assert found is not None, "every country has numbers"
    return found


def _of(country: str) -> PhoneMetadata:
    found = PhoneMetadata.metadata_for_region(country)
    if found is None:
        raise ValueError("numbers of this country are not known")
    return found
