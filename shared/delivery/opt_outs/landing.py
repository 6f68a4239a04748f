"""The folder that a connection's opt-outs are landed in, in the account that segments land in."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from shared.catalog.opt_outs import OptOutsWanted
from shared.cloud.cloud import Cloud
from shared.delivery.opt_outs import model
from shared.delivery.opt_outs.model import Part
from shared.errors import UserMustAct
from shared.wording import Message, say

if TYPE_CHECKING:
    from azure.storage.blob import ContainerClient


class Landing:
    """The files of one connection's folder. A model.json names those that count, so it is written last."""

    def __init__(self, cloud: Cloud, connection: str, wanted: OptOutsWanted) -> None:
        self._cloud = cloud
        self._connection = connection
        self._wanted = wanted

    @cached_property
    def _container(self) -> ContainerClient:
        return self._cloud.segments.get_container_client(self._wanted.container)

    def _name(self, file: str) -> str:
        return f"{self._wanted.folder}/{file}"

    def url(self, file: str) -> str:
        return str(self._container.get_blob_client(self._name(file)).url).partition("?")[0]

    def upload(self, file: str, path: Path) -> None:
        """Store a local file, over one of that name."""
        with path.open("rb") as stream:
            self._container.upload_blob(self._name(file), stream, overwrite=True, max_concurrency=2)

    def download(self, file: str, path: Path) -> None:
        """Raises UserMustAct where it is gone."""
        from azure.core.exceptions import ResourceNotFoundError

        try:
            with path.open("wb") as stream:
                self._container.download_blob(self._name(file), max_concurrency=2).readinto(stream)
        except ResourceNotFoundError:
            raise _moved(self._wanted.location) from None

    def drop(self, part: Part) -> None:
        """Delete the files of a part; no error where they are gone already."""
        from azure.core.exceptions import ResourceNotFoundError

        for file in (part.csv, part.parquet):
            with suppress(ResourceNotFoundError):
                self._container.delete_blob(self._name(file))

    def publish(self, parts: Sequence[Part], at: str) -> None:
        """Have the model.json name these parts, and no others."""
        body = model.document(self._connection, parts, self.url, at)
        self._container.upload_blob(self._name(model.FILE), body, overwrite=True)

    def problem(self) -> Message | None:
        """Why nothing can be landed here, in words for people; one blob is written and deleted to find out."""
        from azure.core.exceptions import HttpResponseError, ResourceNotFoundError

        try:
            found = self._model()
            if found is not None and model.owner(found) != self._connection:
                return say(
                    "The folder %(place)s has a model.json that something else wrote: give a folder that "
                    "only this connection uses.",
                    place=self._wanted.location,
                )
            name = self._name(f".writable-{secrets.token_hex(4)}")
            self._container.upload_blob(name, b"")
            self._container.delete_blob(name)
        except ResourceNotFoundError:
            return say("There is no container '%(container)s': make it.", container=self._wanted.container)
        except HttpResponseError as error:
            return say(
                "The app cannot write to %(place)s (%(why)s): give its identity the role Storage Blob Data "
                "Contributor on that container.",
                place=self._wanted.location,
                why=_code(error),
            )
        return None

    def _model(self) -> bytes | None:
        from azure.core.exceptions import ResourceNotFoundError

        try:
            return bytes(self._container.download_blob(self._name(model.FILE)).readall())
        except ResourceNotFoundError:
            return None


def _code(error: Exception) -> str:
    """Storage's own word for an error, which the library adds to its exceptions as it goes."""
    code = getattr(error, "error_code", "")
    return str(getattr(code, "value", code) or getattr(error, "status_code", ""))


def _moved(location: str) -> UserMustAct:
    return UserMustAct(
        "opt_outs_moved",
        say(
            "A file of opt-outs in %(place)s is gone, so nobody can tell who was landed there: put it back, or have "
            "them read afresh.",
            place=location,
        ),
    )
