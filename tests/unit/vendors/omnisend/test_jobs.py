"""The text that the journal keeps of a staged batch."""

from __future__ import annotations

from shared.vendors.contract import ACKNOWLEDGED, Outcome, Receipt, Retry
from shared.vendors.omnisend.staging import BatchJob

REJECTED = Receipt(Outcome.REJECTED, "invalid_email", "no", Retry.WHEN_CHANGED)
UNKNOWN = Receipt(Outcome.UNKNOWN, "no_answer", "silence")


def test_nothing_is_lost_on_the_way_through_the_journal() -> None:
    receipts = {3: REJECTED, 4: ACKNOWLEDGED, 9: REJECTED, 10: REJECTED, 12: UNKNOWN}
    job = BatchJob([0, 1, 2], {"b1": [5, 7], "b2": [6]}, [8, 11], receipts, again=True, sent_at=1_800_000_000)
    found = BatchJob.parse(job.text())
    assert (found.unsent, found.waiting, found.ready) == ([0, 1, 2], {"b1": [5, 7], "b2": [6]}, [8, 11])
    assert (found.receipts, found.again, found.sent_at) == (receipts, True, 1_800_000_000)
    assert not found.done


def test_a_full_batch_is_a_short_text() -> None:
    waiting = {f"6921a0cf10cf217478ba93{part:02}": range(100 * part, 100 * part + 100) for part in range(10)}
    assert len(BatchJob(waiting=waiting, sent_at=1_800_000_000).text()) < 600


def test_a_job_is_done_when_nobody_waits_for_anything() -> None:
    assert BatchJob(receipts={0: REJECTED}).done
    assert not BatchJob(ready=[0]).done
    assert not BatchJob(waiting={"b1": [0]}).done
    assert not BatchJob(unsent=[0]).done
