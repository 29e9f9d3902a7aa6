"""The embedded servers of a test run, and the way of a test to the database of running processes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from django.db import connection
from psycopg.conninfo import conninfo_to_dict
from pytest_django.plugin import DjangoDbBlocker

from silkroom.config.processes.children import Children
from silkroom.config.processes.servers import NatsServer, PostgresServer, free_port
from silkroom.config.processes.supervisor import Stack


@dataclass
class RunningServers:
    """The servers of one run; ``log`` holds what they wrote."""

    folder: Path
    children: Children
    database_url: str
    nats_url: str
    log: list[str] = field(default_factory=list)

    def stop(self) -> None:
        self.children.close()


def start_servers(folder: Path) -> RunningServers:
    """PostgreSQL and nats-server over ``folder``, on free ports; as durable as in production."""
    log: list[str] = []
    children = Children(lambda name, line: log.append(f"{name}: {line}"))
    try:
        postgres = PostgresServer(folder, children, port=free_port(), durable_setup=False)
        postgres.start()
        nats = NatsServer(folder, children, port=free_port())
        nats.start()
    except BaseException:
        children.close()
        raise
    return RunningServers(folder, children, postgres.url, nats.url, log)


@contextmanager
def database_of(stack: Stack, blocker: DjangoDbBlocker) -> Iterator[None]:
    """Within it, Django in this process (in every thread) works on the database of ``stack``, and commits for real."""
    target = conninfo_to_dict(stack.database_url)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    # One dictionary for all threads: each thread's connection is made from it.
    current = connection.settings_dict
    before = {name: current[name] for name in names}
    with blocker.unblock():
        _leave()
        current.update({name: str(target.get(key, "")) for name, key in names.items()})
        try:
            yield
        finally:
            _leave()
            current.update(before)


def _leave() -> None:
    connection.close()
    connection.close_pool()
