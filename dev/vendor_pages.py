"""python -m dev.vendor_pages: bring the tables of docs/vendors/<vendor>.md up to date, which come from the code.

What stands between two marks is made here; everything else is written by hand. A vendor without a page gets one with
the headings and the tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from shared.vendors.contract import Definition, Fit
from shared.vendors.registry import DEFINITIONS

PAGES = Path(__file__).parents[1] / "docs" / "vendors"
_BLOCK = re.compile(r"(<!-- made: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def fields(definition: Definition) -> Iterator[str]:
    yield "| field | type | takes | an empty cell can clear it |"
    yield "| --- | --- | --- | --- |"
    yield f"| `{definition.email_field}` | address | | |"
    for each in definition.fields:
        if each.name != definition.email_field:
            clears = "yes" if each.clears else "no"
            yield f"| `{each.name}`: {each.label} | {each.type} | {_takes(each.fit)} | {clears} |"
    if definition.custom_fields:
        yield f"| any other | as matched | {_custom(definition)} | {'yes' if definition.custom_clears else 'no'} |"


def _takes(fit: Fit) -> str:
    """In words, what a field takes of the values of its type."""
    said = [
        f"one of {', '.join(fit.choices)}" if fit.choices else "",
        f"{'cut to' if fit.cut else 'at most'} {fit.longest:,} characters" if fit.longest else "",
        "the day alone" if fit.day else "",
        f"{fit.first_day} to {fit.last_day}"
        if (fit.first_day, fit.last_day) != (Fit().first_day, Fit().last_day)
        else "",
        f"numbers of {fit.digits} digits" if fit.digits is not None else "",
        f"and {fit.decimals} behind the point" if fit.decimals is not None else "",
    ]
    return "; ".join(part for part in said if part)


def _custom(definition: Definition) -> str:
    name = f"a name of {definition.custom_name_rule}" if definition.custom_name_rule else ""
    return "; ".join(part for part in (name, _takes(definition.custom_fit)) if part)


def reserved(definition: Definition) -> Iterator[str]:
    names = sorted(definition.reserved_fields, key=str.casefold)
    yield ", ".join(f"`{name}`" for name in names) + "." if names else "None."


def limits(definition: Definition) -> Iterator[str]:
    yield "| what | limit |"
    yield "| --- | --- |"
    for rate in definition.rates:
        source = "published" if rate.published else "ours: none is published"
        number = f"the setting `{rate.setting}`" if rate.setting else f"{rate.requests:g}"
        endpoints = ", ".join(f"`{each}`" for each in rate.endpoints)
        yield f"| {endpoints} | {number} in {rate.seconds:g} seconds ({source}) |"
    yield f"| people of a segment | {definition.max_profiles:,} |"
    if definition.minutes_per_million:
        yield f"| a million new people, as [measured](../performance.md) | {definition.minutes_per_million:g} minutes |"
    yield f"| people of a batch | {definition.batch_rows:,}, {definition.concurrency} batches at once |"
    if definition.most_jobs:
        yield f"| jobs of ours under way | {definition.most_jobs} |"
    if definition.longest_list_name:
        yield f"| name of a {definition.target_word} | {definition.longest_list_name} characters |"
    yield f"| people whom a full check-up reads | {definition.most_members:,} |"
    told = ", ".join(definition.opt_outs) or "nobody"
    yield f"| who comes back as an [opt-out](../opt-outs.md) | {told} |"


def unconfirmed(definition: Definition) -> Iterator[str]:
    if not definition.questions:
        yield "Nothing."
        return
    yield "| question | a probe |"
    yield "| --- | --- |"
    for each in definition.questions:
        yield f"| {each.asks} | {f'does not try it: {each.not_tried}' if each.not_tried else 'tries it'} |"


BLOCKS: Mapping[str, Callable[[Definition], Iterator[str]]] = {
    "fields": fields,
    "reserved": reserved,
    "limits": limits,
    "unconfirmed": unconfirmed,
}
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "What we send": ("fields",),
    "What we never send": ("reserved",),
    "People who said no": (),
    "Limits": ("limits",),
    "What could not be confirmed": ("unconfirmed",),
}


def filled(text: str, definition: Definition) -> str:
    """The page with all its tables as the code has them now."""

    def block(match: re.Match[str]) -> str:
        lines = "".join(f"{line}\n" for line in BLOCKS[match[2]](definition))
        return f"{match[1]}\n{lines}\n{match[3]}"

    return _BLOCK.sub(block, text)


def empty(definition: Definition) -> str:
    """A page with headings and tables, for a vendor that has no page yet."""
    parts = [f"# {definition.label}\n"]
    for heading, blocks in HEADINGS.items():
        parts += [f"## {heading}\n", *(f"<!-- made: {each} -->\n<!-- end -->\n" for each in blocks)]
    return "\n".join(parts)


def page_of(definition: Definition) -> Path:
    return PAGES / f"{definition.name}.md"


def main() -> None:
    for definition in DEFINITIONS.values():
        page = page_of(definition)
        text = page.read_text(encoding="utf-8") if page.exists() else empty(definition)
        page.write_text(filled(text, definition), encoding="utf-8")


if __name__ == "__main__":
    main()
