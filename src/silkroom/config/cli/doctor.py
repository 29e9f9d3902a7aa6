"""``doctor``: looks at everything silkroom stands on and says in plain words whether it is well."""

from __future__ import annotations

import asyncio
import platform
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import fsspec
import nats
import nats.errors
import psycopg
import typer
from cryptography import x509

from silkroom import __version__
from silkroom.config.cli.findings import Finding, of_settings
from silkroom.config.cli.terminal import size
from silkroom.config.env import Environment, program_environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.browser import search_chromium
from silkroom.config.processes.certificates import RENEW_DAYS
from silkroom.config.processes.data_dir import DataDir, State
from silkroom.config.processes.health import Identity, ask
from silkroom.config.processes.servers import (
    find_nats_server,
    find_postgres_programs,
    is_port_free,
    nats_url_of,
    postgres_url_of,
    postgres_version,
)

LEAST_FREE_BYTES = 1_000_000_000
"""An evening's recording at 2 Mbit/s; below it a show may not be kept to its end."""

MOST_CLOCK_SECONDS = 2.0
"""Holds, deals and signed tickets are compared across machines; a second or two is within their slack."""

MARKS = {True: "ok   ", False: "WRONG", None: "note "}


def doctor(*, data_dir: Path | None) -> None:
    """Print each finding; exit code 1 when one is wrong."""
    environment = Environment.read()
    environment = replace(environment, data_dir=(data_dir or environment.data_dir).resolve())
    wrong = 0
    for finding in examine(environment):
        print(f"{MARKS[finding.is_well]}  {finding.subject:<12} {finding.text}", flush=True)
        wrong += finding.is_well is False
    if wrong:
        print(f"{wrong} thing{'s' if wrong > 1 else ''} to repair")
        raise typer.Exit(1)
    print("all is well")


def examine(environment: Environment) -> Iterator[Finding]:
    """All findings, in the order in which one would look."""
    state = DataDir(environment.data_dir).running()
    if state is not None:
        environment = _with_running_servers(environment, state)
    yield _python()
    yield from _programs(environment)
    yield _data_folder(environment)
    yield _disk(environment)
    yield _storage(environment)
    yield from _database(environment)
    yield _nats(environment)
    yield from _processes(environment, state)
    yield from _certificate(environment)
    yield from of_settings(environment, state.purpose if state else "")
    yield _chromium()


def _with_running_servers(environment: Environment, state: State) -> Environment:
    return replace(
        environment,
        database_url=environment.database_url
        or (postgres_url_of(environment.data_dir, state.postgres_port) if state.postgres_port else ""),
        nats_url=environment.nats_url
        or (nats_url_of(environment.data_dir, state.nats_port) if state.nats_port else ""),
    )


def _python() -> Finding:
    return Finding(
        "Python",
        sys.version_info >= (3, 11),
        f"{platform.python_version()}, silkroom {__version__}, {platform.platform()}",
    )


def _programs(environment: Environment) -> Iterator[Finding]:
    yield _found(
        "PostgreSQL",
        lambda: f"programs of version {postgres_version(find_postgres_programs())}",
        is_needed=not environment.database_url,
    )
    yield _found("NATS", lambda: f"{find_nats_server().name} is there", is_needed=not environment.nats_url)


def _found(subject: str, look: Callable[[], str], *, is_needed: bool) -> Finding:
    try:
        return Finding(subject, True, look())
    except OperationError as error:
        return Finding(subject, False if is_needed else None, str(error))


def _data_folder(environment: Environment) -> Finding:
    folder = environment.data_dir
    place = folder if folder.exists() else next(parent for parent in folder.parents if parent.exists())
    probe = place / f".silkroom-{secrets.token_hex(4)}"
    try:
        probe.touch()
        probe.unlink()
    except OSError as error:
        return Finding("data folder", False, f"cannot write to {place}: {error.strerror}")
    return Finding("data folder", True, f"{folder}{'' if folder.exists() else ' (will be made)'}")


def _disk(environment: Environment) -> Finding:
    folder = environment.data_dir
    place = folder if folder.exists() else next(parent for parent in folder.parents if parent.exists())
    free = shutil.disk_usage(place).free
    text = f"{size(free)} free"
    if free < LEAST_FREE_BYTES:
        return Finding("disk", False, f"only {text}: a recording needs about {size(LEAST_FREE_BYTES)}")
    return Finding("disk", True, text)


def _storage(environment: Environment) -> Finding:
    location = environment.storage_location
    try:
        filesystem, root = fsspec.core.url_to_fs(location)
        if "://" not in location and not Path(location).exists():
            return Finding("storage", None, f"{location} will be made")
        name = f"{root.rstrip('/')}/.silkroom-{secrets.token_hex(4)}"
        filesystem.pipe_file(name, b"silkroom")
        is_same = filesystem.cat_file(name) == b"silkroom"
        filesystem.rm_file(name)
    # An object store's library raises whatever its own libraries raise.
    except Exception as error:
        return Finding("storage", False, f"cannot use {location}: {error}")
    return Finding("storage", is_same, f"{location} takes and gives files")


def _database(environment: Environment) -> Iterator[Finding]:
    if not environment.database_url:
        yield Finding("database", None, "not running; `./silkroom up` starts it")
        return
    try:
        with psycopg.connect(environment.database_url, connect_timeout=5) as connection:
            row = connection.execute("SELECT current_setting('server_version'), clock_timestamp()").fetchone()
            assert row is not None
            yield Finding("database", True, f"PostgreSQL {row[0]} answers")
            yield _clock((datetime.now(UTC) - row[1]).total_seconds())
    except psycopg.Error as error:
        yield Finding("database", False, f"cannot be reached: {' '.join(str(error).split())}")
        return
    yield _tables(environment)


def _clock(difference: float) -> Finding:
    text = f"{abs(difference):.1f} s {'ahead of' if difference > 0 else 'behind'} the database's"
    return Finding("clock", abs(difference) <= MOST_CLOCK_SECONDS, text)


def _tables(environment: Environment) -> Finding:
    checked = subprocess.run(
        [sys.executable, "-m", "django", "migrate", "--check"],
        env=program_environment(environment),
        capture_output=True,
        text=True,
        check=False,
    )
    if checked.returncode == 0:
        return Finding("tables", True, "up to date")
    waiting = sum(line.startswith("  ") for line in checked.stdout.splitlines())
    return Finding(
        "tables", False, f"{waiting or 'some'} changes wait: `./silkroom up` or `./silkroom run prepare` makes them"
    )


def _nats(environment: Environment) -> Finding:
    if not environment.nats_url:
        return Finding("NATS server", None, "not running; `./silkroom up` starts it")
    try:
        round_trip = asyncio.run(_nats_round_trip(environment.nats_url))
    except (OSError, nats.errors.Error, TimeoutError) as error:
        return Finding("NATS server", False, f"cannot be reached: {error or type(error).__name__}")
    return Finding("NATS server", True, f"answers in {round_trip * 1000:.1f} ms")


async def _nats_round_trip(url: str) -> float:
    async def quiet(_error: Exception) -> None:
        """The one error that counts is raised."""

    # One try: without the limit an unreachable server is asked again for two minutes.
    connection = await nats.connect(
        url,
        connect_timeout=5,
        allow_reconnect=False,
        max_reconnect_attempts=1,
        reconnect_time_wait=0.1,
        error_cb=quiet,
    )
    try:
        started_at = time.perf_counter()
        await connection.flush(timeout=5)
        return time.perf_counter() - started_at
    finally:
        await connection.close()


def _processes(environment: Environment, state: State | None) -> Iterator[Finding]:
    if state is None:
        for name, port in (("web", environment.web_port), ("gateway", environment.gateway_port)):
            is_free = is_port_free(port, environment.host)
            text = f"not running; port {port} is {'free' if is_free else 'taken, another will be used'}"
            yield Finding(name, None, text)
        return
    authority = environment.data_dir / "tls" / "authority.pem" if state.tls else None
    checks = {"web": state.web_urls, "gateway": state.gateway_urls, "jobs": state.jobs_urls}
    paths = {"web": "/health", "gateway": "/gateway/health", "jobs": "/health"}
    for name, urls in checks.items():
        if not urls:
            yield Finding(name, None, f"not running (silkroom {state.purpose}, process {state.pid}, is)")
        for url in urls:
            status, body = ask(url + paths[name], authority, Identity(name, state.instance))
            text = f"{url} is well" if status == 200 else f"{url} answers {status or 'nothing'}: {body[:200]}"
            yield Finding(name, status == 200, text)


def _certificate(environment: Environment) -> Iterator[Finding]:
    own = environment.data_dir / "tls" / "certificate.pem"
    file = Path(environment.tls_certificate) if environment.tls_certificate else own
    if not file.exists():
        if environment.tls_certificate:
            yield Finding("https", False, f"SILKROOM_TLS_CERTIFICATE names {file}, which is not there")
        return
    end = x509.load_pem_x509_certificate(file.read_bytes()).not_valid_after_utc
    days = (end - datetime.now(UTC)).days
    # One that was made here is renewed by itself at the next start.
    is_well = days > 0 if file == own else days >= RENEW_DAYS
    yield Finding("https", is_well, f"certificate ends {end:%Y-%m-%d}, in {days} days")


def _chromium() -> Finding:
    found = search_chromium()
    if found is None:
        return Finding("Chromium", None, "not found; only tests and `bench video` need it")
    return Finding("Chromium", True, str(found))
