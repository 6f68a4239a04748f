"""Checks of `infra/` that need no Azure: what the compiler says, and what it cannot see; `make lint` runs them."""
