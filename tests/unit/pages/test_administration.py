"""The administration: what administrators see and do there, and what others are told who open it."""

from __future__ import annotations

import re
from datetime import timedelta
from urllib.parse import urlencode

import pytest

from shared.access.actions import Action
from shared.access.audit import Change, ChangeOutcome
from shared.access.person import How, Person, Role
from shared.cloud import events
from shared.control.forgetting import RemainsView
from shared.delivery.erase.places import PLACES as ERASED_FROM
from shared.delivery.state.records import State
from shared.errors import RetryAfter
from shared.pages import audited, labels
from shared.vendors.contract import CheckResult
from shared.wording import say
from tests.unit.api.service import FORGOTTEN, FakeService, info, run
from tests.unit.catalog.samples import START
from tests.unit.pages.asking import client, page, post

PAGES = {
    "/administration": "see the administration",
    "/administration/check-up": "see the administration",
    "/administration/notifications": "see the administration",
    "/administration/audit": "read the audit trail",
    "/administration/forget": "see what is kept of a person",
}
ADDRESS = "ada@example.com"


def form(**fields: str) -> bytes:
    return urlencode(fields).encode()


def part(html: str, name: str) -> str:
    """The element of this id, with what is in it."""
    begun = re.search(rf'<(\w+)\b[^>]*\bid="{name}"', html)
    assert begun is not None
    deep = 0
    for tag in re.finditer(rf"<(/?){begun[1]}\b", html[begun.start() :]):
        deep += -1 if tag[1] else 1
        if not deep:
            return html[begun.start() : begun.start() + tag.start()]
    raise AssertionError(f"{name} is not closed")


def words(html: str) -> str:
    """What a reader gets to see of a page."""
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


@pytest.mark.parametrize("person", ["vera", "carl"])
@pytest.mark.parametrize(("path", "may"), PAGES.items())
def test_who_may_not_is_told_who_may(service: FakeService, person: str, path: str, may: str) -> None:
    answer = client(service, person).get(path)
    assert answer.status == 403
    assert f"Only administrators may {may}." in page(answer)
    assert "To the exports" in page(answer)


@pytest.mark.parametrize(("person", "shown"), [("ann", True), ("carl", False), ("vera", False)])
def test_the_navigation_shows_what_the_role_may_open(service: FakeService, person: str, shown: bool) -> None:
    html = page(client(service, person).get("/"))
    assert ('href="/administration"' in html) is shown
    assert 'href="/help"' in html


def test_the_administration_leads_to_each_of_its_pages(service: FakeService) -> None:
    html = page(client(service).get("/administration"))
    assert [path for path in PAGES if f'href="{path}"' not in html] == []


@pytest.mark.parametrize(
    ("person", "there", "absent"),
    [
        ("ann", ["First steps for administrators", "First steps with an export"], []),
        ("carl", ["First steps with an export", "Ask about a person"], ["First steps for administrators"]),
        ("vera", ["Find out what happened"], ["First steps", "Ask about a person"]),
    ],
)
def test_the_help_begins_with_the_steps_of_the_role(
    service: FakeService, person: str, there: list[str], absent: list[str]
) -> None:
    html = page(client(service, person).get("/help"))
    assert all(each in html for each in there)
    assert not any(each in html for each in absent)
    assert all(f"<dt>{word}</dt>" in html for word, _ in labels.WORDS)


# Check-up


def section(service: FakeService, title: str) -> str:
    sections = page(client(service).get("/administration/check-up")).split("<section")[1:]
    return next(text for each in sections if (text := words(f"<{each}")).startswith(title))


def test_a_check_up_of_what_is_well_says_so(service: FakeService) -> None:
    service.past = [run("r1")]
    for title in ("Connections", "Exports", "Segments", "Notifications"):
        assert section(service, title).startswith(f"{title} Works")


def test_what_there_is_none_of_is_not_said_to_work() -> None:
    assert section(FakeService(), "Exports").startswith("Exports There is none yet.")


@pytest.mark.parametrize(
    ("part", "name"), [("blobs", "Blob Storage"), ("queue", "Queue"), ("tables", "Tables"), ("key_vault", "Key Vault")]
)
def test_a_part_that_does_not_answer_is_named(service: FakeService, part: str, name: str) -> None:
    service.unready = {part: "It does not answer.", "other": ""}
    said = section(service, "What the app runs on")
    assert f"{name} It does not answer. Does not work" in said
    assert "1 in order" in said


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"disabled": True}, "It is disabled: no export runs on it. Look at it"),
        ({"consent": None}, "Nobody agreed yet: no export can use it. Look at it"),
    ],
)
def test_a_connection_that_cannot_be_used_is_told(service: FakeService, changes: dict[str, object], told: str) -> None:
    service.world.connect("other", account="acc-2", **changes)
    assert told in section(service, "Connections")


def test_a_connection_that_failed_its_check_says_why(service: FakeService) -> None:
    held = service.catalog.connection("marketing")
    service.catalog.record_check(held, CheckResult(False, say("The key is wrong."), code="bad_credentials"))
    assert "The key is wrong. Does not work" in section(service, "Connections")


@pytest.mark.parametrize(
    ("state", "told"), [(State.FAILED, "Its last run failed."), (State.BLOCKED, "Its run waits for a decision.")]
)
def test_an_export_that_needs_somebody_is_told(service: FakeService, state: State, told: str) -> None:
    service.past = [run("r1", state)]
    assert told in section(service, "Exports")


def test_a_segment_that_cannot_be_read_is_worse_where_an_export_has_it(service: FakeService) -> None:
    carried = next(number for number, each in enumerate(service.found) if each.id == "blob/ci:VIP")
    other = next(number for number in range(len(service.found)) if number != carried)
    info(service, other, problems=(say("Its folder is empty."),))
    assert section(service, "Segments").startswith("Segments Look at it")
    info(service, carried, problems=(say("Its folder is empty."),))
    assert section(service, "Segments").startswith("Segments Does not work")


def test_an_area_that_cannot_be_looked_at_is_a_trouble_of_its_own(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unreachable() -> None:
        raise RetryAfter(10, say("Storage does not answer."))

    monkeypatch.setattr(service, "segments", unreachable)
    assert "Storage does not answer." in section(service, "Segments")
    assert section(service, "Connections").startswith("Connections Works")


# Notifications


def test_what_is_set_for_notifications_is_shown_with_the_setting_that_changes_it(service: FakeService) -> None:
    said = words(page(client(service).get("/administration/notifications")))
    for shown in ("https://hooks.example", "NOTIFY_URL", "hook-key", "NOTIFY_SECRET", "REJECTED_SHARE", "15 min"):
        assert shown in said.replace("\u00a0", " ")


def test_where_nobody_is_notified_the_page_and_the_check_up_say_so(service: FakeService) -> None:
    service.notified = service.notified.model_copy(update={"receiver": None})
    html = page(client(service).get("/administration/notifications"))
    assert "nobody is notified" in html
    assert "Send a test notification" not in html
    assert "no receiver is set" in section(service, "Notifications")


def test_notifications_that_wait_are_counted(service: FakeService) -> None:
    service.notified = service.notified.model_copy(update={"waiting": 3, "waiting_since": START})
    assert "Not taken yet 3" in words(page(client(service).get("/administration/notifications")))
    assert "3 notifications were not taken yet." in section(service, "Notifications")


def test_a_test_notification_says_what_came_of_it_and_is_in_the_trail(service: FakeService) -> None:
    asked = client(service)
    assert "took the test notification" in page(post(asked, "/administration/notifications/test"))
    service.test_problem = say("The receiver answered with status %(status)s.", status="404")
    assert "The receiver answered with status 404." in page(post(asked, "/administration/notifications/test"))
    entries, _ = service.trail.page(10, None)
    assert [(each.action, each.outcome) for each in entries] == [
        (Action.TEST_NOTIFICATIONS, "refused"),
        (Action.TEST_NOTIFICATIONS, "done"),
    ]


def test_people_are_told_of_every_event_that_the_receiver_hears_of() -> None:
    notified = {event for event, kind in events.KINDS.items() if kind.notified}
    assert set(labels.EVENTS) == notified - {events.Event.NOTIFICATION_TEST}


# Audit trail


def record(service: FakeService, subject: str, before: dict[str, object], after: dict[str, object]) -> None:
    seen = iter([before, after])
    change = Change(subject, lambda: next(seen))
    ada = Person("u1", "Ada", frozenset({Role.ADMINISTRATOR}), How.SESSION)
    with service.trail.change(ada, Action.EDIT_EXPORT, change):
        pass


def test_the_trail_says_who_changed_what_from_what_to_what(service: FakeService) -> None:
    record(service, "export vips", {"mode": "mirror", "updated_by": "x"}, {"mode": "add", "updated_by": "y"})
    html = page(client(service).get("/administration/audit"))
    assert 'save exports: <a href="/exports/vips">export vips</a>' in html
    assert "<dt>People who leave the segment</dt><dd><del>mirror</del> → <ins>add</ins></dd>" in html
    assert "updated_by" not in html
    assert "Ada" in html


@pytest.mark.parametrize(
    ("subject", "address"),
    [
        ("export vips", "/exports/vips"),
        ("connection marketing", "/connections/marketing"),
        ("segment blob/ci:VIP & co", "/segments/blob/ci%3AVIP%20%26%20co"),
        ("run r1 of export vips", "/exports/vips/runs/r1"),
        ("", ""),
    ],
)
def test_what_was_changed_is_linked(service: FakeService, subject: str, address: str) -> None:
    record(service, subject, {}, {})
    [change], _ = service.trail.page(1, None)
    assert audited.entry(change, change.at).address == address


def test_an_entry_that_stays_begun_is_no_longer_called_under_way(service: FakeService) -> None:
    record(service, "export vips", {}, {})
    [change], _ = service.trail.page(1, None)
    begun = change.model_copy(update={"outcome": ChangeOutcome.BEGUN})
    assert audited.entry(begun, change.at + timedelta(minutes=14)).state == "begun"
    assert audited.entry(begun, change.at + timedelta(minutes=16)).state == "open"


def test_older_entries_are_on_pages_of_their_own(service: FakeService) -> None:
    for number in range(51):
        record(service, f"export e{number}", {}, {})
    first = page(client(service).get("/administration/audit"))
    assert ">export e50<" in first
    assert ">export e0<" not in first
    following = re.search(r'after=([^"]+)"', first)
    assert following
    second = page(client(service).get("/administration/audit", query={"after": following[1]}))
    assert ">export e0<" in second
    assert "Older" not in second


def test_a_place_in_the_trail_that_does_not_exist_is_said_in_words_of_the_page(service: FakeService) -> None:
    answer = client(service).get("/administration/audit", query={"after": "a b"})
    assert answer.status == 422
    assert "There is no such place in this list any more: begin with the newest." in page(answer)


# Forget a person


def test_forgetting_shows_first_what_is_kept_and_changes_nothing_by_that(service: FakeService) -> None:
    html = page(post(client(service), "/administration/forget/look", form(address=ADDRESS)))
    assert "1 list's record" in html
    assert "the files of 2 runs" in html
    assert "Forget this person for good" in html
    assert service.trail.page(10, None)[0] == []


def test_forgetting_says_what_was_erased_and_leaves_a_hash_alone_in_the_trail(service: FakeService) -> None:
    begun = post(client(service), "/administration/forget", form(address=ADDRESS))
    assert begun.headers["hx-redirect"] == f"/administration/forget/{FORGOTTEN.id}"
    html = page(client(service).get(begun.headers["hx-redirect"]))
    assert "Erased from the record of 1 list and from the files of 2 runs." in words(html)
    assert "hx-get" not in html.partition('id="forgetting"')[2].partition(">")[0]
    assert ADDRESS not in html
    [change], _ = service.trail.page(10, None)
    assert (change.action, change.outcome) == (Action.FORGET_PERSON, "done")
    assert ADDRESS not in change.model_dump_json()
    assert len(change.details["person"].partition(":")[2]) == 64


def test_how_far_a_request_is_shows_on_its_page_which_asks_again(service: FakeService) -> None:
    waits = say("Waits for the end of a run of '%(export)s'.", export="vips")
    service.forgotten = [FORGOTTEN.model_copy(update={"state": "running", "ended_at": None, "message": waits})]
    html = page(client(service).get(f"/administration/forget/{FORGOTTEN.id}"))
    assert "Waits for the end of a run of &#39;vips&#39;." in html
    assert f'hx-get="/administration/forget/{FORGOTTEN.id}?looks=1" hx-trigger="every 2s"' in html
    assert "The person is forgotten." not in html


def test_what_was_erased_and_what_remains_is_renewed_with_how_far_the_request_is(service: FakeService) -> None:
    service.forgotten = [FORGOTTEN.model_copy(update={"state": "running", "ended_at": None})]
    html = page(client(service).get(f"/administration/forget/{FORGOTTEN.id}"))
    renewed = part(html, "forgetting")
    for heading in ("What was erased", "What remains"):
        assert f"<h2>{heading}</h2>" in renewed


def test_what_could_not_be_erased_is_named_with_the_reason_and_until_when(service: FakeService) -> None:
    left = RemainsView(place="runs", what="vips/r1", why=say("It is damaged."), until=START)
    rest = RemainsView(place="", what="", why=say("It failed."))
    service.forgotten = [FORGOTTEN.model_copy(update={"state": "incomplete", "remains": (left, rest)})]
    said = words(page(client(service).get(f"/administration/forget/{FORGOTTEN.id}")))
    assert "Not everything was erased." in said
    assert "Runs, counted for each list ( vips/r1 ): It is damaged. It goes by itself: 2026-" in said
    assert "Everything that was not looked through: It failed." in said


def test_requests_are_listed_and_one_that_is_not_there_is_not_found(service: FakeService) -> None:
    html = page(client(service).get("/administration/forget"))
    assert f'href="/administration/forget/{FORGOTTEN.id}"' in html
    assert client(service).get("/administration/forget/nobody").status == 404


def test_every_place_that_people_are_erased_from_has_words() -> None:
    assert tuple(place for place, _ in labels.PLACES) == ERASED_FROM


def test_an_address_of_which_nothing_is_kept_is_not_forgotten_but_asked_about(service: FakeService) -> None:
    html = page(post(client(service), "/administration/forget/look", form(address="nobody@example.com")))
    assert "Is it spelled right?" in html
    assert "Forget this person for good" not in html


def test_a_look_that_takes_too_long_says_that_there_may_be_more(service: FakeService) -> None:
    service.looked_at_all = False
    for address in (ADDRESS, "nobody@example.com"):
        html = page(post(client(service), "/administration/forget/look", form(address=address)))
        assert "there may be more" in html
        assert "Forget this person for good" in html
        assert "Nothing is kept" not in html


@pytest.mark.parametrize("path", ["/administration/forget/look", "/administration/forget"])
@pytest.mark.parametrize("given", ["", " ", "a" * 321])
def test_what_is_no_address_is_refused_without_quoting_it(service: FakeService, path: str, given: str) -> None:
    answer = post(client(service), path, form(address=given))
    assert answer.status == 422
    assert "Write the e-mail address of the person." in page(answer)
    assert given.strip() == "" or given not in page(answer)


@pytest.mark.parametrize("person", ["vera", "carl"])
@pytest.mark.parametrize("path", ["forget/look", "forget", "notifications/test"])
def test_only_administrators_do_it(service: FakeService, person: str, path: str) -> None:
    assert post(client(service, person), f"/administration/{path}", form(address=ADDRESS)).status == 403
