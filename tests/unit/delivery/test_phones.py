"""What people write as a telephone number becomes its international form, or nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import duckdb
import pytest
from phonenumbers import PhoneMetadata

from shared.delivery.plan import phones

LONDON = "+442079460000"

ANYWHERE = [
    *(
        (written, LONDON)
        for written in (
            *("+442079460000", "00442079460000", "+44 20 7946 0000", "+44-20-7946-0000", "+44.20.7946.0000"),
            *(
                "+44 (20) 7946/0000",
                "+44\u00a020\u20117946\u20150000",
                "+44\t20\u20037946\u20100000",
                " +44207946 0000",
            ),
            *("+44 (0)20 7946 0000", "0044(0)20 7946 0000", "+44 (0) 20 7946 0000", "+44 020 7946 0000"),
        )
    ),
    ("+39 06 6982 000", "+39066982000"),
    ("+39 (0)6 6982 000", "+39066982000"),
    ("0039(0)6 6982 000", "+39066982000"),
    ("+378 (0)549 886377", "+3780549886377"),
    ("+34 (0)911 234 567", "+34911234567"),
    ("0034 (0) 911 234 567", "+34911234567"),
    ("+1 (201) 555-0123", "+12015550123"),
    ("+1 340 642 3456", "+13406423456"),
    ("+7 912 345-67-89", "+79123456789"),
    ("+36 1 234 5678", "+3612345678"),
    ("+247 62889", "+24762889"),
    *(
        (written, None)
        for written in (
            *("2079460000", "02079460000", "44 2079460000", "+44", "+", "", "+442079460000 ext 5", "+44 20 7946 000o"),
            *("+44207946", "+44207946000000", "+999 1234567", "+0442079460000", "++442079460000", "+44,2079460000"),
            *("+44 (0)", "x+442079460000", "+1 201 555 012", "+1 201 555 01234"),
        )
    ),
]
IN_A_COUNTRY = [
    ("GB", "020 7946 0000", LONDON),
    ("GB", "20 7946 0000", LONDON),
    ("GB", "(020) 7946-0000", LONDON),
    ("GB", "+49 30 1234567", "+49301234567"),
    ("GB", "00 49 30 1234567", "+49301234567"),
    ("GB", "011 49 30 1234567", None),
    ("GB", "12", None),
    ("US", "201-555-0123", "+12015550123"),
    ("US", "1 (201) 555-0123", "+12015550123"),
    ("US", "011 44 20 7946 0000", LONDON),
    ("US", "0044 20 7946 0000", LONDON),
    ("US", "020 7946 0000", None),
    ("DE", "030 1234567", "+49301234567"),
    ("AU", "0011 44 20 7946 0000", LONDON),
    ("AU", "00 1 415 555 0123", "+14155550123"),
    ("AU", "(02) 9876 5432", "+61298765432"),
    ("KR", "001 44 20 7946 0000", LONDON),
    ("KR", "00 1 201 555 0123", "+12015550123"),
    ("HU", "06 1 234 5678", "+3612345678"),
    ("RU", "8 912 345-67-89", "+79123456789"),
    ("RU", "800 123-45-67", "+78001234567"),
    ("RU", "810 44 20 7946 0000", LONDON),
    ("IT", "06 6982 000", "+39066982000"),
    ("ES", "911 234 567", "+34911234567"),
    ("ES", "0911 234 567", None),
    ("DK", "32 12 34 56", "+4532123456"),
    ("SM", "0549 886377", "+3780549886377"),
]
CASES = [*(("", *each) for each in ANYWHERE), *IN_A_COUNTRY]


@cache
def international() -> list[str | None]:
    """What becomes of all cases, asked for at once: a query of each takes longer."""
    asked = [phones.international(f"c{number}", country) for number, (country, *_) in enumerate(CASES)]
    columns = ", ".join(f"${number + 1}::VARCHAR AS c{number}" for number in range(len(CASES)))
    with duckdb.connect() as database:
        query = f"SELECT {', '.join(asked)} FROM (SELECT {columns})"
        found = database.execute(query, [written for _, written, _ in CASES]).fetchone()
    assert found is not None
    return list(found)


@pytest.mark.parametrize(
    ("place", "number"), [(place, each[2]) for place, each in enumerate(CASES)], ids=[f"{c}-{w}" for c, w, _ in CASES]
)
def test_a_number_has_one_form(place: int, number: str | None) -> None:
    assert international()[place] == number


def test_an_empty_cell_is_no_number() -> None:
    with duckdb.connect() as database:
        query = f"SELECT {phones.international('c', 'GB')} FROM (SELECT NULL::VARCHAR AS c)"
        assert database.execute(query).fetchone() == (None,)


def test_numbers_of_most_countries_are_known_and_a_country_is_named_by_two_letters() -> None:
    assert {"GB", "US", "DE", "SE", "RO", "JP", "BR", "ZA", "AC"} <= phones.COUNTRIES
    assert all(len(each) == 2 for each in phones.COUNTRIES)
    assert len(phones.COUNTRIES) > 240


@pytest.mark.parametrize("country", ["UK", "ZZ", "001"])
def test_numbers_of_an_unknown_country_are_refused(country: str) -> None:
    with pytest.raises(ValueError, match="not known"):
        phones.international("c", country)


def examples() -> Iterator[tuple[str, str]]:
    """What libphonenumber gives as an example of each country's numbers, as people write it, and its one form."""
    for country in sorted(phones.COUNTRIES):
        of = PhoneMetadata.metadata_for_region(country)
        for kind in (of.fixed_line, of.mobile) if of else ():
            if of and kind and kind.example_number:
                code, number = of.country_code, kind.example_number
                form = f"+{code}{number}"
                yield from ((form, form), (f"00{code} {number}", form), (f"+{code} ({number[:2]}) {number[2:]}", form))
                if number.startswith("0"):
                    yield f"+{code} (0){number[1:]}", form
                elif of.national_prefix == "0":
                    yield from ((f"+{code} (0){number}", form), (f"+{code} 0{number}", form))


def test_numbers_of_every_country_have_one_form_however_they_are_written() -> None:
    written, forms = zip(*examples(), strict=True)
    with duckdb.connect() as database:
        query = f"SELECT {phones.international('c')} FROM (SELECT unnest($1::VARCHAR[]) AS c)"
        found = [row[0] for row in database.execute(query, [list(written)]).fetchall()]
    wrong = [each for each in zip(written, forms, found, strict=True) if each[1] != each[2]]
    assert not wrong
    assert len(written) > 1_500
