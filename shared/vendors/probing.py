"""Answers what a vendor's contract leaves open by trying it on a real account, with canaries on a list of our own.

A probe never deletes, unsubscribes or suppresses anybody: it takes its canaries off its lists, and drops the lists. It
may be cut off at any time: its notebook keeps what it did, and the next probe finds by name what it left behind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar, cast

from shared.cloud.scrubbing import excerpt
from shared.errors import OutcomeUnknown, RetryAfter, UserMustAct
from shared.transport import Failure, Transport
from shared.vendors.answers import Answer, RateLimited, Request
from shared.vendors.canaries import Canaries
from shared.vendors.contract import ConnectionSettings, ProbeFinding, Question, Told
from shared.vendors.registry import complete_settings, definition, folder
from shared.wording import Message, kept_within, read, read_within, say

if TYPE_CHECKING:
    from shared.vendors.http import Credentials, Link

T = TypeVar("T")

LOOKS, LOOK_SECONDS = 12, 5.0
"""How often, and how far apart, a probe looks for what the vendor does a little later."""
MOST_TRIES = 5
"""Failures of the network, or answers that make no sense, until a step is given up."""
MOST_SWEEPS = 15
YES, NO = say("yes"), say("no")
AT_ONCE, WITHIN_A_MINUTE, LATER = say("at once"), say("within a minute"), say("later than a minute")
FIRST, LAST = say("the first"), say("the last")

_NO_ANSWER = frozenset(
    {
        "authenticate_again",
        "bad_credentials",
        "key_disabled",
        "oauth_app_refused",
        "oauth_refused",
        "version_retired",
        "wrong_key_type",
    }
)
"""Codes of errors that refuse the connection as a whole, and so answer no question."""


class Waiting(RetryAfter):
    """The vendor is not done yet with what it took on."""


class Notebook:
    """What a probe did and found so far, as JSON; `save` keeps it, after each new fact."""

    def __init__(self, facts: dict[str, Any], save: Callable[[], None] = lambda: None) -> None:
        self._known: dict[str, Any] = facts.setdefault("known", {})
        self._tries: dict[str, int] = facts.setdefault("tries", {})
        self._findings: dict[str, dict[str, str]] = facts.setdefault("findings", {})
        self._save = save

    def once(self, name: str, make: Callable[[], T]) -> T:
        """Call `make` the first time, and return the same result ever after, also in later slices. The result has to be
        JSON without an address."""
        if name not in self._known:
            self._known[name] = kept_within(make())
            self._save()
        return cast(T, read_within(self._known[name]))

    def patiently(self, name: str, look: Callable[[], T | None], looks: int = LOOKS) -> T | None:
        """Call `look` until it returns something else than None, or `looks` times. Raises Waiting in between."""

        def found() -> T | None:
            seen = look()
            if seen is None and self.tried(name) < looks:
                raise Waiting(LOOK_SECONDS, say("The vendor is not done yet."))
            return seen

        return self.once(name, found)

    def tried(self, name: str) -> int:
        """Count another try; how many that makes."""
        self._tries[name] = self._tries.get(name, 0) + 1
        self._save()
        return self._tries[name]

    def note(self, found: Mapping[str, ProbeFinding]) -> None:
        self._findings |= {each: kept_within(asdict(finding)) for each, finding in found.items()}
        self._save()

    @property
    def hopeless(self) -> Message:
        """Why nothing can be asked on this connection, for people; empty where something can."""
        return read(str(self._known.get("hopeless", "")))

    @property
    def left_behind(self) -> Message:
        """What could not be cleared away in the end, for people."""
        return read(str(self._known.get("left", "")))

    @property
    def findings(self) -> Mapping[str, ProbeFinding]:
        made = self._findings.items()
        return {
            each: ProbeFinding(Told(said["told"]), read(said["answer"]), read(said["evidence"])) for each, said in made
        }


@dataclass(frozen=True, slots=True)
class ProbeStep:
    """`run` answers the questions `ids`. Cut off, it is run again: what the notebook knows is not done twice."""

    run: Callable[[], Mapping[str, ProbeFinding]]
    ids: tuple[str, ...]


class Probe:
    """One vendor's probe; as it is here, it asks nothing. Its methods raise what a vendor's calls raise.

    `_ear` hears what the connection answers.
    """

    def __init__(
        self, settings: ConnectionSettings, credentials: Credentials, link: Link, canaries: Canaries, book: Notebook
    ) -> None:
        self._canaries = canaries
        self._book = book
        self._ear = Ear(link.transport)
        self._connect(settings, credentials, replace(link, transport=self._ear))

    def _connect(self, settings: ConnectionSettings, credentials: Credentials, link: Link) -> None:
        """Keep what the steps call. Makes no request."""

    def steps(self) -> Sequence[ProbeStep]:
        return ()

    def sweep(self) -> str:
        """Take canaries off and drop the lists of this and earlier probes. Returns what had to be left, for people."""
        return ""


def questions(vendor: str) -> tuple[Question, ...]:
    """Every point that the vendor's contract leaves open. Raises Unprocessable for a vendor that does not exist."""
    return definition(vendor).questions


def open_probe(
    vendor: str,
    *,
    settings: ConnectionSettings,
    credentials: Credentials,
    link: Link,
    canaries: Canaries,
    book: Notebook,
) -> Probe:
    """A probe of one connection. Makes no request. Raises Unprocessable as `open_vendor` does."""
    found = definition(vendor)
    kind: type[Probe] = Probe
    if found.questions:
        kind = import_module(f"shared.vendors.{folder(vendor)}.probe").PROBE
    return kind(complete_settings(found, settings), credentials, link, canaries, book)


def advance(probe: Probe, book: Notebook, *, out_of_time: Callable[[], bool], late: bool) -> float | None:
    """Answer what there is time for. Seconds until the next call, None when all is done and cleared away.

    `late`: the probe has gone on for too long, so it is only cleared away. Raises LeaseLost.
    """
    try:
        hopeless = book.once("hopeless", lambda: _hopeless(probe, book)) or (
            say("There was no time left.") if late else ""
        )
        for step in probe.steps():
            if set(step.ids) <= book.findings.keys():
                continue
            if not hopeless and out_of_time():
                return 0.0
            book.note(_untold(step, hopeless) if hopeless else _carry_out(step, book))
        book.once("left", lambda: _left(probe, book))
    except RetryAfter as error:
        return error.seconds
    return None


def conclude(vendor: str, book: Notebook) -> dict[str, ProbeFinding]:
    """A finding for every question of the vendor's."""
    found = book.findings
    return {each.id: found.get(each.id) or _silent(each) for each in questions(vendor)}


def answered(answer: str, evidence: str = "") -> ProbeFinding:
    return ProbeFinding(Told.ANSWERED, answer, evidence)


def untold(why: str) -> ProbeFinding:
    return ProbeFinding(Told.UNTOLD, why)


def told(answer: str | None, evidence: str = "") -> ProbeFinding:
    """The answer, where there is one."""
    return untold(say("What the vendor showed fits no answer.")) if answer is None else answered(answer, evidence)


def _silent(question: Question) -> ProbeFinding:
    if question.not_tried:
        return ProbeFinding(Told.NOT_TRIED, question.not_tried)
    return untold(say("The probe did not come to it."))


def _untold(step: ProbeStep, why: str) -> dict[str, ProbeFinding]:
    return dict.fromkeys(step.ids, untold(why))


def _carry_out(step: ProbeStep, book: Notebook) -> Mapping[str, ProbeFinding]:
    """Findings of a step, also where it failed for good. Raises RetryAfter, LeaseLost and what stops a slice."""
    try:
        return step.run()
    except (Waiting, RateLimited):
        raise
    except RetryAfter as error:
        if book.tried(f"step {step.ids[0]}") < MOST_TRIES:
            raise
        return _untold(step, _scrubbed(error.words))
    except (UserMustAct, OutcomeUnknown) as error:
        return _untold(step, _scrubbed(error.words))


def _hopeless(probe: Probe, book: Notebook) -> str:
    """Clear away what earlier probes left, which tells whether the connection works at all."""
    try:
        _sweep(probe, book, "before")
    except UserMustAct as error:
        return _scrubbed(error.words)
    return ""


def _left(probe: Probe, book: Notebook) -> str:
    """Clear away; what had to be left."""
    try:
        return _sweep(probe, book, "after")
    except UserMustAct as error:
        return _scrubbed(error.words)


def _sweep(probe: Probe, book: Notebook, name: str) -> str:
    """What had to be left; trouble that lasts does not keep a probe from ending."""
    try:
        return probe.sweep()
    except RetryAfter as error:
        if book.tried(f"sweep {name}") < MOST_SWEEPS:
            raise
        return _scrubbed(error.words)
    except OutcomeUnknown as error:
        return _scrubbed(error.words)


def _scrubbed(words: Message) -> str:
    """The message as it is, where an excerpt of it would be the same."""
    cut = excerpt(words)
    return words if cut == words else cut


class Ear:
    """A transport that remembers the latest answer, also one of which the client makes an error."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._heard: list[tuple[str, Answer]] = []

    def __call__(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, seconds: float
    ) -> Answer | Failure:
        outcome = self._transport(method, url, headers, body, seconds)
        self._heard = [(url, outcome)] if isinstance(outcome, Answer) else []
        return outcome

    def hear(self, call: Callable[[Request], Answer], request: Request) -> Answer:
        """The answer, whatever it says. Raises RetryAfter, OutcomeUnknown, and what stops a slice."""
        self._heard.clear()
        try:
            return call(request)
        except UserMustAct as error:
            if error.code in _NO_ANSWER:
                raise
            # The latest may be the answer to something else, such as a sign-in that was to be renewed.
            for url, answer in self._heard:
                if request.path in url:
                    return answer
            raise


def could_not_drop(lists: Sequence[object]) -> str:
    """What a sweep says of the lists that it had to leave."""
    return say("Lists that could not be dropped: %(lists)s.", lists=", ".join(map(str, lists))) if lists else ""


def verbatim(text: object) -> Message:
    """A value of the vendor's as an answer: the same in every language."""
    return say("%(value)s", value=str(text))


def refusal_words(answer: Answer, code: object) -> Message:
    """`400 BatchTooLarge`."""
    return verbatim(excerpt(f"{answer.status} {code}" if code not in (None, "") else f"{answer.status}", 80))
