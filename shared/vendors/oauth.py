"""Signing in at a vendor in place of giving us a key: the address to go to, the exchange, and the tokens in use."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from urllib.parse import quote, urlencode

from shared.errors import OutcomeUnknown, RetryAfter
from shared.vendors.answers import Answer
from shared.vendors.contract import Definition, OAuth
from shared.vendors.http import Credentials, Link, base_url
from shared.vendors.retrying import judge, retry_after
from shared.vendors.tokens import GrantGone, Pair, exchange_form, kept, refresh_form, sign_in_again, told
from shared.wording import say

TOKEN_SECONDS = 20.0
"""The longest that the token endpoint may take: with Key Vault's part, less than a lock lasts."""
LATER = 30.0

_HEADERS = {
    "Accept": "application/json",
    "Content-Type": "application/x-www-form-urlencoded",
    "User-Agent": "segment-exports",
}


def address(definition: Definition, hosts: Mapping[str, str], *, client_id: str, redirect_uri: str, state: str) -> str:
    """Where a person gives us access; `hosts` are addresses in vendors' places."""
    oauth = of(definition)
    query = {
        **oauth.asking,
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        **({"scope": oauth.separator.join(oauth.scopes)} if oauth.scopes else {}),
        "state": state,
    }
    return f"{base_url(definition, oauth.host, hosts)}{oauth.authorize_path}?{urlencode(query, quote_via=quote)}"


def exchange(
    definition: Definition, link: Link, *, client_id: str, client_secret: str, redirect_uri: str, code: str
) -> Pair:
    """The tokens for the code that a person came back with. A code is good once, so nothing is tried again.

    Raises UserMustAct and RetryAfter; after either the person starts anew.
    """
    return _ask(definition, link, exchange_form(client_id, client_secret, redirect_uri, code))


def of(definition: Definition) -> OAuth:
    """How one signs in at this vendor. Raises ValueError where it has no such thing."""
    if definition.oauth is None:
        raise ValueError(f"{definition.label} has no OAuth")
    return definition.oauth


class Tokens:
    """The tokens of one connection, in use. Thread safe.

    A vendor may replace the refresh token with every refresh, and the old one is then worthless: two workers that
    refresh at once, or a new pair that is not kept, would lock the connection out. So

    - one worker refreshes at a time, over the whole deployment (`Credentials.alone`), and first looks whether Key
      Vault has a newer pair already;
    - the vault was read a moment before, so it is known to answer, and the new pair is written to it before anything
      else is done, also before it is used;
    - both tokens are one secret, so a reader never has one of each pair.

    What cannot be closed: a process that is killed between the vendor's answer and the write, a vault that fails just
    then in spite of its client's retries, or an answer that is lost on the way takes the new pair with it. A vendor
    that rotates then refuses the old refresh token, and the error says that a person has to sign in again; nothing
    else is lost, and the next run goes on where this one stopped. A worker that stands still for longer than its lock
    lasts can cause the same words for one moment: the pair that it then writes is good, and the next attempt uses it.
    """

    def __init__(self, definition: Definition, credentials: Credentials, link: Link) -> None:
        self._definition = definition
        self._credential = of(definition).credential
        self._credentials = credentials
        self._link = link
        self._lock = threading.Lock()

    def bearer(self) -> Callable[[bool], Mapping[str, str]]:
        """The `authorize` of one Client: it remembers which access token that client was refused with."""
        given = ""

        def authorize(fresh: bool) -> Mapping[str, str]:
            nonlocal given
            given = self._other_than(given) if fresh else self._kept().access
            return {"Authorization": f"Bearer {given}"}

        return authorize

    def _other_than(self, refused: str) -> str:
        """An access token that was not refused yet: what somebody else put into the vault, or else a new one."""
        with self._lock:
            found = self._kept(fresh=True)
            return found.access if found.access != refused else self._renewed(refused)

    def _renewed(self, refused: str) -> str:
        with self._credentials.alone(self._credential):
            found = self._kept(fresh=True)
            if found.access != refused:
                return found.access
            if not found.refresh:
                raise sign_in_again(self._definition.label)
            try:
                pair = _ask(self._definition, self._link, refresh_form(found.refresh))
            except GrantGone:
                if (found := self._kept(fresh=True)).access == refused:
                    raise
                return found.access  # our lock had run out, and another worker was faster
            self._credentials.put(self._credential, pair.secret())
            return pair.access

    def _kept(self, *, fresh: bool = False) -> Pair:
        refreshes = of(self._definition).refreshes
        return kept(self._credentials.get(self._credential, fresh=fresh), self._definition.label, refreshes=refreshes)


def _ask(definition: Definition, link: Link, form: bytes) -> Pair:
    """One request to the token endpoint. Raises UserMustAct, and RetryAfter where there is no answer."""
    oauth, label = of(definition), definition.label
    url = f"{base_url(definition, oauth.host, link.vendor_hosts)}{oauth.token_path}"
    link.before_request()
    link.counters.add(requests=1)
    outcome = link.transport("POST", url, _HEADERS, form, TOKEN_SECONDS)
    if trouble := judge(outcome):
        raise trouble.error(
            retry_after(outcome) or trouble.later,
            trouble.words.filled(what=say("The sign-in at %(vendor)s", vendor=label)),
        )
    assert isinstance(outcome, Answer)
    try:
        return told(outcome, label, refreshes=oauth.refreshes)
    except OutcomeUnknown as error:
        reason = error.reason
    raise RetryAfter(LATER, reason)
