"""A web process wakes the herald when its order desk has committed, so that rooms hear of it within milliseconds.

What has no tick (payments, lapses, stock by hand) is found by the herald's own looking, twice a second.
"""

from __future__ import annotations

from silkroom.config.processes.herald import TICK
from silkroom.live.room.services import publisher
from silkroom.sales.checkout.services import on_committed


def tick_after_orders() -> None:
    """Call once in each worker process, after Django's setup."""
    on_committed(lambda _committed: publisher().publish(TICK, b""))
