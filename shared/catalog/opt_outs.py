"""Where people who opted out at a vendor are landed, and what for. Pure."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, Field, StringConstraints

from shared.catalog.shapes import Strict, printable
from shared.wording import say

_CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
_NO_FOLDER = frozenset({"", ".", ".."})


def _place(text: str) -> str:
    """Raises ValueError for what is no folder of a container."""
    container, *folders = text.split("/")
    if not _CONTAINER.fullmatch(container) or not folders or _NO_FOLDER & set(folders):
        raise ValueError(say("Write a container and a folder in it, as lake/opt-outs/shop."))
    return text


Place = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=300, pattern=r"^[^?#\\]*$"),
    AfterValidator(printable),
    AfterValidator(_place),
]


class OptOutsWanted(Strict):
    """What is done about people who unsubscribed, bounced, were suppressed or deleted at the vendor."""

    location: Place = Field(
        description="Container and folder, `lake/opt-outs/shop`, in the storage account that segments land in. They "
        "are landed there as a Common Data Model folder and as Parquet. The folder is this connection's alone."
    )
    daily: bool = Field(default=True, description="Read them every day; else only when somebody asks for it.")
    exclude: bool = Field(
        default=False,
        description="No export, on whatever connection, delivers to them; the location has to lie where segments are "
        "looked for.",
    )

    @property
    def container(self) -> str:
        return self.location.partition("/")[0]

    @property
    def folder(self) -> str:
        return self.location.partition("/")[2]


def table_of(connection: str) -> str:
    """Name of the table that a connection's people are landed in; of the segment, where segments are looked for."""
    return f"OptOuts_{connection.replace('-', '_')}"


def segment_of(connection: str, wanted: OptOutsWanted) -> str:
    """Id of that segment."""
    return f"{wanted.location}:{table_of(connection)}"


def overlap(one: str, other: str) -> bool:
    """Whether one of two places is in the other, or is the same."""
    first, second = f"{one}/", f"{other}/"
    return first.startswith(second) or second.startswith(first)
