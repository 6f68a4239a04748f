"""How long a run would take, from the requests that it would make.

Requests to one rate follow one another at the connection's budget; those that share none go beside each other, as many
as the vendor is asked at once.
"""

from __future__ import annotations

import math
from collections import Counter

from shared.delivery.work import Work
from shared.vendors.contract import Rate
from shared.vendors.limits import allowed


def seconds(work: Work, asked: Counter[str], answer: float) -> float:
    """Seconds from the first request to the last answer. `asked` are requests by endpoint, one takes `answer`."""
    definition, connection = work.opened.definition, work.connection
    rates = (
        _seconds(rate, asked, allowed(rate, connection.rate_budget, connection.settings)) for rate in definition.rates
    )
    lanes = max(definition.concurrency, 1)
    return round(max([asked.total() * answer / lanes, *rates]) + answer, 1)


def _seconds(rate: Rate, asked: Counter[str], requests: float) -> float:
    """When the last of these requests may start: so many in each window, the first ones at once."""
    number = sum(asked[endpoint] for endpoint in rate.endpoints)
    if not number:
        return 0.0
    size, window = (int(requests), rate.seconds) if requests >= 1 else (1, rate.seconds / requests)
    return (math.ceil(number / size) - 1) * window
