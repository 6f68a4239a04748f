"""Whom exports run as, and what that may read."""

from __future__ import annotations

from shared.cloud.cloud import Cloud
from shared.cloud.settings import Location, Settings, StorageAddress
from shared.control.service import Service


def test_places_of_segments_are_containers_and_folders_and_nothing_else() -> None:
    locations = (Location("landing", "ci/exports", columns=("EMail",), delimiter=";"), Location("segments"))
    settings = Settings(StorageAddress(), StorageAddress(), segment_locations=locations)
    assert Service(Cloud(settings)).identity().segments == ("landing/ci/exports", "segments")
