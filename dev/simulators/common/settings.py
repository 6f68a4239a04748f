"""The switches that every simulator has; a vendor's own are fields of a subclass."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from dev.simulators.common.journal import Keep
from dev.simulators.common.windows import Rate


class Settings(BaseModel):
    """Read anew at every call, so a change holds from the next one on.

    `latency_fixed` and `latency_per_row` are seconds between the work and the answer. `rates` maps an
    endpoint ("METHOD /template") or "any" to what one account may call. `retry_after` is how a 429 tells
    when to come back. With more calls than `most_in_flight` under way, a further one gets a 429 that does not
    tell. `journal` is what an entry keeps beside the counts.
    """

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    latency_fixed: float = Field(default=0.0, ge=0)
    latency_per_row: float = Field(default=0.0, ge=0)
    rates: dict[str, Rate] = Field(default_factory=dict)
    retry_after: Literal["absent", "seconds", "http_date"] = "absent"
    most_in_flight: int | None = Field(default=None, ge=1)
    journal: Keep = "addresses"


SettingsT = TypeVar("SettingsT", bound=Settings)


def changed(settings: SettingsT, changes: Mapping[str, Any]) -> SettingsT:
    """A copy with `changes`; a table is merged into the old one, and a null takes its row out.

    Raises `pydantic.ValidationError` for an unknown name or a value that does not fit.
    """
    values = settings.model_dump()
    for name, value in changes.items():
        if isinstance(value, Mapping) and isinstance(values.get(name), Mapping):
            merged = {**values[name], **value}
            values[name] = {key: row for key, row in merged.items() if row is not None}
        else:
            values[name] = value
    return type(settings).model_validate(values)
