"""Whatever is in the queue: what is no message is told to the host, what means nothing is dropped; nothing changes."""

from __future__ import annotations

from typing import Any

import pytest

from shared.delivery import inbox
from shared.delivery.messages import BadMessage
from tests.corpus.message_cases import NOT_MESSAGES, OF_NOTHING_KNOWN
from tests.integration.delivery.engine import Engine


@pytest.mark.parametrize("name", NOT_MESSAGES)
def test_what_is_no_message_is_refused_and_kept_as_poison(lab: Engine, name: str) -> None:
    body = NOT_MESSAGES[name]
    with pytest.raises(BadMessage) as caught:
        inbox.receive(lab.cloud, body)
    assert len(str(caught.value)) < 100, "it quotes the message"
    before = _rows(lab)
    message = f"poison-{list(NOT_MESSAGES).index(name)}"
    inbox.give_up(lab.cloud, body, message)
    assert lab.cloud.blobs.exists(f"poison/{message}.json")
    assert _rows(lab) == before


@pytest.mark.parametrize("name", OF_NOTHING_KNOWN)
def test_a_message_about_nothing_known_changes_nothing(lab: Engine, reached: set[str], name: str) -> None:
    before = _rows(lab)
    inbox.receive(lab.cloud, OF_NOTHING_KNOWN[name])
    assert _rows(lab) == before
    assert lab.queue.receive_message() is None
    assert all(each.startswith("127.0.0.1") for each in reached)


def _rows(lab: Engine) -> list[Any]:
    """All but the notices: that a message was set aside is told."""
    tables = (lab.cloud.runs, lab.cloud.targets, lab.cloud.exports)
    rows = (row for table in tables for row in table.scan("", {}))
    return [row for row in rows if not str(row.entity["RowKey"]).startswith("notice:")]
