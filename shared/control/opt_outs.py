"""Opt-outs of a connection as they are shown: where they land, how far they were read, and how many there are."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Literal, Self

from pydantic import Field

from shared.catalog.models import Connection
from shared.catalog.opt_outs import segment_of
from shared.control.views import View
from shared.delivery.opt_outs.record import OptOutReading, OptOutRecord
from shared.wording import Said


class ReadingView(View):
    """The latest reading of a vendor's rolls."""

    state: Literal["running", "ended", "failed"]
    started_at: datetime
    started_by: str = Field(description="Empty where the timer started it.")
    finished_at: datetime | None
    message: Said
    found: dict[str, int] = Field(description="What became of people -> how many were landed by it.")
    afresh: bool = Field(description="Whoever is found takes the place of all who were landed before.")
    lists_gone: tuple[str, ...] = Field(description="Ids of lists that are not there any more.")

    @classmethod
    def of(cls, made: OptOutReading) -> Self:
        return cls(
            state=made.state.value,
            started_at=datetime.fromtimestamp(made.started, UTC),
            started_by=made.started_by,
            finished_at=datetime.fromtimestamp(made.finished, UTC) if made.finished else None,
            message=made.message,
            found=made.found,
            afresh=made.afresh,
            lists_gone=made.lost,
        )


class OptOutsView(View):
    """What came back of a connection's opt-outs."""

    location: str | None = Field(description="Container and folder; `null` where they are not landed.")
    segment: str | None = Field(description="Id of the table that they are landed in, where segments are looked for.")
    people: int = Field(description="Rows that were landed, in all parts.")
    parts: int
    latest: ReadingView | None

    @classmethod
    def of(cls, connection: Connection, kept: OptOutRecord | None) -> Self:
        wanted = connection.opt_outs
        mine = kept if kept and wanted and kept.location == wanted.location else None
        return cls(
            location=wanted.location if wanted else None,
            segment=segment_of(connection.name, wanted) if wanted else None,
            people=mine.people if mine else 0,
            parts=len(mine.parts) if mine else 0,
            latest=ReadingView.of(mine.reading) if mine and mine.reading else None,
        )
