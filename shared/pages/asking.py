"""What a list's address asks for."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query

from shared.control.listing import Asked

_Text = Annotated[str, Query(max_length=200)]


def _asked(
    q: _Text = "",
    vendor: _Text = "",
    state: _Text = "",
    schedule: _Text = "",
    owner: _Text = "",
    tag: _Text = "",
    sort: _Text = "",
    page: Annotated[int, Query(ge=1, le=100_000)] = 1,
) -> Asked:
    return Asked(q.strip(), vendor, state, schedule, owner, tag, sort, page)


TheAsked = Annotated[Asked, Depends(_asked)]
