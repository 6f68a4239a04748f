"""Starting a run with the function key, which the Functions host has checked by the time that this is called."""

from __future__ import annotations

from shared.access.actions import Action
from shared.access.audit import Change
from shared.access.person import KEY_HOLDER
from shared.access.visitors import Access, Closed, NoAccess
from shared.control.service import Service
from shared.delivery.starting import Started


def start_by_key(service: Service, access: Access, name: str, body: bytes) -> Started:
    """Start the export, or give its active run back. Raises Closed where the app lets nobody in, NotFound, Invalid and
    Unprocessable."""
    if isinstance(access, NoAccess):
        raise Closed
    with service.trail.change(KEY_HOLDER, Action.START_RUN, Change(f"export {name}")) as change:
        started = service.start(name, body)
        change.note(run=started.run.run, kind=str(started.run.kind), new=started.new)
        return started
