"""Starts all of silkroom on one machine, keeps it running, and leaves nothing behind.

``Stack`` is what ``up``, ``demo``, the benchmarks and the tests use: the two servers (unless the user has their own),
the tables brought up to date, then gateways, web and jobs as child processes. Whatever ends without being asked is
started again, after a pause that doubles while it keeps failing.
"""

from __future__ import annotations

import os
import secrets
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Self

from silkroom.config.env import ROOT, Environment, program_environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.certificates import Certificate, check_given, ensure_certificate, lan_addresses
from silkroom.config.processes.children import STOP_SECONDS, Child, Children, allow_many_files, wait_until
from silkroom.config.processes.data_dir import DataDir, State
from silkroom.config.processes.health import Identity, ask, hangs
from silkroom.config.processes.logs import LEVELS, LogFiles, LogLine, read_line
from silkroom.config.processes.servers import (
    NATS_PORT,
    POSTGRES_PORT,
    NatsServer,
    PostgresServer,
    ServerError,
    free_port,
    is_port_free,
)

FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
SETTLED_SECONDS = 60.0
"""A process that ran so long starts with the first pause again when it fails."""

READY_SECONDS = 90.0
HEALTH_PAUSE_SECONDS = 5.0
SILENT_CHECKS = 6
"""After so many health checks without an answer, or with that of a silent loop, a process hangs: half a minute. It is
started again."""

ANY_HOST = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to

Report = Callable[[LogLine], None]
"""Told each event, of silkroom's processes and of the supervisor itself, for the terminal."""


class StackError(OperationError):
    """silkroom cannot start; the text is one line for a person."""


class Keeper:
    """One process that is to run: starts it, and again when it ends without being asked."""

    def __init__(self, name: str, start: Callable[[], Child], children: Children, tell: Callable[..., None]) -> None:
        self.name = name
        self.child: Child | None = None
        self._start = start
        self._children = children
        self._tell = tell
        self._wanted = False
        self._woken = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def is_running(self) -> bool:
        return self.child is not None and self.child.is_running

    def run(self) -> None:
        """Start it now, in this thread, and keep it from now on. Raises what its start raises."""
        with self._woken:
            self._wanted = True
        self.child = self._start()
        self._thread = threading.Thread(target=self._keep, name=f"keeper of {self.name}", daemon=True)
        self._thread.start()

    def let_go(self) -> Child | None:
        """From now on its end is no surprise. Returns the child, which may still run."""
        with self._woken:
            self._wanted = False
            self._woken.notify_all()
        return self.child

    def join(self) -> None:
        """Wait until nothing would start it any more."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()
            self._thread = None

    def _keep(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while self.child is not None:
            started_at = time.monotonic()
            self._children.wait(self.child)
            if not self._wanted:
                return
            if time.monotonic() - started_at > SETTLED_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._tell(f"{self.child.stopped_because()}; starting again", level="error", process=self.name)
            while not self._start_again(pause):
                if not self._wanted:
                    return
                pause = min(pause * 2, LONGEST_PAUSE_SECONDS)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    def _start_again(self, pause: float) -> bool:
        with self._woken:
            if self._woken.wait_for(lambda: not self._wanted, timeout=pause):
                return False
        try:
            child = self._start()
        except ServerError as error:
            self._tell(str(error), level="error", process=self.name)
            return False
        with self._woken:
            self.child = child
            if self._wanted:
                return True
        # Let go while it was starting: whoever did so has not seen this child.
        self._children.stop(child)
        return False


class Stack:
    """All of silkroom over one data folder. Use as a context manager, or call ``stop`` in the end.

    ``environment``: settings (default: those of this process); a database_url or nats_url in it takes the place of the
    embedded server. ``any_ports``: take free ports anywhere instead of the usual ones (tests, benchmarks).
    """

    def __init__(
        self,
        data_dir: Path,
        *,
        environment: Environment | None = None,
        report: Report | None = None,
        purpose: str = "up",
        tls: bool = False,
        any_ports: bool = False,
        fixed_web_port: bool = False,
        durable_setup: bool = True,
    ) -> None:
        given = Environment.read() if environment is None else environment
        self._environment = replace(given, data_dir=data_dir.resolve(), instance=secrets.token_urlsafe(24))
        self._data = DataDir(self._environment.data_dir)
        self._report = report
        self._purpose = purpose
        self._tls = tls
        self._any_ports = any_ports
        self._fixed_web_port = fixed_web_port
        self._durable_setup = durable_setup
        self._certificate: Certificate | None = None
        self._children = Children(self._take_line)
        self._log_files: LogFiles | None = None
        self._keepers: dict[str, Keeper] = {}
        self._health_urls: dict[str, str] = {}
        self._taken_ports: set[int] = set()
        self._state = State(pid=os.getpid(), purpose=purpose, instance=self._environment.instance)
        self._stopping = threading.Event()
        self._lock = threading.RLock()
        self._is_started = False

    # --- what callers ask

    @property
    def environment(self) -> Environment:
        """The settings as its processes have them: with the addresses of the servers and the ports taken."""
        return self._environment

    @property
    def data_dir(self) -> Path:
        return self._environment.data_dir

    @property
    def database_url(self) -> str:
        return self._environment.database_url

    @property
    def nats_url(self) -> str:
        return self._environment.nats_url

    @property
    def web_url(self) -> str:
        """Address of the pages from this machine, without a slash at the end."""
        return self.web_urls[0]

    @property
    def web_urls(self) -> tuple[str, ...]:
        return self._state.web_urls

    @property
    def gateway_urls(self) -> tuple[str, ...]:
        """Address of each gateway from this machine, without ``/gateway``."""
        return self._state.gateway_urls

    @property
    def jobs_urls(self) -> tuple[str, ...]:
        return self._state.jobs_urls

    @property
    def lan_urls(self) -> list[str]:
        """Addresses of the pages for other devices; empty while only loopback listens."""
        if self._environment.host not in ANY_HOST:
            return []
        return [f"{self._scheme}://{address}:{self._environment.web_port}" for address in lan_addresses()]

    @property
    def authority(self) -> Path | None:
        """The certificate that devices must trust; None without ``tls``."""
        return None if self._certificate is None else self._certificate.authority

    def names(self) -> list[str]:
        """Names of the kept processes, in the order in which they were started."""
        return list(self._keepers)

    def pid(self, name: str) -> int:
        """Process number of ``postgres``, ``nats``, ``web``, ``gateway``, ``gateway-2``, ``jobs``."""
        child = self._keepers[name].child
        assert child is not None
        return child.pid

    def is_running(self, name: str) -> bool:
        return self._keepers[name].is_running

    def is_well(self, name: str) -> bool:
        """Whether the process runs and its health check says so."""
        return self.is_running(name) and (name not in self._health_urls or self._answers(name))

    def variables(self) -> dict[str, str]:
        """Environment for a program that is to use this stack: ours, with its settings."""
        return program_environment(self._environment)

    # --- start

    def start_servers(self) -> None:
        """PostgreSQL and NATS only. Raises AlreadyRunning, DataDirError or ServerError."""
        allow_many_files()
        self._data.lock(self._purpose)
        self._log_files = LogFiles(self._data.logs)
        self._is_started = True
        try:
            self._start_postgres()
            self._start_nats()
        except BaseException:
            self.stop()
            raise

    def start_processes(self, gateways: int = 1, web: int = 1, jobs: int = 1) -> None:
        """Bring the tables up to date, start the given number of each process, and wait until all are well."""
        try:
            if not self._is_started:
                self.start_servers()
            self._choose_addresses(gateways, web, jobs)
            self.prepare()
            for kind, count in (("gateway", gateways), ("web", web), ("jobs", jobs)):
                for number in range(count):
                    self._add_process(kind, number)
            for name in self._health_urls:
                self._wait_well(name)
            threading.Thread(target=self._watch_health, name="health checks", daemon=True).start()
        except BaseException:
            self.stop()
            raise

    def prepare(self) -> None:
        """Translations, tables, static files."""
        self.tell("bringing tables up to date", process="prepare")
        child = self._children.start("prepare", _command("prepare"), environment=self.variables(), folder=ROOT)
        self._children.wait(child)
        if child.process.returncode != 0:
            raise StackError(f"cannot bring the tables up to date: {_last_words(child)}")

    # --- while it runs

    def kill(self, name: str) -> None:
        """SIGKILL, as a crash would; it stays down until ``restart``."""
        child = self._keepers[name].let_go()
        if child is not None:
            self._children.kill(child)
        self._keepers[name].join()

    def restart(self, name: str) -> None:
        """Start it again (after a clean stop if it still runs) and wait until it is well."""
        keeper = self._keepers[name]
        child = keeper.let_go()
        if child is not None:
            self._children.stop(child)
        keeper.join()
        keeper.run()
        self._remember_children()
        self._wait_well(name)

    def wait(self) -> None:
        """Block until ``stop`` is called from elsewhere."""
        self._stopping.wait()

    def tell(self, text: str, *, level: str = "info", process: str = "silkroom") -> None:
        """An event of the supervisor itself, about a process."""
        self._take(LogLine.of(process, level, text, is_told=True))

    # --- stop

    def kill_all(self) -> None:
        """End every process at once, for somebody who cannot wait for ``stop``. Safe to call from a signal handler."""
        self._children.signal_all(signal.SIGKILL)

    def stop(self) -> None:
        """Stop everything in order: what people use first, PostgreSQL last. May be called twice."""
        with self._lock:
            self._stopping.set()
            if not self._is_started:
                self._children.close()
                return
            people = [name for name in self._keepers if name not in ("postgres", "nats")]
            for names in (people, ["nats"], ["postgres"]):
                self._stop_together([name for name in names if name in self._keepers])
            self._children.close()
            self._is_started = False
            self._data.unlock()
            if self._log_files is not None:
                self._log_files.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    # --- inside

    @property
    def _scheme(self) -> str:
        return "https" if self._certificate is not None or self._environment.tls_certificate else "http"

    def _start_postgres(self) -> None:
        if self._environment.database_url:
            return
        server = PostgresServer(
            self.data_dir,
            self._children,
            port=self._port("postgres", POSTGRES_PORT),
            durable_setup=self._durable_setup,
        )
        self.tell("making a new database" if server.is_new else "starting", process="postgres")
        self._keep("postgres", server.start)
        self._environment = replace(self._environment, database_url=server.url)
        self._state = replace(self._state, postgres_port=server.port)
        self._publish({"postgres": server.port})

    def _start_nats(self) -> None:
        if self._environment.nats_url:
            return
        server = NatsServer(self.data_dir, self._children, port=self._port("nats", NATS_PORT))
        self._keep("nats", server.start)
        self._environment = replace(self._environment, nats_url=server.url)
        self._state = replace(self._state, nats_port=server.port)
        self._publish({"nats": server.port})

    def _choose_addresses(self, gateways: int, web: int, jobs: int) -> None:
        if not self._tls:
            check_given(self._environment.tls_certificate, self._environment.tls_key)
        else:
            self._certificate = ensure_certificate(self.data_dir / "tls", self._environment.allowed_hosts)
            self._environment = replace(
                self._environment,
                tls_certificate=str(self._certificate.certificate),
                tls_key=str(self._certificate.key),
            )
        if self._environment.host in ANY_HOST:
            hosts = (*self._environment.allowed_hosts, *lan_addresses())
            self._environment = replace(self._environment, allowed_hosts=tuple(dict.fromkeys(hosts)))
        defaults = Environment()
        # A port that somebody asked for, be it the usual one, is not exchanged for another.
        usual = 0 if self._fixed_web_port else defaults.web_port
        web_ports = self._ports("web", self._environment.web_port, usual, web)
        gateway_ports = self._ports("gateway", self._environment.gateway_port, defaults.gateway_port, gateways)
        jobs_ports = self._ports("jobs", self._environment.jobs_port, defaults.jobs_port, jobs)
        if web_ports:
            self._environment = replace(self._environment, web_port=web_ports[0])
        if gateway_ports:
            self._environment = replace(self._environment, gateway_port=gateway_ports[0])
        if jobs_ports:
            self._environment = replace(self._environment, jobs_port=jobs_ports[0])
        here = "127.0.0.1" if self._environment.host in ANY_HOST else self._environment.host
        here = f"[{here}]" if ":" in here else here
        self._state = replace(
            self._state,
            web_urls=tuple(f"{self._scheme}://{here}:{port}" for port in web_ports),
            gateway_urls=tuple(f"{self._scheme}://{here}:{port}" for port in gateway_ports),
            jobs_urls=tuple(f"http://127.0.0.1:{port}" for port in jobs_ports),
            tls=self._scheme == "https",
        )
        first = {"web": web_ports, "gateway": gateway_ports, "jobs": jobs_ports}
        self._publish({name: ports[0] for name, ports in first.items() if ports})

    def _ports(self, kind: str, wanted: int, usual: int, count: int) -> list[int]:
        """Ports for ``count`` processes of a kind; one that differs from the usual was asked for and is kept to."""
        host = "127.0.0.1" if kind == "jobs" else self._environment.host
        is_fixed = wanted != usual and not self._any_ports
        if count and is_fixed and not is_port_free(wanted, host):
            raise StackError(f"port {wanted} for {kind} is taken on {host}: stop what listens there or choose another")
        ports: list[int] = []
        for number in range(count):
            if is_fixed and number == 0:
                ports.append(wanted)
            else:
                taken = frozenset({*ports, *self._taken_ports})
                ports.append(self._port(kind if number == 0 else "", wanted, host, taken))
        self._taken_ports.update(ports)
        if ports and ports[0] != wanted and not self._any_ports:
            self.tell(f"port {wanted} is taken, using {ports[0]}", process=kind)
        return ports

    def _port(self, name: str, default: int, host: str = "127.0.0.1", avoid: frozenset[int] = frozenset()) -> int:
        """The port this folder had last time, else the usual one, else a free one near it."""
        if self._any_ports:
            return free_port(0, host, avoid)
        remembered = self._data.ports().get(name, 0)
        if remembered and remembered not in avoid and is_port_free(remembered, host):
            return remembered
        return free_port(default, host, avoid)

    def _publish(self, ports: Mapping[str, int]) -> None:
        if not self._any_ports:
            self._data.remember_ports(dict(ports))
        self._data.tell(self._state)

    def _keep(self, name: str, start: Callable[[], Child]) -> None:
        keeper = Keeper(name, start, self._children, self.tell)
        keeper.run()
        self._keepers[name] = keeper
        self._remember_children()

    def _remember_children(self) -> None:
        running = [keeper.child for keeper in self._keepers.values() if keeper.child is not None]
        self._data.remember_children([child.pid for child in running])

    def _add_process(self, kind: str, number: int) -> None:
        name = kind if number == 0 else f"{kind}-{number + 1}"
        environment = self._environment
        if kind == "web":
            environment = replace(environment, web_port=_port_of(self.web_urls[number]))
            self._health_urls[name] = f"{self.web_urls[number]}/health"
        elif kind == "gateway":
            environment = replace(environment, gateway_port=_port_of(self.gateway_urls[number]))
            self._health_urls[name] = f"{self.gateway_urls[number]}/gateway/health"
        else:
            environment = replace(environment, jobs_port=_port_of(self.jobs_urls[number]))
            self._health_urls[name] = f"{self.jobs_urls[number]}/health"
        variables = program_environment(environment)
        self._keep(
            name,
            lambda: self._children.start(name, _command(kind), environment=variables, folder=ROOT),
        )

    def _answers(self, name: str) -> bool:
        return self._ask(name)[0] == 200

    def _ask(self, name: str) -> tuple[int, str]:
        """Status and body of the process's own health answer; (0, reason) also when somebody else gives it."""
        identity = Identity(name.partition("-")[0], self._environment.instance)
        return ask(self._health_urls[name], self.authority, identity)

    def _wait_well(self, name: str) -> None:
        keeper = self._keepers[name]
        if name not in self._health_urls:
            return
        first = keeper.child
        wait_until(
            lambda: keeper.child is not first or not keeper.is_running or self._answers(name), seconds=READY_SECONDS
        )
        if keeper.child is first and keeper.is_running and self._answers(name):
            self.tell("ready", process=name)
            return
        assert first is not None
        reason = _last_words(first) if not first.is_running else self._ask(name)[1]
        raise StackError(f"{name} did not start: {reason}")

    def _watch_health(self) -> None:
        silent = dict.fromkeys(self._health_urls, 0)
        while not self._stopping.wait(HEALTH_PAUSE_SECONDS):
            for name in self._health_urls:
                keeper = self._keepers[name]
                if not keeper.is_running:
                    silent[name] = 0
                    continue
                silent[name] = silent[name] + 1 if hangs(*self._ask(name)) else 0
                if silent[name] >= SILENT_CHECKS and keeper.child is not None:
                    self.tell("hangs; ending it", level="error", process=name)
                    silent[name] = 0
                    self._children.kill(keeper.child)

    def _stop_together(self, names: list[str]) -> None:
        children = [(name, self._keepers[name].let_go()) for name in names]
        threads = [
            threading.Thread(target=self._stop_one, args=(name, child), name=f"stopping {name}")
            for name, child in children
            if child is not None
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for name in names:
            self._keepers[name].join()

    def _stop_one(self, name: str, child: Child) -> None:
        self._children.stop(child, STOP_SECONDS)
        self.tell("stopped", process=name)

    def _take_line(self, process: str, line: str) -> None:
        self._take(read_line(process, line))

    def _take(self, line: LogLine) -> None:
        if self._log_files is not None:
            self._log_files.write(line)
        # While everything stops, each notices that the others go; that is for the log files.
        is_farewell = self._stopping.is_set() and not line.is_told and LEVELS.get(line.level, 20) < LEVELS["error"]
        if self._report is not None and not is_farewell:
            self._report(line)


def _port_of(url: str) -> int:
    return int(url.rsplit(":", 1)[1])


def _command(process: str) -> list[str]:
    return [sys.executable, "-m", "silkroom", "run", process]


def _last_words(child: Child) -> str:
    """The last thing the process said that a person can use, else how it ended."""
    for line in reversed(child.last_lines):
        words = read_line(child.name, line)
        if words.level in ("error", "critical"):
            return words.text
    return child.last_lines[-1] if child.last_lines else child.stopped_because()
