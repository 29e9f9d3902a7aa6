"""The background jobs: a procrastinate worker, and a loop that lapses unpaid orders every second.

The loop has a thread and a connection of its own, so a slow job never delays it. Any number of these processes may run:
jobs and due orders are taken with SKIP LOCKED.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import threading
from typing import Any

import django
import psycopg
import structlog
from django.utils.module_loading import import_string
from procrastinate import App
from procrastinate.contrib.django import app as django_app
from procrastinate.exceptions import ConnectorException

from silkroom.config.env import Environment
from silkroom.config.processes.health import Pulse
from silkroom.config.processes.logs import configure_logging

LAPSE = "silkroom.config.processes.lapsing.lapse_until"
"""Loaded by name, as it needs the tables' modules, which load only after Django's settings."""

AWAY_PAUSE_SECONDS = 1.0
"""After PostgreSQL went away, until it is tried again."""

CONCURRENCY = 4
SHUTDOWN_SECONDS = 8.0
"""Jobs that have not ended by then are given up and run again by the next process."""

STALLED_SECONDS = 60
"""A job whose worker has been silent for so long was lost with its process, and is run again."""

log = structlog.get_logger("silkroom.jobs")


def main(environment: Environment) -> None:
    """Work until SIGTERM or SIGINT; jobs under way are finished first."""
    configure_logging("jobs", environment)
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "silkroom.config.settings")
    django.setup()
    pulse = Pulse("jobs", environment.jobs_port, environment.instance)
    stopping = threading.Event()
    lapsing = threading.Thread(
        target=import_string(LAPSE),
        args=(environment.database_url, stopping, pulse.beat),
        name="lapsing",
        daemon=True,
    )
    lapsing.start()
    log.info("starting")
    try:
        asyncio.run(_work(stopping))
    finally:
        stopping.set()
        lapsing.join(timeout=SHUTDOWN_SECONDS)
        pulse.close()
        log.info("stopped")


async def _work(stopping: threading.Event) -> None:
    """Run the worker, again after PostgreSQL was away, until a signal says stop."""
    loop = asyncio.get_running_loop()
    asked = asyncio.Event()

    def ask() -> None:
        stopping.set()
        asked.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ask)
    while not asked.is_set():
        worker = asyncio.create_task(_run_worker())
        stop = asyncio.create_task(asked.wait())
        await asyncio.wait({worker, stop}, return_when=asyncio.FIRST_COMPLETED)
        stop.cancel()
        if asked.is_set():
            # The worker takes a cancellation as "finish what is under way, then stop".
            worker.cancel()
        try:
            await worker
        except asyncio.CancelledError:
            if not asked.is_set():
                raise
        except (ConnectorException, psycopg.OperationalError) as error:
            log.warning("the worker lost PostgreSQL", reason=str(error.__cause__ or error).strip())
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(asked.wait(), AWAY_PAUSE_SECONDS)


async def _run_worker() -> None:
    connector: Any = django_app.connector
    app = django_app.with_connector(connector.get_worker_connector())
    async with app.open_async():
        rescuer = asyncio.create_task(_rescue_lost_jobs(app))
        try:
            await app.run_worker_async(
                concurrency=CONCURRENCY,
                install_signal_handlers=False,
                shutdown_graceful_timeout=SHUTDOWN_SECONDS,
                delete_jobs="successful",
                fetch_job_polling_interval=1.0,
            )
        finally:
            rescuer.cancel()


async def _rescue_lost_jobs(app: App) -> None:
    """Jobs of a process that was killed are started again."""
    while True:
        for job in await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=STALLED_SECONDS):
            log.warning("job of a lost process is run again", job=job.id, task=job.task_name)
            await app.job_manager.retry_job(job)
        await asyncio.sleep(STALLED_SECONDS / 2)
