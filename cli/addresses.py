"""Where the app is: its address, which must be https unless it is this machine's own."""

from __future__ import annotations

from urllib.parse import urlsplit

from cli.failures import usage

LOCAL = "http://127.0.0.1:7071"
LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


def is_local(url: str) -> bool:
    """Whether it is on this machine, where no sign-in and no proxy is needed."""
    return urlsplit(url).hostname in LOOPBACK


def checked(url: str) -> str:
    """The address without a slash at its end. Raises Failure: tokens, keys and people go there."""
    parts = urlsplit(url)
    if not parts.hostname or parts.scheme not in ("http", "https") or parts.path.strip("/") or parts.query:
        raise usage("bad_url", "Give the app's address as https://host (--url, or SEGMENT_EXPORTS_URL).")
    if parts.username or parts.password:
        raise usage("bad_url", "The app's address must hold no user name and no password.")
    if parts.scheme == "http" and not is_local(url):
        raise usage("bad_url", "The app's address must begin with https://: without it anyone on the way could read.")
    return f"{parts.scheme}://{parts.netloc}"
