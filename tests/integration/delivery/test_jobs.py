"""What all kinds of jobs share: one of them that cannot be read keeps no other asleep."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from shared.cloud.settings import StorageAddress
from shared.delivery import inbox
from shared.delivery.state import layout
from shared.delivery.verify import verification
from shared.delivery.verify.verification import Verifying
from tests.integration.delivery.engine import engine

BROKEN = [
    pytest.param(layout.probe("iterable"), id="probe"),
    pytest.param(layout.verification("newsletter", "20261122-144501-123-9f3a", 0), id="verification"),
    pytest.param(layout.check_up("newsletter", 0), id="check-up"),
]


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"account": 7}'])
@pytest.mark.parametrize("blob", BROKEN)
def test_a_job_that_cannot_be_read_keeps_no_other_asleep(
    storage: StorageAddress, unique: str, blob: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    now = datetime.now(UTC)
    silent = Verifying(
        account="1",
        started=now.timestamp(),
        due=now.timestamp(),
        export="z",
        run="20261122-144501-123-9f3b",
        delivery=0,
    )
    with engine(storage, unique) as made:
        verification.KIND.write(made.cloud, silent)
        made.cloud.blobs.write(blob, body)
        assert inbox.wake(made.cloud, clock=lambda: now + timedelta(hours=1)) == 1
        assert blob in caplog.text
        assert made.cloud.blobs.exists(blob)
