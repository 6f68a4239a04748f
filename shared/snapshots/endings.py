"""What the ending of a file's name promises: a format that is read, or something that is not and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, last
from shared.wording import Message, say

_TEXT = (".csv", ".txt", ".tsv", ".dat")
_PACKED = {".gz": "gzip", ".zst": "zstd"}
_READ: Mapping[str, Format] = {
    **dict.fromkeys(_TEXT, CsvFormat(delimiter="")),
    **{
        f"{ending}{packed}": CsvFormat(delimiter="", compression=how)
        for ending in _TEXT
        for packed, how in _PACKED.items()
    },
    ".parquet": ParquetFormat(),
}
"""Which delimiter a text has, its header says."""
_AS_TEXT = say("save it as 'CSV UTF-8'")
_UNPACKED = say("write it as .csv, .csv.gz or .parquet")
_NOT_READ = {
    ".zst": (say("compressed with Zstandard"), _UNPACKED),
    ".bz2": (say("compressed with bzip2"), _UNPACKED),
    ".zip": (say("a zip archive"), _UNPACKED),
    ".7z": (say("a 7-Zip archive"), _UNPACKED),
    ".tar": (say("an archive"), _UNPACKED),
    ".snappy": (say("compressed with Snappy"), _UNPACKED),
    ".lz4": (say("compressed with LZ4"), _UNPACKED),
    ".deflate": (say("compressed with deflate"), _UNPACKED),
    ".parquet.gz": (say("Parquet compressed once more with gzip"), say("Parquet compresses itself: write .parquet")),
    ".parquet.zst": (
        say("Parquet compressed once more with Zstandard"),
        say("Parquet compresses itself: write .parquet"),
    ),
    ".xlsx": (say("an Excel workbook"), _AS_TEXT),
    ".xls": (say("an Excel workbook"), _AS_TEXT),
    ".orc": (say("ORC"), _UNPACKED),
    ".avro": (say("Avro"), _UNPACKED),
    ".json": (say("JSON"), _UNPACKED),
    ".jsonl": (say("JSON lines"), _UNPACKED),
    ".ndjson": (say("JSON lines"), _UNPACKED),
    ".json.gz": (say("JSON"), _UNPACKED),
}
"""Ending -> what such a file is, and the way out. The longest ending counts."""


def format_of(name: str) -> Format | None:
    """How to read a file of this name; None where it is hidden (`_…`, `.…`) or not understood."""
    base = last(name).lower()
    if base.startswith(("_", ".")):
        return None
    stem, _, packed = base.partition(".")
    if stem and f".{packed}" in _PACKED:  # what Snowflake calls its files
        return _READ[f".csv.{packed}"]
    return next((known for ending, known in _READ.items() if base.endswith(ending)), None)


def compression_of(path: str) -> str:
    """Of a text, by the ending of its name."""
    return next((how for ending, how in _PACKED.items() if path.lower().endswith(ending)), "none")


def why_not(name: str) -> Message:
    """Why a file of this name is not read, and what to do."""
    base = last(name)
    fitting = [ending for ending in _NOT_READ if base.lower().endswith(ending)]
    what, way_out = (say("no kind of file that is read"), _UNPACKED)
    if fitting:
        what, way_out = _NOT_READ[max(fitting, key=len)]
    return say("%(file)s is %(what)s; %(way_out)s, or take it away", file=base, what=what, way_out=way_out)
