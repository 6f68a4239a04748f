"""A delivery that has not begun gives way to forgetting somebody, so that there is a moment for it between two of them.

What begins afterwards plans from a ledger without the person. One that began before has a plan, or staged rows, with
the person perhaps: forgetting waits for its end (`shared/delivery/erase/ledgers.py`), and it waits for nobody.
"""

from __future__ import annotations

from shared.delivery.state import forgetting_marks, layout
from shared.delivery.work import Work
from shared.errors import RetryAfter
from shared.wording import say

SECONDS = 15.0


def give_way(work: Work) -> None:
    """Raise RetryAfter where somebody is to be forgotten from the target first."""
    marks = forgetting_marks.requests(work.memory())
    if not marks or work.run.kind.only_looks or any(work.cloud.blobs.names(work.folder)):
        return
    if any(work.cloud.blobs.exists(layout.forgetting(each)) for each in marks):
        raise RetryAfter(SECONDS, say("A person is being forgotten first."))
