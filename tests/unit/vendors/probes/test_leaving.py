"""What a probe leaves behind: nobody deleted, unsubscribed or suppressed, and no list, tag or field of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from shared.vendors.canaries import Canaries, is_canary, is_ours
from shared.vendors.probing import questions
from tests.kits import KITS
from tests.unit.vendors.probes.account import Account, Killed, account

VENDORS = sorted(name for name in KITS if questions(name))
WRITING = [name for name in VENDORS if name not in ("klaviyo", "mailchimp")]
"""The others' probes only read: neither people nor lists could be taken away again."""
STRANGER = "stranger@example.net"
HARMFUL = (
    "unsubscribe.json",
    "suppress.json",
    "contacts/unsubscribe",
    "contacts/delete-all",
    "contacts/v3/delete",
    "DELETE /v2/address-books/{id}/contacts",
    "DELETE /contacts/v3",
    "DELETE /api/users",
    "resubscribe",
    "forget",
)
HARMS = {
    "iterable": ("channel_unsubscribe_calls", "created_by_unsubscribe", "resubscribes"),
    "dotdigital": KITS["dotdigital"].consent_counts,
    "campaign-monitor": KITS["campaign-monitor"].consent_counts,
    "klaviyo": KITS["klaviyo"].consent_counts,
    "mailchimp": KITS["mailchimp"].consent_counts,
    # Tags are overwritten on canaries, to see whether they are.
    "omnisend": ("welcome_messages", "resubscribes"),
}


def furnish(probed: Account) -> None:
    """A person on a list whose name is nearly a probe's, and somebody who unsubscribed."""
    name = probed.kit.list_name("Segment-exports probes")
    gone = probed.kit.unsubscribed("gone@example.net", name)
    fields = {"FIRSTNAME": "Old"} if probed.kit.name == "dotdigital" else {}
    probed.tell(
        "people",
        {
            "lists": [{"name": name}],
            "people": [{"email": STRANGER, "lists": [name], "dataFields": fields}, *gone["people"]],
        },
    )


def own_lists(probed: Account) -> list[str]:
    """Lists of probes that are there, and tags that somebody has."""
    lists = probed.state()["lists"]
    return [
        each["name"]
        for each in lists
        if (is_ours(each["name"]) or each["name"].lower().startswith("segment-exports-probe")) and not _empty_tag(each)
    ]


def _empty_tag(shown: dict[str, Any]) -> bool:
    return "members" in shown and shown["members"] == 0 and shown["id"] == shown["name"]


@pytest.mark.parametrize("vendor", VENDORS)
def test_nobody_is_deleted_unsubscribed_or_suppressed_and_nobody_else_is_touched(vendor: str) -> None:
    with account(vendor) as probed:
        furnish(probed)
        before = probed.state()
        probed.probe()
        after = probed.state()
        assert {name: after[name] for name in HARMS[vendor]} == {name: before[name] for name in HARMS[vendor]}
        assert [call for call in probed.called() if any(word in call for word in HARMFUL)] == []
        assert all(is_canary(address) for address in probed.touched() if "@" in address)
        assert probed.left == ""
        assert own_lists(probed) == []
        assert after["people"] >= before["people"]
        assert [each["name"] for each in before["lists"]] == [
            each["name"] for each in after["lists"] if not each["name"].lower().startswith("segment-exports-probe")
        ]


@pytest.mark.parametrize("vendor", VENDORS)
def test_no_field_of_the_account_is_made(vendor: str) -> None:
    with account(vendor) as probed:
        if vendor == "iterable":  # where fields come with the first who has them
            probed.tell("people", {"people": [{"email": STRANGER, "dataFields": {"firstName": "Old"}}]})
        fields = probed.state().get("fields")
        probed.probe()
        assert probed.state().get("fields") == fields


@pytest.mark.parametrize("vendor", VENDORS)
def test_what_is_kept_between_slices_names_nobody(vendor: str) -> None:
    with account(vendor) as probed:
        found = probed.probe()
        kept = json.dumps(probed.facts) + repr(found)
        assert "@" not in kept
        assert "example.com" not in kept


def killer(probed: Account, every: int) -> Callable[[], None]:
    """Dies at every n-th save, before anything is kept of it."""
    kept = {"saves": 0}

    def save() -> None:
        kept["saves"] += 1
        if kept["saves"] % every == 0:
            raise Killed
        probed.stored = json.dumps(probed.facts)

    return save


def go_on(probed: Account) -> None:
    probed.facts = json.loads(probed.stored)


@pytest.mark.parametrize("vendor", VENDORS)
def test_a_probe_that_keeps_dying_ends_with_the_same_answers(vendor: str) -> None:
    with account(vendor) as probed:
        expected = {each: finding.answer for each, finding in probed.probe().items()}
    with account(vendor) as probed:
        probed.saved = killer(probed, every=4)
        for _ in range(200):
            try:
                found = probed.probe()
                break
            except Killed:
                go_on(probed)
        assert {each: finding.answer for each, finding in found.items()} == expected
        assert own_lists(probed) == []


@pytest.mark.parametrize("after", [2, 6, 11])
@pytest.mark.parametrize("vendor", WRITING)
def test_what_a_dead_probe_left_is_cleared_away_by_the_next_one(vendor: str, after: int) -> None:
    with account(vendor) as probed:
        probed.saved = killer(probed, every=after)
        with pytest.raises(Killed):
            probed.probe()
        probed.facts, probed.mark, probed.saved = {}, "fedcba", lambda: None
        probed.probe(late=True)
        assert own_lists(probed) == []


@pytest.mark.parametrize("vendor", [name for name in WRITING if name != "omnisend"])
def test_a_list_that_looks_like_a_probes_is_left_alone_when_somebody_else_is_on_it(vendor: str) -> None:
    name = "segment-exports probe 123abc"
    with account(vendor) as probed:
        probed.tell("people", {"lists": [{"name": name}], "people": [{"email": STRANGER, "lists": [name]}]})
        probed.probe()
        [kept] = [each for each in probed.state()["lists"] if each["name"] == name]
        assert str(kept["id"]) in probed.left
        assert STRANGER in probed.inspect(f"lists/{kept['id']}/members").text


def test_a_tag_of_the_probes_stays_on_people_who_are_no_canaries() -> None:
    with account("omnisend") as probed:
        probed.tell("people", {"people": [{"email": STRANGER, "lists": ["segment-exports-probe"]}]})
        probed.probe()
        members = probed.inspect("lists/segment-exports-probe/members").text
        assert [json.loads(line)["address"] for line in members.splitlines()] == [STRANGER]


@pytest.mark.parametrize(
    ("base", "address"),
    [
        ("ana@example.com", "ana+segment-exports-probe-0a1b2c-1@example.com"),
        (" Ana@Example.com ", "ana+segment-exports-probe-0a1b2c-1@example.com"),
        ("canary.example.com", "segment-exports-probe-0a1b2c-1@canary.example.com"),
    ],
)
def test_canaries_are_made_of_what_the_user_names(base: str, address: str) -> None:
    assert Canaries(base, "0a1b2c")[1] == address
    assert is_canary(address)
    assert not is_canary(base.strip())
