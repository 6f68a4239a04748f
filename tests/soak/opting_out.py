"""People who opt out at a vendor while exports run, and the readings that bring them back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from time import time

from shared.catalog.models import ConnectionInput
from shared.catalog.opt_outs import OptOutsWanted
from shared.delivery.opt_outs import collecting, record
from shared.delivery.opt_outs.record import ReadingState
from tests.integration.delivery.engine import ADMINISTRATOR
from tests.load.accounts import Account
from tests.load.fleet import Desk


def bring_back(desk: Desk) -> None:
    """Have the vendor's connection land who opts out, and keep these people off every export."""
    name = desk.kit.name
    held = desk.catalog.connection(name)
    wanted = OptOutsWanted(location=f"{desk.container}/back/{name}", exclude=True)
    sent = ConnectionInput.model_validate({**dict(held.item), "opt_outs": wanted}, extra="ignore")
    held = desk.catalog.save_connection(name, sent, ADMINISTRATOR, held)
    desk.catalog.record_check(held, desk.service.check_connection(name))


@dataclass
class OptedOut:
    """Who said no, by vendor and list, and when somebody last did at a vendor that was not read since."""

    accounts: Mapping[str, Account]
    people: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    unread: dict[str, float] = field(default_factory=dict)

    def say_no(self, desk: Desk, name: str, address: str) -> None:
        """Somebody on the list of that name opts out at the vendor."""
        body = desk.kit.opted(address, desk.kit.list_name(name))
        desk.tell("people", {"account": self.accounts[desk.kit.name].id, **body})
        self.people.setdefault((desk.kit.name, name), set()).add(address)
        self.unread[desk.kit.name] = time()

    def at(self, vendor: str, name: str) -> set[str]:
        """Who said no there, to the list of that name."""
        return self.people.get((vendor, name), set())

    def read(self, desk: Desk) -> None:
        """Start a reading, or let the one go on that is under way."""
        collecting.start(desk.cloud, desk.kit.name, "soak")

    def were_read(self, desk: Desk) -> bool:
        """Whether everybody was brought back who said no at the vendor: from then on no export adds them."""
        if desk.kit.name not in self.unread:
            return True
        found = record.read(desk.cloud, desk.kit.name)
        reading = found.reading if found else None
        well = reading is not None and reading.state is ReadingState.ENDED
        if well and reading is not None and reading.started > self.unread[desk.kit.name]:
            del self.unread[desk.kit.name]
        return desk.kit.name not in self.unread
