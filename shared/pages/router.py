"""All pages, in the order in which their addresses are looked at."""

from __future__ import annotations

from shared.pages import (
    assets,
    assistance,
    connection_forms,
    connections,
    export_forms,
    exports,
    language,
    runs,
    segments,
    several,
)

# What has a name of its own (/exports/new, /exports/several) comes before what takes any name.
ROUTERS = (
    assets.router,
    language.router,
    assistance.router,
    several.router,
    runs.router,
    export_forms.router,
    exports.router,
    connection_forms.router,
    connections.router,
    segments.router,
)
