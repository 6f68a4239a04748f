"""`.funcignore`: which files of the project stay behind. The part of .gitignore's rules that this project uses."""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from typing import NamedTuple


class Rule(NamedTuple):
    """`kept` rules (`!`) take back what an earlier one ignored."""

    pattern: str
    kept: bool


def rules(text: str) -> tuple[Rule, ...]:
    """The lines that say something. Raises ValueError for `**` and a backslash, which are not understood."""
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if bad := [line for line in lines if "**" in line or "\\" in line]:
        raise ValueError(f".funcignore: the rule {bad[0]!r} is not understood")
    return tuple(Rule(line.removeprefix("!").rstrip("/"), line.startswith("!")) for line in lines)


def is_ignored(path: PurePosixPath, all_rules: tuple[Rule, ...]) -> bool:
    """Of one file or folder, relative to the project; whoever asks for a file has asked for its folders before."""
    return not next((rule.kept for rule in reversed(all_rules) if _matches(path, rule.pattern)), True)


def _matches(path: PurePosixPath, pattern: str) -> bool:
    """A pattern with a slash counts from the project's folder, part by part; one without matches a name anywhere."""
    if "/" not in pattern:
        return fnmatchcase(path.name, pattern)
    wanted = pattern.strip("/").split("/")
    return len(wanted) == len(path.parts) and all(map(fnmatchcase, path.parts, wanted))


def kept(root: Path, all_rules: tuple[Rule, ...], below: Path | None = None) -> Iterator[Path]:
    """Files below `root` that are deployed, relative to it. Ignored folders are not entered, links not followed."""
    for entry in (below or root).iterdir():
        relative = entry.relative_to(root)
        if is_ignored(PurePosixPath(relative.as_posix()), all_rules) or entry.is_symlink():
            continue
        if entry.is_dir():
            yield from kept(root, all_rules, entry)
        else:
            yield relative
