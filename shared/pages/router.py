"""All pages, in the order in which their addresses are looked at."""

from __future__ import annotations

from shared.pages import (
    administration,
    all_runs,
    assets,
    assistance,
    clearing,
    comparison,
    connection_form,
    connections,
    export_form,
    exports,
    forgetting,
    guide,
    languages,
    list_check,
    overview,
    runs,
    segments,
    several,
)

# What has a name of its own (/exports/new, /exports/several) comes before what takes any name.
ROUTERS = (
    assets.router,
    languages.router,
    overview.router,
    administration.router,
    forgetting.router,
    guide.router,
    assistance.router,
    several.router,
    runs.router,
    all_runs.router,
    export_form.router,
    list_check.router,
    comparison.router,
    exports.router,
    connection_form.router,
    clearing.router,
    connections.router,
    segments.router,
)
