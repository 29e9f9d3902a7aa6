"""The loop that lapses unpaid orders every second: one code path with the order desk's own lapsing."""

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg
import structlog

from silkroom.sales.desk.door import lapse_due_orders

PAUSE_SECONDS = 1.0
AWAY_PAUSE_SECONDS = 1.0
"""After PostgreSQL went away or a round failed, until it is tried again."""

log = structlog.get_logger("silkroom.jobs.lapsing")


def lapse_until(conninfo: str, stopping: threading.Event, came_round: Callable[[], None]) -> None:
    """Lapse due orders every second until ``stopping`` is set; go on after PostgreSQL was away and after failures.

    ``came_round`` is called after each round that reached the database.
    """
    while not stopping.is_set():
        try:
            with psycopg.connect(conninfo, connect_timeout=3, application_name="silkroom lapsing") as connection:
                _lapse_with(connection, stopping, came_round)
        except psycopg.OperationalError as error:
            log.warning("PostgreSQL is away", reason=str(error).strip())
            stopping.wait(AWAY_PAUSE_SECONDS)
        except Exception:
            # The outermost loop of this thread: a bug must not stop all later lapsing.
            log.exception("lapsing failed, again")
            stopping.wait(AWAY_PAUSE_SECONDS)


def _lapse_with(
    connection: psycopg.Connection[tuple[object, ...]], stopping: threading.Event, came_round: Callable[[], None]
) -> None:
    while not stopping.is_set():
        with connection.transaction():
            ended = lapse_due_orders(cursor=connection.cursor())
        came_round()
        if ended:
            log.info("unpaid orders lapsed", orders=ended)
        else:
            stopping.wait(PAUSE_SECONDS)
