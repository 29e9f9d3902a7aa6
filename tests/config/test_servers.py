"""The embedded servers: durable, alone on loopback, behind passwords, on free ports, recovered after any end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import nats
import psutil
import psycopg
import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes.children import Children, wait_until
from silkroom.config.processes.servers import (
    NatsServer,
    PostgresServer,
    ServerError,
    find_postgres_programs,
    free_port,
    is_port_free,
)


@pytest.fixture
def children() -> Iterator[Children]:
    made = Children(lambda _name, _line: None)
    yield made
    made.close()


def postgres(folder: Path, children: Children, port: int = 0) -> PostgresServer:
    return PostgresServer(folder, children, port=port or free_port(), durable_setup=False)


def rows(server: PostgresServer) -> list[tuple[int]]:
    with psycopg.connect(server.url) as connection:
        return connection.execute("SELECT n FROM kept ORDER BY n").fetchall()


def keep(server: PostgresServer, number: int) -> None:
    with psycopg.connect(server.url) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS kept (n integer)")
        connection.execute("INSERT INTO kept VALUES (%s)", [number])


def test_the_servers_of_this_run_keep_what_they_confirm(database_url: str) -> None:
    names = ("fsync", "synchronous_commit", "full_page_writes", "server_encoding", "listen_addresses")
    with psycopg.connect(database_url) as connection:
        shown = {name: connection.execute(f"SHOW {name}").fetchone()[0] for name in names}
    assert shown == {
        "fsync": "on",
        "synchronous_commit": "on",
        "full_page_writes": "on",
        "server_encoding": "UTF8",
        "listen_addresses": "127.0.0.1",
    }


def test_sorting_and_case_follow_unicode_whatever_the_machine(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        assert connection.execute("SELECT upper('crêpe é'), lower('SEIDE Ü')").fetchone() == ("CRÊPE É", "seide ü")


def test_postgres_refuses_a_wrong_password_and_none(database_url: str) -> None:
    user_and_host = database_url.split("://")[1]
    host = user_and_host.rsplit("@", 1)[1]
    for address in (f"postgresql://silkroom:wrong@{host}", f"postgresql://silkroom@{host}"):
        with pytest.raises(psycopg.OperationalError, match=r"password authentication failed|no password supplied"):
            psycopg.connect(address)


def test_nats_refuses_a_wrong_token_and_none(nats_url: str) -> None:
    host, port = nats_url.rsplit("@", 1)[1].split(":")
    for greeting in ('{"auth_token": "wrong"}', "{}"):
        # By hand: the client library leaves its socket open when it is refused.
        with socket.create_connection((host, int(port)), timeout=10) as connection, connection.makefile("rwb") as lines:
            assert lines.readline().startswith(b"INFO")
            lines.write(f"CONNECT {greeting}\r\nPING\r\n".encode())
            lines.flush()
            assert b"Authorization Violation" in lines.readline()


async def test_nats_carries_a_message_of_eight_megabytes(nats_url: str) -> None:
    connection = await nats.connect(nats_url)
    subscription = await connection.subscribe("silkroom.test.large")
    content = b"x" * (8 * 1024 * 1024)
    await connection.publish("silkroom.test.large", content)
    message = await subscription.next_msg(timeout=10)
    assert len(message.data) == len(content)
    await connection.close()


def test_secrets_and_data_are_closed_to_others(data_dir: Path, children: Children) -> None:
    postgres(data_dir, children).start()
    NatsServer(data_dir, children, port=free_port()).start()
    modes = {
        str(path.relative_to(data_dir)): path.stat().st_mode & 0o077
        for path in (
            data_dir / "secrets" / "postgres_password",
            data_dir / "secrets" / "nats_token",
            data_dir / "postgres",
            data_dir / "nats" / "nats.conf",
        )
    }
    assert set(modes.values()) == {0}, modes


def test_data_is_there_after_a_clean_stop_and_start(data_dir: Path, children: Children) -> None:
    first = postgres(data_dir, children)
    child = first.start()
    keep(first, 1)
    children.stop(child)
    second = postgres(data_dir, children)
    assert not second.is_new
    second.start()
    assert rows(second) == [(1,)]


def test_a_killed_server_comes_back_with_what_it_confirmed(data_dir: Path, children: Children) -> None:
    server = postgres(data_dir, children)
    for number in (1, 2):
        child = server.start()
        keep(server, number)
        os.kill(child.pid, signal.SIGKILL)
        assert children.wait(child, timeout=20)
    server.start()
    assert rows(server) == [(1,), (2,)]


def test_a_server_left_running_by_another_supervisor_is_taken_over(data_dir: Path, children: Children) -> None:
    # The other supervisor: killed, as it were, and its watchman with it.
    other = Children(lambda _name, _line: None)
    left = postgres(data_dir, other).start()
    ours = postgres(data_dir, children)
    ours.start()
    keep(ours, 1)
    assert not left.is_running
    other.close()
    assert rows(ours) == [(1,)]


def test_a_pid_file_that_names_a_stranger_does_not_stop_the_start(data_dir: Path, children: Children) -> None:
    server = postgres(data_dir, children)
    children.stop(server.start())
    pid_file = data_dir / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{data_dir / 'postgres'}\n1\n{server.port}\n")
    server.start()
    keep(server, 1)
    assert rows(server) == [(1,)]
    assert psutil.pid_exists(os.getpid())


FIRST_START = """
import sys
from pathlib import Path
from silkroom.config.processes.children import Children
from silkroom.config.processes.servers import PostgresServer, free_port
PostgresServer(Path(sys.argv[1]), Children(lambda name, line: None), port=free_port()).start()
"""


def test_a_first_start_that_was_cut_short_begins_anew(data_dir: Path, children: Children) -> None:
    cut = subprocess.Popen(
        [sys.executable, "-c", FIRST_START, str(data_dir)],
        env=program_environment(Environment()),
        process_group=0,
    )
    assert wait_until(lambda: any(data_dir.glob("postgres*/PG_VERSION")), seconds=60, pause=0.002)
    os.killpg(cut.pid, signal.SIGKILL)
    cut.wait()
    server = postgres(data_dir, children)
    server.start()
    keep(server, 1)
    assert rows(server) == [(1,)]
    assert not (data_dir / "postgres-new").exists()


def test_data_of_another_major_version_is_refused_untouched(data_dir: Path, children: Children) -> None:
    server = postgres(data_dir, children)
    children.stop(server.start())
    version = data_dir / "postgres" / "PG_VERSION"
    version.write_text("15\n")
    with pytest.raises(ServerError, match=r"was made by PostgreSQL 15.*backup"):
        postgres(data_dir, children).start()
    assert version.read_text() == "15\n"


def test_own_settings_beside_ours_win(data_dir: Path, children: Children) -> None:
    server = postgres(data_dir, children)
    children.stop(server.start())
    (data_dir / "postgres" / "local.conf").write_text("work_mem = 33MB\n")
    server.start()
    with psycopg.connect(server.url) as connection:
        assert connection.execute("SHOW work_mem").fetchone() == ("33MB",)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can close a folder to the user it runs servers as")
def test_root_runs_them_as_somebody_else_even_in_a_closed_folder(data_dir: Path, children: Children) -> None:
    data_dir.chmod(0o700)
    folder = data_dir / "inside"
    folder.mkdir(mode=0o711)
    child = postgres(folder, children).start()
    assert psutil.Process(child.pid).uids().effective != 0
    child = NatsServer(folder, children, port=free_port()).start()
    assert psutil.Process(child.pid).uids().effective != 0


def test_a_port_taken_meanwhile_is_a_clear_error(data_dir: Path, children: Children) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(ServerError, match=r"PostgreSQL did not start: .*(TCP/IP|Address already in use)"):
            postgres(data_dir, children, port).start()
        with pytest.raises(ServerError, match=r"nats-server did not start: .*address already in use"):
            NatsServer(data_dir, children, port=port).start()


def test_the_next_free_port_is_found() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_port_free(port)
        found = free_port(port)
        assert port < found < port + 50
        assert free_port(port, avoid=frozenset({found})) > found


def test_programs_on_path_serve_where_there_is_no_wheel(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wheel = find_postgres_programs()
    place = tmp_path / "system" / "bin"
    place.parent.mkdir()
    place.symlink_to(wheel)
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    monkeypatch.setattr("silkroom.config.processes.servers.POSTGRES_FOLDERS", ())
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ServerError, match="SILKROOM_DATABASE_URL"):
        find_postgres_programs()
    monkeypatch.setenv("PATH", str(place))
    assert find_postgres_programs() == wheel.resolve()


def test_stopping_leaves_no_process_behind(data_dir: Path) -> None:
    before = set(psutil.Process().children(recursive=True))
    children = Children(lambda _name, _line: None)
    child = postgres(data_dir, children).start()
    NatsServer(data_dir, children, port=free_port()).start()
    helpers = psutil.Process(child.pid).children(recursive=True)
    assert helpers
    children.close()
    assert wait_until(lambda: not any(one.is_running() for one in helpers), seconds=10)
    assert set(psutil.Process().children(recursive=True)) - before == set()
