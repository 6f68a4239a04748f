"""What forbids a place for opt-outs: it is another's, nothing can be written there, or it would become a source."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from shared.catalog.issues import Issue
from shared.catalog.opt_outs import OptOutsWanted, overlap, table_of
from shared.catalog.store import connection_store
from shared.cloud.cloud import Cloud
from shared.delivery import segments
from shared.delivery.opt_outs.landing import Landing
from shared.errors import UserMustAct
from shared.snapshots.snapshot import Layout, SegmentFound, join
from shared.wording import say

_LOCATION = "/opt_outs/location"
_OF_THE_HOST = "azure-webjobs-"
"""Containers of the Functions host begin with it."""


def issues(cloud: Cloud, connection: str, wanted: OptOutsWanted) -> list[Issue]:
    """Everything that forbids saving it. One blob is written there, and deleted, to find out whether that works."""
    if _is_services_own(cloud, wanted):
        words = say("The service keeps its own files in '%(container)s': choose another.", container=wanted.container)
        return [Issue(_LOCATION, words)]
    found = [*_not_excluding(cloud, wanted), *_others(cloud, connection, wanted), *_sources(cloud, connection, wanted)]
    if not found and (problem := Landing(cloud, connection, wanted).problem()):
        found.append(Issue(_LOCATION, problem))
    return found


def _is_services_own(cloud: Cloud, wanted: OptOutsWanted) -> bool:
    """Plans, ledgers and keys lie in such containers, and forgetting and expiry look through them."""
    own = wanted.container == cloud.blobs.container or wanted.container.startswith(_OF_THE_HOST)
    return own and cloud.segments.account_name == cloud.blobs.service.account_name


def _not_excluding(cloud: Cloud, wanted: OptOutsWanted) -> Iterator[Issue]:
    """Rules find their segments where all segments are looked for."""
    places = [join(each.container, each.prefix) for each in cloud.settings.segment_locations]
    if wanted.exclude and not any(f"{wanted.location}/".startswith(f"{each.rstrip('/')}/") for each in places):
        yield Issue(
            "/opt_outs/exclude",
            say(
                "To exclude these people the location has to lie where segments are looked for: %(places)s.",
                places=", ".join(places),
            ),
        )


def _others(cloud: Cloud, connection: str, wanted: OptOutsWanted) -> Iterator[Issue]:
    for held in connection_store(cloud.connections).all():
        theirs = held.item.opt_outs
        if held.item.name != connection and theirs and overlap(theirs.location, wanted.location):
            words = say(
                "The connection '%(connection)s' lands its opt-outs there: give another folder.",
                connection=held.item.name,
            )
            yield Issue(_LOCATION, words)


def _sources(cloud: Cloud, connection: str, wanted: OptOutsWanted) -> Iterator[Issue]:
    """Files in a segment's folder become rows of it, and a model.json above one hides it."""
    for each in cloud.settings.segment_locations:
        place = join(each.container, each.prefix).rstrip("/")
        if f"{place}/".startswith(f"{wanted.location}/"):
            yield Issue(
                _LOCATION, say("Segments are looked for in %(place)s: give a folder of its own in it.", place=place)
            )
            return
    with suppress(UserMustAct):  # a container of segments that is missing is said elsewhere
        for segment in segments.found(cloud):
            place = _folder(segment)
            if not _is_own(segment, connection, wanted) and overlap(place, wanted.location):
                words = say(
                    "The segment %(segment)s lies in %(place)s, and what is landed there would become "
                    "part of it, or hide it: give another folder.",
                    segment=segment.name,
                    place=place,
                )
                yield Issue(_LOCATION, words)
                return


def _folder(segment: SegmentFound) -> str:
    above = join(segment.container, segment.folder)
    return above if segment.layout is Layout.CUSTOMER_INSIGHTS else join(above, segment.name)


def _is_own(segment: SegmentFound, connection: str, wanted: OptOutsWanted) -> bool:
    return segment.name == table_of(connection) and join(segment.container, segment.folder) == wanted.location
