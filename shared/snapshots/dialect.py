"""How a segment's files are read, in words for people. Pure."""

from __future__ import annotations

from shared.snapshots.snapshot import CsvFormat, Format

_DELIMITERS = {",": "commas", ";": "semicolons", "\t": "tabs", "|": "vertical bars"}


def in_words(kind: Format) -> str:
    """`CSV with a header, separated by semicolons, UTF-8, gzip`: what has to be the same for cells to mean the same."""
    if not isinstance(kind, CsvFormat):
        return "Parquet"
    said = [f"separated by {_DELIMITERS.get(kind.delimiter, repr(kind.delimiter))}"]
    if kind.quote != '"':
        said.append(f"quoted with {kind.quote}" if kind.quote else "never quoted")
    said.append(kind.encoding.upper())
    if kind.compression != "none":
        said.append(kind.compression)
    return f"CSV {'with' if kind.header else 'without'} a header, {', '.join(said)}"
