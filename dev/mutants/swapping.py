"""What a mutant changes in a module that is loaded already: the code of its functions, put into them in place."""

from __future__ import annotations

import gc
import inspect
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import CodeType, FunctionType

from dev.mutants.breaking import Mutant

Swap = Mapping[FunctionType, CodeType]
"""Function that is alive -> its broken code."""


class Loaded:
    """A module that is loaded, and all functions of it that are alive."""

    def __init__(self, path: Path) -> None:
        self._path = str(path.resolve())
        self._code = _compiled(path.read_text(), self._path)
        self._functions = [
            each
            for each in gc.get_objects()
            if isinstance(each, FunctionType) and each.__code__.co_filename == self._path
        ]

    def swap(self, mutant: Mutant) -> Swap | None:
        """None where the mutant changes what runs when the module is imported, or something that is not alive."""
        found: dict[FunctionType, CodeType] = {}
        broken = compile(mutant.tree, self._path, "exec", dont_inherit=True)
        for old, new in _functions(self._code, broken):
            alive = [each for each in self._functions if each.__code__ == old]
            if not alive or new is None or new.co_freevars != old.co_freevars:
                return None
            found.update(dict.fromkeys(alive, new))
        return found or None


def _compiled(source: str, path: str) -> CodeType:
    return compile(source, path, "exec", dont_inherit=True)


def _functions(old: CodeType, new: CodeType) -> Iterator[tuple[CodeType, CodeType | None]]:
    """Functions that differ, outermost first found; None in place of the new one where more than a function does."""
    if _runs(old) != _runs(new):
        yield old, None
        return
    for before, after in zip(_parts(old), _parts(new), strict=True):
        if before == after:
            continue
        if before.co_flags & inspect.CO_NEWLOCALS:
            yield before, after
        else:  # the body of a class
            yield from _functions(before, after)


def _runs(code: CodeType) -> tuple[object, ...]:
    """What runs in a module or a class itself, without the code of its functions."""
    constants = [(type(each), each) for each in code.co_consts if not isinstance(each, CodeType)]
    return code.co_code, code.co_names, repr(constants), len(_parts(code))


def _parts(code: CodeType) -> Sequence[CodeType]:
    return [each for each in code.co_consts if isinstance(each, CodeType)]
