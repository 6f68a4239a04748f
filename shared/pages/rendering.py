"""Templates -> answers, with what every page needs to know."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, partial
from pathlib import Path
from typing import Any

from fastapi import Request, Response
from fastapi.responses import HTMLResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from shared.access.actions import Action, may
from shared.access.audit import Change
from shared.catalog import derived
from shared.catalog.schedule_words import in_words
from shared.control.runs import MOST_LOOKED_AT
from shared.delivery.plan import small_start
from shared.pages import assets, labels
from shared.pages.formats import Formats
from shared.pages.plain_words import of_page
from shared.wording import LANGUAGES, reader, rendered, translations

TEMPLATES = Path(__file__).parent / "templates"


@cache
def environment(language: str) -> Environment:
    """Templates in a language."""
    words = translations(language)
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_translations(words, newstyle=True)  # type: ignore[attr-defined]  # the extension adds it
    made.filters.update(Formats(language, words).filters())
    foreign = _english if language != "en" else escape
    made.filters["said"] = lambda message: rendered(of_page(message), language, escape=escape, foreign=foreign)
    made.filters["zipped"] = lambda texts: [(each, each) for each in texts]
    made.globals.update(asset=assets.address, Action=Action, language=language, languages=LANGUAGES, in_words=in_words)
    made.globals.update(
        states=labels.STATES,
        steps=labels.STEPS,
        kinds=labels.KINDS,
        triggers=labels.TRIGGERS,
        outcomes=labels.OUTCOMES,
        retry_words=labels.RETRIES,
        operations=labels.OPERATIONS,
        decisions=labels.DECISIONS,
        foreseen=labels.FORESEEN,
        few_first=small_start.PEOPLE,
        compared=labels.COMPARED,
        sharing=labels.SHARING,
        opt_out_kinds=labels.OPT_OUT_KINDS,
        counts=labels.COUNTS,
        verdicts=labels.VERDICTS,
        weekdays=labels.WEEKDAYS,
        deeds=labels.DEEDS,
        types=labels.TYPES,
        most_looked_at=MOST_LOOKED_AT,
        audited=labels.AUDITED,
        guards=labels.GUARDS,
        area_verdicts=labels.AREA_VERDICTS,
    )
    made.globals.update(
        taken=derived.TAKEN,
        done=derived.DONE,
        made_in_words=derived.in_words,
        separators=labels.SEPARATORS,
        otherwise=labels.OTHERWISE,
        date_orders=labels.DATE_ORDERS,
        date_patterns=tuple(derived.DatePattern),
    )
    return made


def _english(text: str) -> Markup:
    """What has no translation, such as a vendor's own words, marked as English so that it is read out as that."""
    return Markup('<span lang="en">{}</span>').format(text)


def page(
    request: Request, template: str, *, status: int = 200, headers: Mapping[str, str] | None = None, **values: Any
) -> Response:
    """A page, or the part of one that the template makes."""
    person = request.state.person
    known = {
        "person": person,
        "local_mode": request.state.local_mode,
        "csrf_token": request.state.csrf_token,
        "may": partial(may, person),
        "here": request.url.path + (f"?{request.url.query}" if request.method == "GET" and request.url.query else ""),
    }
    text = environment(reader()).get_template(template).render({**known, **values})
    return HTMLResponse(text, status, dict(headers or {}))


def go(to: str) -> Response:
    """Have the browser load another page after an htmx request."""
    return Response(status_code=204, headers={"HX-Redirect": to, "Cache-Control": "no-store"})


def make_known(request: Request, subject: str, look: Callable[[], Mapping[str, Any] | None]) -> None:
    """Tell the audit trail what a change is about, where the address of the request does not; before the change."""
    change: Change = request.state.change
    change.about(subject, look)


def not_saved(request: Request) -> None:
    """Tell the audit trail that the answer is a form again: nothing was changed."""
    change: Change = request.state.change
    change.refused = True
