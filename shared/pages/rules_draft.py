"""The part of an export's form that says who is kept back: rules -> what the form shows -> rules. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shared.catalog.rules import ComesFirst, ReadAs, Rules
from shared.pages.forms import Values, dicts, group, text


@dataclass(frozen=True, slots=True)
class ExcludeDraft:
    """`address_column` is empty where it is called as in the export's own segments."""

    segment: str = ""
    address_column: str = ""


@dataclass(frozen=True, slots=True)
class RequireDraft:
    """`one_of` has a value in each line; none: the column is not empty."""

    column: str = ""
    one_of: str = ""


@dataclass(frozen=True, slots=True)
class LimitDraft:
    """Without a number and a column there is no limit."""

    first: str = ""
    by: str = ""
    read_as: str = ReadAs.NUMBER
    order: str = ComesFirst.GREATEST


@dataclass(frozen=True, slots=True)
class HoldoutDraft:
    """`share` in percent. Without a name and a share there is no holdout."""

    name: str = ""
    share: str = ""


@dataclass(frozen=True, slots=True)
class RulesDraft:
    """All rules, as text."""

    exclude: tuple[ExcludeDraft, ...] = ()
    require: tuple[RequireDraft, ...] = ()
    limit: LimitDraft = LimitDraft()
    holdout: HoldoutDraft = HoldoutDraft()

    def __bool__(self) -> bool:
        return bool(self.exclude or self.require or self.limit.first or self.limit.by or self.holdout != HoldoutDraft())

    @property
    def columns(self) -> list[str]:
        """Those that are chosen."""
        chosen = [*(rule.column for rule in self.require), self.limit.by]
        return [column for column in chosen if column]


def rules_shown(rules: Rules) -> RulesDraft:
    """What the form shows of rules."""
    limit, holdout = rules.limit, rules.holdout
    return RulesDraft(
        exclude=tuple(ExcludeDraft(rule.segment, rule.address_column or "") for rule in rules.exclude),
        require=tuple(RequireDraft(rule.column, "\n".join(rule.one_of)) for rule in rules.require),
        limit=LimitDraft(str(limit.first), limit.by, limit.read_as, limit.order) if limit else LimitDraft(),
        holdout=HoldoutDraft(holdout.name, f"{100 * holdout.share:g}") if holdout else HoldoutDraft(),
    )


def rules_sent(values: Values) -> RulesDraft:
    """What the form sent. Rows that are empty are left out."""
    sent = group(values, "rules")
    excluded = [ExcludeDraft(text(each, "segment"), text(each, "address_column")) for each in dicts(sent, "exclude")]
    required = [RequireDraft(text(each, "column"), text(each, "one_of")) for each in dicts(sent, "require")]
    limit, holdout = group(sent, "limit"), group(sent, "holdout")
    return RulesDraft(
        exclude=tuple(row for row in excluded if row != ExcludeDraft()),
        require=tuple(row for row in required if row != RequireDraft()),
        limit=LimitDraft(
            text(limit, "first"),
            text(limit, "by"),
            text(limit, "read_as") or ReadAs.NUMBER,
            text(limit, "order") or ComesFirst.GREATEST,
        ),
        holdout=HoldoutDraft(text(holdout, "name").strip(), text(holdout, "share").strip()),
    )


def rules_of(draft: RulesDraft) -> dict[str, Any]:
    """Rules to be saved, for Rules to validate."""
    limit = draft.limit
    return {
        "exclude": [{"segment": row.segment, "address_column": row.address_column or None} for row in draft.exclude],
        "require": [
            {"column": row.column, "one_of": [each for line in row.one_of.splitlines() if (each := line.strip())]}
            for row in draft.require
        ],
        "limit": {
            "first": limit.first.replace(" ", ""),
            "by": limit.by,
            "read_as": limit.read_as,
            "order": limit.order,
        }
        if limit.first or limit.by
        else None,
        "holdout": {"name": draft.holdout.name, "share": _share(draft.holdout.share)}
        if draft.holdout != HoldoutDraft()
        else None,
    }


def _share(percent: str) -> Any:
    """What cannot be one stays text, and is refused for that."""
    try:
        return round(float(percent.replace(",", ".").removesuffix("%")) / 100, 6)
    except ValueError:
        return percent
