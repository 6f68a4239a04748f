"""What queue messages say: ids and a turn, never people or secrets."""

from __future__ import annotations

import json
from dataclasses import asdict, fields
from typing import Annotated, Any, Literal, get_args

from pydantic import ConfigDict, Field, TypeAdapter, ValidationError
from pydantic.dataclasses import dataclass

VERSION = 1
Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9-]{1,63}$")]
"""What this service's own names and ids are made of; they become keys of tables and names of blobs."""

FAILED = "failed"

_EXACT = ConfigDict(strict=True, extra="ignore")
"""What only the version after this one says is passed over: while it is deployed both receive messages of either. What
must not be passed over gets another VERSION."""


@dataclass(frozen=True, config=_EXACT, kw_only=True)
class _Message:
    """`failed`: how often its work failed before it waited for an account. The host counts the attempts of a message,
    and whoever waits is called by a new one."""

    failed: Annotated[int, Field(ge=0)] = 0

    def body(self) -> dict[str, Any]:
        """The message as the queue gets it."""
        return {"version": VERSION, **{name: value for name, value in asdict(self).items() if name != FAILED or value}}


@dataclass(frozen=True, config=_EXACT)
class SliceMessage(_Message):
    """Carry out one slice of a delivery; dropped unless `turn` is the delivery's current one."""

    export: Key
    run: Key
    delivery: int
    turn: int
    kind: Literal["slice"] = "slice"


@dataclass(frozen=True, config=_EXACT)
class CountMessage(_Message):
    """Count the rows of a segment's newest snapshot, for the list of segments."""

    segment: str
    kind: Literal["count"] = "count"


@dataclass(frozen=True, config=_EXACT)
class ProbeMessage(_Message):
    """Go on with the probe `mark` of a connection; dropped unless `turn` is its current one."""

    connection: Key
    mark: Key
    turn: int
    kind: Literal["probe"] = "probe"


@dataclass(frozen=True, config=_EXACT)
class VerifyMessage(_Message):
    """Look at the vendor whether a delivery is as the ledger says; dropped unless `turn` is the current one."""

    export: Key
    run: Key
    delivery: int
    turn: int
    kind: Literal["verify"] = "verify"


@dataclass(frozen=True, config=_EXACT)
class DoctorMessage(_Message):
    """Do the check-up `mark` of one of an export's targets, counted from 0; dropped unless it is the latest."""

    export: Key
    target: int
    mark: Key
    kind: Literal["doctor"] = "doctor"


@dataclass(frozen=True, config=_EXACT)
class CollectMessage(_Message):
    """Go on reading who opted out over a connection; dropped unless `turn` is the current one of the reading `mark`."""

    connection: Key
    mark: Key
    turn: int
    kind: Literal["collect"] = "collect"


@dataclass(frozen=True, config=_EXACT)
class ForgetMessage(_Message):
    """Go on with forgetting whom a request names; dropped unless `turn` is its current one."""

    request: Key
    turn: int
    kind: Literal["forget"] = "forget"


@dataclass(frozen=True, config=_EXACT)
class RepairMessage(_Message):
    """Mend what the check-up `mark` of one of an export's targets found; dropped unless it is the latest."""

    export: Key
    target: int
    mark: Key
    kind: Literal["repair"] = "repair"


JobMessage = SliceMessage | ProbeMessage | VerifyMessage | DoctorMessage | CollectMessage | ForgetMessage
"""Messages of work under an account's lease."""

Message = JobMessage | CountMessage | RepairMessage

_READ: TypeAdapter[Message] = TypeAdapter(Annotated[Message, Field(discriminator="kind")])


class BadMessage(ValueError):
    """Not a message of this service, or of a version that it does not know."""


def parse(text: str | bytes) -> Message:
    """Read a message. Raises BadMessage, whose text never quotes the message."""
    try:
        body = json.loads(text)
    except (ValueError, RecursionError):
        raise BadMessage("The message is not JSON.") from None
    if not isinstance(body, dict) or body.pop("version", None) != VERSION:
        raise BadMessage(f"The message is not of version {VERSION}.")
    try:
        return _READ.validate_json(json.dumps(body))
    except ValidationError as error:
        wrong = ", ".join(sorted({str(each["loc"][-1]) for each in error.errors() if each["loc"][1:]} & _FIELDS))
        raise BadMessage(f"The message is of an unknown kind, or wrong in: {wrong or 'its fields'}.") from None


_FIELDS = {each.name for kind in get_args(Message) for each in fields(kind)}
"""The only names that an error may tell: a message's own could hold anything."""
