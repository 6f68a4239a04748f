"""People who opted out are kept off every export, where their connection says so: as by a rule of the export itself."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from shared.catalog.models import Connection, Export
from shared.catalog.opt_outs import segment_of, table_of
from shared.catalog.rules import MAX_EXCLUDED, Exclude
from shared.cloud.cloud import Cloud
from shared.delivery.opt_outs import record
from shared.errors import Unprocessable
from shared.wording import say

ADDRESS = "address"
"""Column of a table of opt-outs."""


def with_opt_outs(cloud: Cloud, export: Export, connections: Sequence[Connection]) -> Export:
    """The export with a rule more for each connection whose opt-outs are excluded everywhere, once anybody is landed.

    Raises UserMustAct where nobody can tell whether anybody is, and Unprocessable where these are too many.
    """
    barred = tuple(_rules(cloud, export, connections))
    if not barred:
        return export
    excluded = (*export.rules.exclude, *barred)
    if len(excluded) > MAX_EXCLUDED:
        raise Unprocessable(
            "too_many_excluded",
            say(
                "The export excludes %(segments)s segments, with the opt-outs of connections, and %(most)s are the "
                "most: exclude fewer.",
                segments=len(excluded),
                most=MAX_EXCLUDED,
            ),
        )
    rules = export.rules.model_copy(update={"exclude": excluded})
    return export.model_copy(update={"rules": rules})


def _rules(cloud: Cloud, export: Export, connections: Sequence[Connection]) -> Iterator[Exclude]:
    for each in connections:
        if each.opt_outs is None or not each.opt_outs.exclude:
            continue
        segment = segment_of(each.name, each.opt_outs)
        if {segment, table_of(each.name)} & set(export.followed):
            continue  # whoever exports these people, or excludes them already, means to
        kept = record.read(cloud, each.name)
        if kept is not None and kept.location == each.opt_outs.location and kept.parts:
            yield Exclude(segment=segment, address_column=ADDRESS)
