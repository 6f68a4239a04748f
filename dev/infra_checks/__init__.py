"""Checks of `infra/` that need no Azure and no Bicep compiler; `make lint` runs them."""
