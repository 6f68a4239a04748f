"""Did you mean: the name that was probably meant, where there is none of that name."""

from __future__ import annotations

import re
from contextlib import suppress
from difflib import get_close_matches
from http import HTTPStatus

from cli.api import Api, path
from cli.failures import Failure

_MISSING = re.compile(r'There is no (export|connection|segment) "([^"]+)"')
_KEYS = {"export": "name", "connection": "name", "segment": "id"}


def with_guess(api: Api, failure: Failure) -> Failure:
    """The failure, and where it is about a name that there is not, the one that is most like it."""
    missing = _MISSING.match(failure.message) if failure.status == HTTPStatus.NOT_FOUND else None
    if missing is None:
        return failure
    kind, name = missing.groups()
    with suppress(Failure):  # whoever may not list them gets no guess
        names = [str(each[_KEYS[kind]]) for each in api.get(path(f"{kind}s")).body]
        if near := get_close_matches(name, names, n=1):
            failure.message = f"{failure.message} Did you mean {near[0]}?"
    return failure
