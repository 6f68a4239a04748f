"""Pages over HTTP: what each role sees and may press, and what every page says and forbids."""

from __future__ import annotations

import re
from dataclasses import replace
from html import unescape
from pathlib import Path

import pytest

from shared.app import create_app
from shared.catalog.rules import Rules, reasons
from shared.control.runs import Counts, FirstRunView, KeptBackView, PlannedView, Reason, Report, TargetRun
from shared.delivery.state.records import State
from shared.pages import assets
from shared.vendors.contract import CheckResult
from shared.wording import say
from tests.unit.api.asgi import Client
from tests.unit.api.callers import KnownCallers
from tests.unit.api.service import FakeService, run
from tests.unit.catalog.samples import ADMIN, LETTERBOX, START
from tests.unit.pages.asking import changed, client, page, post


def test_an_administrator_sees_every_button(service: FakeService) -> None:
    shown = page(client(service).get("/exports/vips"))
    for words in (">Run<", ">Dry run<", ">Edit<", ">Duplicate<", ">Remove<"):
        assert words in shown


def test_a_viewer_reads_and_presses_nothing(service: FakeService) -> None:
    service.past = [run("r2", State.BLOCKED), run("r1")]
    asked = client(service, "vera")
    for path in (
        "/",
        "/exports",
        "/exports/vips",
        "/exports/vips/runs/r2",
        "/segments",
        "/segments/blob/ci:VIP",
        "/connections",
    ):
        shown = page(asked.get(path))
        buttons = shown.count("<button") - shown.count('hx-post="/auth/logout"') - shown.count('role="search"')
        assert buttons == 0, path
    assert asked.get("/exports/vips/edit").status == 403
    assert asked.get("/connections/marketing").status == 403


def test_a_contributor_sees_names_and_types_of_connections_only(service: FakeService) -> None:
    shown = page(client(service, "carl").get("/connections"))
    assert "Marketing" in shown
    assert "Letterbox" in shown
    for hidden in ("letterbox-key", "Connected", "Add connection", "It reads segments in"):
        assert hidden not in shown


def test_a_contributor_edits_on_shared_connections_only(service: FakeService) -> None:
    service.world.connect("private", account="acc-2")
    service.world.save("secret-plans", connection="private")
    asked = client(service, "carl")
    listed = page(asked.get("/exports"))
    assert 'value="vips"' in listed
    assert 'value="secret-plans"' not in listed
    assert asked.get("/exports/vips/edit").status == 200
    assert asked.get("/exports/secret-plans/edit").status == 403
    assert "private" not in page(asked.get("/exports/new"))


def test_who_refuses_a_page_says_why_on_a_page(service: FakeService) -> None:
    answer = client(service, "vera").get("/exports/vips/edit")
    assert "Only administrators and contributors may save exports." in page(answer)


def test_a_refused_button_says_why_in_place(service: FakeService) -> None:
    answer = post(client(service), "/exports/nothing/pause")
    assert answer.status == 404
    assert answer.headers["hx-retarget"] == "#notices"
    assert "There is no export &#34;nothing&#34;." in page(answer)


def test_every_page_has_a_strict_policy_and_no_inline_code(service: FakeService) -> None:
    for path in ("/", "/exports/vips", "/exports/vips/edit", "/connections/new", "/segments"):
        answer = client(service).get(path)
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        shown = page(answer)
        assert "<style" not in shown
        assert " style=" not in shown
        assert " onclick=" not in shown
        assert shown.count("<script src=") == shown.count("<script")


def test_signing_out_may_lead_from_a_page_to_the_provider(service: FakeService) -> None:
    class Signed(KnownCallers):
        origin, issuer = "https://exports.example", "https://login.example/tenant/v2.0"

    asked = Client(create_app(service, Signed()), {"x-test-caller": "ann", "accept": "text/html"})
    policies = {asked.get(path).headers["content-security-policy"] for path in ("/", "/api/v1/me")}
    assert len(policies) == 1
    assert "form-action 'self' https://login.example;" in policies.pop()
    assert asked.get("/").headers["cache-control"] == "no-store"


def test_htmx_evaluates_nothing_and_asks_nobody_else(service: FakeService) -> None:
    shown = page(client(service).get("/"))
    for setting in ('"allowEval": false', '"allowScriptTags": false', '"selfRequestsOnly": true'):
        assert setting in shown


def test_names_are_never_markup(service: FakeService) -> None:
    service.world.save("sly", display_name='<script>alert("x")</script>', targets=[{"segments": ["blob/ci:Lapsed"]}])
    for path in ("/", "/exports", "/exports/sly", "/exports/sly/edit"):
        assert "<script>alert" not in page(client(service).get(path))


def test_assets_may_be_kept_for_ever_since_their_address_names_their_content(service: FakeService) -> None:
    path, _, mark = assets.address("style.css").partition("?v=")
    answer = client(service, "stranger").get(path, query={"v": mark})
    assert answer.status == 200
    assert "immutable" in answer.headers["cache-control"]
    assert client(service).get("/static/..%2Frouter.py").status == 404
    assert client(service).get("/static/nothing.css").status == 404


def test_htmx_is_the_published_one_with_its_licence_beside_it() -> None:
    published = Path(__file__).parents[3] / "node_modules" / "htmx.org"
    for own, original in (("htmx.min.js", "dist/htmx.min.js"), ("htmx.LICENSE.txt", "LICENSE")):
        assert (assets.FOLDER / own).read_bytes() == (published / original).read_bytes()
    assert (assets.FOLDER / "htmx.LICENSE.txt").read_text().startswith("Zero-Clause BSD")


@pytest.mark.parametrize(
    ("asked", "led"),
    [("/segments", "/segments"), ("https://evil.example", "/"), ("//evil.example", "/"), ("/\\e", "/")],
)
def test_the_switch_of_languages_leads_back_and_nowhere_else(service: FakeService, asked: str, led: str) -> None:
    answer = client(service).get("/language/sv", query={"next": asked})
    assert answer.headers["location"] == led
    assert answer.headers["set-cookie"].startswith("language=sv;")
    assert client(service).get("/language/xx").status == 404


def test_the_language_is_the_browsers_or_the_one_chosen(service: FakeService) -> None:
    assert '<html lang="ro">' in page(client(service, **{"accept-language": "ro"}).get("/"))
    assert '<html lang="sv">' in page(client(service, **{"accept-language": "ro", "cookie": "language=sv"}).get("/"))


def test_a_form_that_is_refused_changes_nothing_and_the_trail_says_so(service: FakeService) -> None:
    answer = post(client(service), "/exports/vips", b"display_name=")
    assert answer.status == 422
    assert service.catalog.export("vips").item.display_name == "VIPs"
    assert service.trail.page(1, None)[0][0].outcome == "refused"


def test_a_new_connection_is_in_the_trail_under_its_name(service: FakeService) -> None:
    form = b"vendor=plain&display_name=Plain+one&agreed=on"
    assert post(client(service), "/connections/new", form).status == 200
    record = service.trail.page(1, None)[0][0]
    assert (record.subject, record.outcome) == ("connection plain-one", "done")
    assert service.catalog.connection("plain-one").item.consent is not None


def test_a_segment_over_the_limit_is_warned_of_before_saving(service: FakeService) -> None:
    form = b"connection=marketing&targets.0.segments[]=blob/ci:VIP&guards.max_profiles="
    assert "More than the limit" not in page(post(client(service), "/exports/new/form", form + b"3"))
    shown = page(post(client(service), "/exports/new/form", form + b"2"))
    assert "More than the limit of 2 people" in shown
    assert "the run would be stopped before it sends anything" in shown


def test_a_new_export_begins_with_what_the_column_names_suggest(service: FakeService) -> None:
    shown = page(client(service).get("/exports/new", query={"segment": "blob/ci:VIP"}))
    assert '<option value="EMail" selected>' in shown
    assert '<option value="FIRSTNAME" selected>' in shown


def test_a_detached_export_says_so_and_offers_no_run(service: FakeService) -> None:
    held = service.catalog.export("vips")
    service.catalog.detach_export(held, ADMIN)
    shown = page(client(service).get("/exports/vips"))
    assert "This export has no connection." in shown
    assert ">Run<" not in shown
    assert "No connection" in page(client(service).get("/exports"))


def test_people_left_on_a_list_are_named_before_an_export_gives_it_up(service: FakeService) -> None:
    service.left = {"name:VIP": 12}
    form = changed(service, **{"targets.0.segments[]": "blob/ci:Lapsed"})
    shown = page(post(client(service), "/exports/vips", form))
    assert "12 people whom this export added are on its lists" in shown
    assert service.catalog.export("vips").item.segments == ("blob/ci:VIP",)
    assert "Saved." in page(post(client(service), "/exports/vips", form + b"&keep_members=on"))
    assert service.catalog.export("vips").item.segments == ("blob/ci:Lapsed",)


def test_what_saving_means_is_said_before_it_is_done(service: FakeService) -> None:
    service.left = {"name:VIP": 12}
    form = changed(service, **{"matching.0.when_empty": "clear"})
    answer = post(client(service), "/exports/vips", form)
    assert answer.status == 200
    assert "12 people are sent again by the next run" in page(answer)
    assert service.catalog.export("vips").item.matching[0].when_empty == "keep"
    assert service.trail.page(1, None)[0][0].outcome == "refused"
    assert "Saved." in page(post(client(service), "/exports/vips", form + b"&sure=on"))
    assert service.catalog.export("vips").item.matching[0].when_empty == "clear"
    assert service.trail.page(1, None)[0][0].outcome == "done"


def test_a_switched_account_asks_for_a_word_and_takes_it(service: FakeService) -> None:
    service.world.offer({"letterbox": replace(LETTERBOX, account_is_key=True)})
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    shown = page(post(client(service), "/connections/marketing/check"))
    assert "It does not work." in shown
    assert ">The same account<" in shown
    assert ">Another account<" in shown
    assert "Connected to Letterbox." in page(post(client(service), "/connections/marketing/check", b"switch=same"))
    assert service.catalog.connection("marketing").item.account == "acc-1"
    shown = page(post(client(service), "/connections/marketing/check", b"switch=other"))
    assert "belongs to another account: save it again." in unescape(shown)
    assert service.catalog.connection("marketing").item.account == "acc-2"


def test_a_vendor_that_tells_its_accounts_offers_no_same_account(service: FakeService) -> None:
    service.check = lambda: CheckResult(True, "Fine.", "acc-2")
    shown = page(post(client(service), "/connections/marketing/check"))
    assert ">The same account<" not in shown
    assert ">Another account<" in shown


def test_a_button_whose_run_was_not_started_says_so_on_the_page_of_the_other(service: FakeService) -> None:
    service.past = [run("r2", State.BLOCKED, connection="marketing"), run("r1", connection="marketing")]
    told = "Nothing was started (Dry run)"
    assert told in page(client(service).get("/exports/vips/runs/r2", query={"asked": "dry_run"}))
    assert told not in page(client(service).get("/exports/vips/runs/r2"))
    assert told not in page(client(service).get("/exports/vips/runs/r1", query={"asked": "dry_run"})), (
        "it has ended since"
    )


def blocked(service: FakeService) -> None:
    """A run that would take 600 people off, after one that took 2 off."""
    now = TargetRun(
        target="name:VIP",
        state=State.BLOCKED,
        plan="plan-1",
        counts=Counts(rows_read=43, refused_here=42, remove=600, kept_back=600),
    )
    then = TargetRun(target="name:VIP", state=State.SUCCEEDED, counts=Counts(rows_read=640, remove=2))
    service.past = [
        run("r2", State.BLOCKED, connection="marketing").model_copy(update={"targets": (now,)}),
        run("r1", connection="marketing").model_copy(update={"targets": (then,)}),
    ]
    rule = reasons(Rules.model_validate({"limit": {"first": 3, "by": "Score"}}))["limit"]
    service.plans[0] = PlannedView(
        members_before=602,
        refused={"This is not a valid e-mail address.": 42},
        kept_back=(KeptBackView(reason=rule, people=600),),
    )
    row = {"operation": "remove", "address": "leo@example.org", "values": {}, "reason": "Not in the segment any more."}
    kept_back = row | {"operation": "kept back", "reason": rule}
    service.samples[0] = [row, kept_back, row | {"operation": "refused", "address": "nobody"}]


def test_who_decides_sees_what_is_different_who_goes_and_why(service: FakeService) -> None:
    blocked(service)
    shown = unescape(page(client(service).get("/exports/vips/runs/r2")))
    for told in (
        "600 people would leave",
        "leo@example.org",
        "Not in the segment any more.",
        "<td>43</td><td>640</td>",
        "42 rows: This is not a valid e-mail address.",
        "Kept back by a rule: Is not among the first 3 by Score. 600 people",
        "600 people are kept back by rules",
        "Look at the column EMail of the segment",
        "/api/v1/exports/vips/runs/r2/planned.csv?target=0",
        "To add: 0. To change: 0. To remove: 600.",
    ):
        assert told in shown, told


def many_join(service: FakeService, add: int) -> str:
    """The page of a run that would add so many people at once."""
    now = TargetRun(target="name:VIP", state=State.BLOCKED, plan="plan-1", counts=Counts(rows_read=add, add=add))
    service.past = [run("r2", State.BLOCKED, connection="marketing").model_copy(update={"targets": (now,)})]
    notes = (say("%(new)s of %(looked)s looked up are new to %(vendor)s", new=181, looked=200, vendor="Klaviyo"),)
    asked = FirstRunView(people=add, members=0, looked_up=200, new=181, starts=None, minutes=3, requests=9, notes=notes)
    service.plans[0] = PlannedView(first_run=asked)
    return unescape(page(client(service).get("/exports/vips/runs/r2")))


def test_the_question_before_the_first_run_shows_its_numbers_and_offers_to_start_small(service: FakeService) -> None:
    shown = many_join(service, 48_211)
    assert "Very many people would join at once:" in shown
    assert "<li>181 of 200 looked up are new to Klaviyo</li>" in shown
    assert "Adds 500 people first; later runs add the others without asking." in shown
    assert 'name="decision" value="start_small"' in shown
    assert 'value="start_small"' not in many_join(service, 500), "nobody would be left for later"


def test_a_decision_to_start_small_is_sent_and_shown(service: FakeService) -> None:
    many_join(service, 48_211)
    page(post(client(service), "/exports/vips/runs/r2/decision", b"plan=plan-1&decision=start_small"))
    assert service.decided[-1]["decision"] == "start_small"


def test_who_may_not_see_people_sees_numbers_alone(service: FakeService) -> None:
    blocked(service)
    shown = page(client(service, "vera").get("/exports/vips/runs/r2"))
    assert "<td>43</td><td>640</td>" in shown
    for hidden in ("leo@example.org", "planned.csv", "/decision"):
        assert hidden not in shown


def test_a_run_says_who_started_it_and_who_decided_what(service: FakeService) -> None:
    decided = TargetRun(
        target="name:VIP", state=State.SUCCEEDED, decision="additions_only", decided_by="Ada", decided_at=START
    )
    service.past = [run("r1", connection="marketing").model_copy(update={"started_by": "Bo", "targets": (decided,)})]
    shown = page(client(service).get("/exports/vips/runs/r1"))
    assert "started by Bo" in shown
    assert "Ada decided: Additions only" in shown


def test_each_file_of_people_says_which_of_several_lists_it_is_about(
    service: FakeService, monkeypatch: pytest.MonkeyPatch
) -> None:
    lists = tuple(TargetRun(target=f"name:{name}", state=State.SUCCEEDED, list_name=name) for name in ("VIP", "Gold"))
    refused = Reason(target="name:VIP", outcome="refused here", code="no_address", reason=say("No address."), people=1)
    service.past = [run("r1", connection="marketing").model_copy(update={"targets": lists})]
    monkeypatch.setattr(service.runs, "report", lambda export, run: Report(run=service.past[0], reasons=(refused,)))
    shown = page(client(service).get("/exports/vips/runs/r1"))
    for file in ("holdout.csv", "rejected.csv"):
        for number, each in enumerate(("VIP", "Gold")):
            words = shown.partition(f"{file}?target={number}")[2].partition("</a>")[0]
            assert words.endswith(f": {each}"), file


def test_people_of_a_run_over_a_private_connection_are_not_shown_to_contributors(service: FakeService) -> None:
    service.world.connect("private", shared_with="administrators")
    service.past = [run("r2", connection="marketing"), run("r1", connection="private")]
    asked = client(service, "carl")
    assert "/explain" in page(asked.get("/exports/vips/runs/r2"))
    shown = page(asked.get("/exports/vips/runs/r1"))
    for hidden in ("/explain", "rejected.csv"):
        assert hidden not in shown


NONSENSE = [
    ("/exports/vips/run", b"kind=everything"),
    ("/exports/several", b"exports[]=vips&do=explode"),
    ("/exports/several", b"exports[]=vips&do=schedule&sure=on&schedule=kind"),
    ("/exports/vips", "targets.\u00b2.segments[]=x".encode()),
    ("/exports/vips", b"targets.0.segments.0.x=1"),
    ("/exports/vips", b"targets.0.segments=1&targets.0.segments[]=2"),
    ("/exports/vips", b"targets." + b"9" * 5000 + b".kind=id"),
    ("/exports/vips", b"x" + b".x" * 3000 + b"=1"),
    ("/exports/vips", b"x=1&" * 5001),
    ("/exports/vips/form", "do=remove-field:\u00b2".encode()),
    ("/exports/vips/form", "connection=marketing&guards.max_profiles=\u00b2".encode()),
    ("/exports/vips/check", b"target=" + b"9" * 5000),
    ("/exports/vips/runs/r1/decision", b"plan=plan-1&decision=perhaps"),
    ("/connections/marketing/remove", b"exports.vips=burn"),
    ("/connections/marketing/check", b"switch=perhaps"),
    ("/schedule/next", b"schedule=kind"),
]


@pytest.mark.parametrize(("path", "form"), NONSENSE)
def test_what_no_page_sends_is_refused_and_never_a_failure(service: FakeService, path: str, form: bytes) -> None:
    service.past = [run("r1", State.BLOCKED)]
    answer = post(client(service), path, form)
    assert answer.status < 500
    assert service.decided == []
    assert [held.item.name for held in service.catalog.exports.all()] == ["vips"]


def test_an_open_page_of_a_run_asks_less_and_less_often(service: FakeService) -> None:
    """Each look is billed as a second of an instance, and a run may take an hour."""
    service.past = [run("1", State.RUNNING, export="vips")]
    visitor, address, seconds = client(service), "/exports/vips/runs/1", [0]
    while seconds[-1] < 600:
        path, _, query = address.partition("?looks=")
        shown = page(visitor.get(path, query={"looks": query} if query else {}))
        [(address, wait)] = re.findall(r'hx-get="([^"]+/live[^"]*)" hx-trigger="every (\d+)s"', shown)
        seconds.append(seconds[-1] + int(wait))
    assert seconds[:8] == [0, 2, 4, 6, 8, 10, 15, 20]
    assert len([each for each in seconds if each <= 60]) == 16
    assert seconds[-1] - seconds[-2] == 10
