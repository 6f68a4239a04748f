"""A value that its field cannot hold costs the value, not the person: whoever is refused for it is sent without it.

Facts: Iterable contract, sections 4 and 6.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import orjson

from shared.vendors.batches import Part, Reading
from shared.vendors.contract import CONFIRMED, Row
from shared.vendors.iterable import receipts, types
from shared.vendors.ready import some

AskFields = Callable[[], Mapping[str, str]]


@dataclass(slots=True)
class Misfits:
    """The people of one batch who are sent a second time. `ask` tells the project's fields and their types."""

    rows: Sequence[Row]
    ask: AskFields
    shorter: dict[int, Row] = field(default_factory=dict)
    """Row, by index, without the values that do not fit."""
    _left_out: dict[int, tuple[str, ...]] = field(default_factory=dict)

    def rows_of(self, part: Part) -> Sequence[Row]:
        """The people of a part as they are sent."""
        rows, shorter = self.rows, self.shorter
        return [shorter.get(index, rows[index]) for index in part] if shorter else some(rows, part)

    def read(self, part: Part, reading: Reading) -> Reading:
        """The same reading: some people get a second try, and of those who had one it says what was left out."""
        settled = dict(reading.receipts)
        refused = [place for place, receipt in settled.items() if receipt.code in receipts.MISFITS]
        second = [place for place in refused if part[place] not in self.shorter]
        if second:
            known = self.ask()
            for place in second:
                self._shorten(part[place], known)
                del settled[place]
        reading = replace(reading, again=[*reading.again, second] if second else reading.again)
        if self.shorter:
            open_places = reading.asks_again()
            for place, index in enumerate(part):
                told = place not in open_places and settled.get(place, reading.rest) == CONFIRMED
                if told and index in self.shorter:
                    settled[place] = replace(receipts.LEFT_OUT, left_out=self._left_out[index])
        return replace(reading, receipts=settled)

    def _shorten(self, index: int, known: Mapping[str, str]) -> None:
        """Without the values that certainly do not fit; where all may fit, without any."""
        values = orjson.loads(self.rows[index].values)
        out = {name for name, value in values.items() if value is not None and not types.fits(known.get(name), value)}
        self._left_out[index] = tuple(sorted(out or (name for name, value in values.items() if value is not None)))
        kept = {name: value for name, value in values.items() if name not in out} if out else {}
        self.shorter[index] = self.rows[index]._replace(values=orjson.dumps(kept).decode(), entry=None)
