"""What the ending of a file's name promises: a format that is read, or something that is not and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from shared.snapshots.snapshot import CsvFormat, Format, ParquetFormat, last

_TEXT = (".csv", ".txt", ".tsv", ".dat")
_READ: Mapping[str, Format] = {
    **dict.fromkeys(_TEXT, CsvFormat(delimiter="")),
    **dict.fromkeys((f"{ending}.gz" for ending in _TEXT), CsvFormat(delimiter="", compression="gzip")),
    ".parquet": ParquetFormat(),
}
"""Which delimiter a text has, its header says."""
_AS_TEXT = "save it as 'CSV UTF-8'"
_UNPACKED = "write it as .csv, .csv.gz or .parquet"
_NOT_READ = {
    ".zst": ("compressed with Zstandard", _UNPACKED),
    ".bz2": ("compressed with bzip2", _UNPACKED),
    ".zip": ("a zip archive", _UNPACKED),
    ".7z": ("a 7-Zip archive", _UNPACKED),
    ".tar": ("an archive", _UNPACKED),
    ".snappy": ("compressed with Snappy", _UNPACKED),
    ".lz4": ("compressed with LZ4", _UNPACKED),
    ".deflate": ("compressed with deflate", _UNPACKED),
    ".parquet.gz": ("Parquet compressed once more with gzip", "Parquet compresses itself: write .parquet"),
    ".xlsx": ("an Excel workbook", _AS_TEXT),
    ".xls": ("an Excel workbook", _AS_TEXT),
    ".orc": ("ORC", _UNPACKED),
    ".avro": ("Avro", _UNPACKED),
    ".json": ("JSON", _UNPACKED),
    ".jsonl": ("JSON lines", _UNPACKED),
    ".ndjson": ("JSON lines", _UNPACKED),
    ".json.gz": ("JSON", _UNPACKED),
    ".manifest.cdm.json": ("a Common Data Model manifest", "write a model.json, or files into a dated folder"),
}
"""Ending -> what such a file is, and the way out. The longest ending counts."""


def format_of(name: str) -> Format | None:
    """How to read a file of this name; None where it is hidden (`_…`, `.…`) or not understood."""
    base = last(name).lower()
    if base.startswith(("_", ".")):
        return None
    if base.endswith(".gz") and "." not in base.removesuffix(".gz"):  # what Snowflake calls its files
        return _READ[".csv.gz"]
    return next((known for ending, known in _READ.items() if base.endswith(ending)), None)


def why_not(name: str) -> str:
    """Why a file of this name is not read, and what to do."""
    base = last(name)
    fitting = [ending for ending in _NOT_READ if base.lower().endswith(ending)]
    what, way_out = ("no kind of file that is read", _UNPACKED)
    if fitting:
        what, way_out = _NOT_READ[max(fitting, key=len)]
    return f"{base} is {what}; {way_out}, or take it away"
