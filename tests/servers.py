"""Starting the embedded servers for a test run."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from silkroom.config.processes.children import Children
from silkroom.config.processes.servers import NatsServer, PostgresServer, free_port


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
