"""``manage``: Django's commands, against the running installation, else against its servers started for the moment."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from silkroom.config.env import ROOT, Environment, program_environment
from silkroom.config.processes.data_dir import DataDir
from silkroom.config.processes.servers import nats_url_of, postgres_url_of
from silkroom.config.processes.supervisor import Stack
from silkroom.config.translations import compile_translations

DJANGO = """
import sys
from django.core.management import execute_from_command_line
execute_from_command_line(["silkroom manage", *sys.argv[1:]])
"""
"""As ``python -m django``, whose help would tell people to type that."""

WITHOUT_SERVERS = {"help", "--help", "-h", "version", "--version"}


def manage(*, arguments: list[str]) -> None:
    """Run ``django-admin`` with these arguments; its exit code is ours."""
    compile_translations()
    if not arguments or arguments[0] in WITHOUT_SERVERS:
        raise typer.Exit(_django(arguments, program_environment(Environment.read())))
    with servers_at_hand(None, purpose=f"manage {arguments[0]}") as environment:
        code = _django(arguments, program_environment(environment))
    raise typer.Exit(code)


def _django(arguments: list[str], variables: Mapping[str, str]) -> int:
    command = [sys.executable, "-c", DJANGO, *arguments]
    return subprocess.run(command, env=dict(variables), cwd=ROOT, check=False).returncode


@contextmanager
def servers_at_hand(data_dir: Path | None, *, purpose: str) -> Iterator[Environment]:
    """Settings that name a reachable database and NATS: the user's own, those of a running ``up``, else started now."""
    environment = Environment.read()
    environment = replace(environment, data_dir=(data_dir or environment.data_dir).resolve())
    state = DataDir(environment.data_dir).running()
    if environment.database_url and environment.nats_url:
        yield environment
    elif state is not None:
        yield replace(
            environment,
            database_url=environment.database_url or postgres_url_of(environment.data_dir, state.postgres_port),
            nats_url=environment.nats_url or nats_url_of(environment.data_dir, state.nats_port),
        )
    else:
        with Stack(environment.data_dir, environment=environment, purpose=purpose) as stack:
            stack.start_servers()
            yield stack.environment
