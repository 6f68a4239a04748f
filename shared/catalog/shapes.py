"""What definitions are made of: strict objects, and texts with a length."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, StringConstraints

from shared.wording import say

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def printable(text: str) -> str:
    """Raises ValueError where the text has control characters."""
    if _CONTROL.search(text):
        raise ValueError(say("Remove the control characters (tabs, line breaks)."))
    return text


Reference = Annotated[str, StringConstraints(min_length=1, max_length=400), AfterValidator(printable)]
Column = Annotated[str, StringConstraints(min_length=1, max_length=200), AfterValidator(printable)]


class Strict(BaseModel):
    """Frozen, and nothing that it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
