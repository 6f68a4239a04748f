"""Following a request to forget somebody to its end, and what its certificate says."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from cli.api import Api, path
from cli.failures import Exit, Failure
from cli.pausing import pauses

PATIENCE = 600.0
"""Seconds that a request is waited for; it goes on whether we see it or not."""
STATUS = {"running": Exit.WAITING, "done": Exit.OK, "incomplete": Exit.FAILED}
"""What a request in this state means for a script."""

View = dict[str, Any]


def until_forgotten(api: Api, view: View, longest: float, tell: Callable[[str], None]) -> View:
    """The request as it is when it ended, or when patience has. `longest` is the pause between two looks, in seconds,
    once it turns out to take its time. Raises Failure."""
    waits, until = pauses(longest), time.monotonic() + PATIENCE
    while view["state"] == "running" and time.monotonic() < until:
        tell(f"{_looked(view)} looked through. {view['message']}".rstrip())
        time.sleep(next(waits))
        try:
            view = api.get(path("forget", view["id"])).body
        except Failure as failure:
            if failure.exit_status is not Exit.UNREACHABLE:
                raise
    return view


def certificate(view: View) -> Iterator[str]:
    """What people are shown of a request; no address is in it."""
    erased = view["erased"]
    held = f"{erased.get('ledgers', 0)} ledgers and {erased.get('runs', 0)} runs held the address"
    said = {
        "running": f"Under way: {_looked(view)} looked through. {view['message']}".rstrip(),
        "done": f"Forgotten: {held}.",
        "incomplete": f"Not everything was erased; {held}.",
    }
    yield said[view["state"]]
    yield f"Request {view['id']}, asked for by {view['asked_by'] or 'nobody in particular'} at {view['asked_at']}"
    if view["ended_at"]:
        yield f"Ended at {view['ended_at']}: {_looked(view)} looked through"
    yield from (f"  {place}: {number} erased" for place, number in erased.items())
    for each in view["remains"]:
        until = f" It goes by itself at {each['until']}." if each["until"] else ""
        yield f"  {each['place'] or 'everything that was not looked through'} {each['what']}: {each['why']}{until}"
    yield f"Salt {view['salt']}, hash {view['hash']}"


def _looked(view: View) -> str:
    looked = view["looked"]
    return f"{looked.get('ledgers', 0)} ledgers and {looked.get('runs', 0)} runs"
