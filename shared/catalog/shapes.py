"""What definitions are made of: strict objects, and texts with a length."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from shared.wording import say

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Raises ValueError where the text has control characters."""
    if _CONTROL.search(text):
        raise ValueError(say("Remove the control characters (tabs, line breaks)."))
    return text


def _with_numbers(country: str) -> str:
    from phonenumbers import SUPPORTED_REGIONS  # loading it takes longer than most requests

    if country and country not in SUPPORTED_REGIONS:
        raise ValueError(say("Telephone numbers of this country are not known."))
    return country


Reference = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]
PhoneCountry = Annotated[
    str,
    StringConstraints(pattern=r"^([A-Z]{2})?$"),
    AfterValidator(_with_numbers),
    Field(description="Country (ISO 3166-1, `GB`) of telephone numbers that are written without one; empty: none."),
]


class Strict(BaseModel):
    """Frozen, and nothing that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
