"""python -m dev.identity: the provider, until Ctrl-C; prints the app settings that lead to it."""

from __future__ import annotations

import argparse
import threading

from dev.identity.server import IdentityProvider


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m dev.identity", description="An OpenID provider for this machine.")
    parser.add_argument("--port", type=int, default=7443, help="0 is a free one; default 7443")
    parser.add_argument("--app", default="http://localhost:7071", help="the app's own address")
    options = parser.parse_args()
    with IdentityProvider(port=options.port) as identity:
        for name, value in identity.settings(options.app).items():
            print(f"{name}={value}")
        print(f"The Key Vault secret sign-in-secret has to hold: {identity.registration.client_secret}", flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("Ending.")
