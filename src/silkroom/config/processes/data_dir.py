"""The data folder of one installation: who runs on it, on which ports it was last seen, what was left behind.

    postgres/  nats/   the embedded servers        secrets/   passwords and keys made at the first start
    storage/           pictures and recordings     logs/      one file a process
    static/            collected static files      tls/       certificate of --tls
    run/               lock, state and ports of whoever runs now

Only one supervisor at a time holds the lock of a folder. It is a lock of the operating system on an open file, so it
goes with its holder, however that ends.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import signal
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from silkroom.config.errors import OperationError

SUBFOLDERS = ("logs", "run", "secrets")


class DataDirError(OperationError):
    """The data folder cannot be used; the text says why and what to do."""


@dataclass(frozen=True)
class State:
    """What the running supervisor says about itself. Addresses may be empty while it starts."""

    pid: int
    purpose: str
    web_urls: tuple[str, ...] = ()
    gateway_urls: tuple[str, ...] = ()
    jobs_urls: tuple[str, ...] = ()
    postgres_port: int = 0
    nats_port: int = 0
    tls: bool = False
    instance: str = ""


class AlreadyRunning(DataDirError):
    """Another supervisor holds the folder."""

    def __init__(self, data_dir: Path, state: State | None) -> None:
        self.state = state
        if state is None:
            super().__init__(f"another silkroom is using {data_dir}")
        else:
            addresses = ", ".join(state.web_urls) or "no pages"
            super().__init__(
                f"already running on {data_dir}: {addresses} (silkroom {state.purpose}, process {state.pid})"
            )


@dataclass
class DataDir:
    """One data folder. Read-only questions need no lock; ``lock`` makes it ours until ``unlock``."""

    path: Path
    _held: IO[str] | None = field(default=None, repr=False)

    @property
    def logs(self) -> Path:
        return self.path / "logs"

    @property
    def _state_file(self) -> Path:
        return self.path / "run" / "state.json"

    def create(self) -> None:
        """Make the folder and its parts. As root others may pass through, to the servers' own folders, but not look."""
        try:
            if not self.path.exists():
                self.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True)
            for name in SUBFOLDERS:
                (self.path / name).mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise DataDirError(f"cannot make the data folder {self.path}: {error.strerror}") from None

    def lock(self, purpose: str) -> None:
        """Become the one that runs here; raises AlreadyRunning. Ends what a killed predecessor left running."""
        self.create()
        # Not truncated on opening: the pid in it is the holder's.
        file = (self.path / "run" / "lock").open("a+", encoding="ascii")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.close()
            raise AlreadyRunning(self.path, self._read_state()) from None
        self._held = file
        self._end_leftovers()
        self.tell(State(pid=os.getpid(), purpose=purpose))

    def unlock(self) -> None:
        if self._held is None:
            return
        for name in ("state.json", "children.json"):
            (self.path / "run" / name).unlink(missing_ok=True)
        self._held.close()
        self._held = None

    def running(self) -> State | None:
        """Who runs on this folder now; None when nobody does."""
        try:
            file = (self.path / "run" / "lock").open(encoding="ascii")
        except OSError:
            return None
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return self._read_state() or State(pid=0, purpose="up")
        return None

    def tell(self, state: State) -> None:
        """Let other commands find us."""
        self._write("state.json", {**vars(state)})

    def remember_children(self, pids: list[int]) -> None:
        """Keep who our children are, in case we are killed together with the watchman."""
        known = []
        for pid in pids:
            with contextlib.suppress(psutil.Error):
                known.append([pid, psutil.Process(pid).create_time()])
        self._write("children.json", known)

    def ports(self) -> dict[str, int]:
        """Ports of the last run, so that addresses people noted stay good."""
        remembered = self._read("ports.json")
        return remembered if isinstance(remembered, dict) else {}

    def remember_ports(self, ports: dict[str, int]) -> None:
        self._write("ports.json", {**self.ports(), **ports})

    def _end_leftovers(self) -> None:
        for pid, created_at in self._read("children.json") or []:
            with contextlib.suppress(psutil.Error, ProcessLookupError, PermissionError):
                # The moment of creation tells our child from whoever got its number since.
                if abs(psutil.Process(pid).create_time() - created_at) < 0.01:
                    psutil.Process(pid).send_signal(signal.SIGINT)
                    psutil.wait_procs([psutil.Process(pid)], timeout=5)
                    os.killpg(pid, signal.SIGKILL)

    def _read_state(self) -> State | None:
        found = self._read("state.json")
        if not isinstance(found, dict):
            return None
        lists = {name: tuple(found.get(name, ())) for name in ("web_urls", "gateway_urls", "jobs_urls")}
        return State(**{**found, **lists})

    def _read(self, name: str) -> Any:
        try:
            return json.loads((self.path / "run" / name).read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return None

    def _write(self, name: str, content: object) -> None:
        file = self.path / "run" / name
        draft = file.with_suffix(".new")
        draft.write_text(json.dumps(content), encoding="utf-8")
        draft.replace(file)
