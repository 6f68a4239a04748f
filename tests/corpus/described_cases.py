"""Files named model.json that are broken, or point where they must not."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.corpus.cases import Stopped


@dataclass(frozen=True, slots=True)
class Described:
    """`model` makes the model.json from the address of the storage account and the container's name."""

    name: str
    model: Callable[[str, str], bytes]
    words: str = ""

    @property
    def end(self) -> Stopped:
        return Stopped(self.words)


def at(name: str, location: str, words: str = "") -> Described:
    """A table whose only file is said to be there; `{account}` and `{container}` are filled in."""
    return Described(
        name, lambda account, container: _model(location.format(account=account, container=container)), words
    )


def text(name: str, content: bytes, words: str = "") -> Described:
    return Described(name, lambda account, container: content, words)


def declared(name: str, words: str = "", **partition: Any) -> Described:
    """The file is there, and something odd is said of it."""
    return Described(name, lambda account, container: _model("part-0.csv", **partition), words)


def _model(location: str, **partition: Any) -> bytes:
    attributes = [{"name": name, "dataType": "string"} for name in ("EMail", "FirstName", "City")]
    table = {
        "$type": "LocalEntity",
        "name": "Loyal",
        "attributes": attributes,
        "partitions": [{"location": location} | partition],
    }
    return json.dumps({"entities": [table]}).encode()


GOOD = declared("the file is there")
OUTSIDE = "another storage account or container"
CASES = [
    at("a container beside it", "{account}/secret-container/part-0.csv", OUTSIDE),
    at("up and into a container beside it", "{account}/{container}/../secret-container/part-0.csv", OUTSIDE),
    at("the same, percent-encoded", "{account}/{container}/%2e%2e/secret-container/part-0.csv", OUTSIDE),
    at("a relative path that climbs", "../../../secret-container/part-0.csv", "out of the container"),
    at("the same, percent-encoded too", "%2e%2e/%2e%2e/%2e%2e/secret-container/part-0.csv", ""),
    at("with backslashes", "..\\..\\secret-container\\part-0.csv", ""),
    at("another account", "https://evil.blob.core.windows.net/{container}/part-0.csv?sv=x&sig=y", OUTSIDE),
    at("an account that begins alike", "{account}.evil.example/{container}/part-0.csv", ""),
    at("credentials in the address", "http://user:pass@127.0.0.1:1/{container}/part-0.csv", OUTSIDE),
    at("the metadata service", "http://169.254.169.254/metadata/identity/oauth2/token", OUTSIDE),
    at("a local file", "file:///etc/passwd", OUTSIDE),
    at("a local path", "/etc/passwd", ""),
    at("a share", "\\\\evil\\share\\part-0.csv", ""),
    at("an s3 bucket", "s3://bucket/part-0.csv", OUTSIDE),
    at("no URL at all", "http://[::1/part-0.csv", ""),
    at("a name with a NUL byte", "part\0-0.csv", ""),
    at("a file that is not there", "part-99.csv", ""),
    at("nothing", "", ""),
    text("not JSON", b"EMail,FirstName\n", "not JSON"),
    text("JSON nested 100,000 deep", b"[" * 100_000, "not JSON"),
    text("UTF-16", '{"entities": []}'.encode("utf-16"), "not JSON"),
    text("a list", b"[]", "neither"),
    text("tables that are none", b'{"entities": [1, null, "x", []]}', ""),
    text("10 MB of spaces", b" " * (10 << 20) + b"{}", ""),
    declared("a delimiter of two characters", "delimiter", fileFormatSettings={"delimiter": "::"}),
    declared("an unknown encoding", "encoding", fileFormatSettings={"encoding": "utf-7"}),
]
