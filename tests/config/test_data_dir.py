"""One supervisor a folder; what a killed one left is ended; ports are remembered."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes.data_dir import AlreadyRunning, DataDir, DataDirError, State

HOLDER = """
import sys, time
from pathlib import Path
from silkroom.config.processes.data_dir import DataDir, State
import os
data = DataDir(Path(sys.argv[1]))
data.lock("up")
data.tell(State(pid=os.getpid(), purpose="up", web_urls=("http://127.0.0.1:8765",)))
print("locked", flush=True)
time.sleep(600)
"""


def hold(folder: Path) -> subprocess.Popen[str]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)],
        env=program_environment(Environment()),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "locked\n"
    holder.stdout.close()
    return holder


def test_a_second_one_is_refused_with_the_addresses_of_the_first(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    try:
        data = DataDir(tmp_path)
        state = data.running()
        assert state is not None
        assert (state.pid, state.web_urls) == (holder.pid, ("http://127.0.0.1:8765",))
        with pytest.raises(AlreadyRunning, match=rf"already running on .*http://127.0.0.1:8765.*process {holder.pid}"):
            data.lock("demo")
    finally:
        holder.kill()
        holder.wait()


def test_the_lock_of_a_killed_one_does_not_stay(tmp_path: Path) -> None:
    holder = hold(tmp_path)
    holder.kill()
    holder.wait()
    data = DataDir(tmp_path)
    assert data.running() is None
    data.lock("up")
    assert data.running() == State(pid=os.getpid(), purpose="up")
    data.unlock()
    assert data.running() is None


def test_children_that_outlived_everything_are_ended_but_not_a_namesake(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import time; time.sleep(600)"]
    orphan = subprocess.Popen(command, process_group=0)
    stranger = subprocess.Popen(command, process_group=0)
    try:
        data = DataDir(tmp_path)
        data.create()
        data.remember_children([orphan.pid])
        # The number of a child that is gone, given to somebody else since.
        kept = tmp_path / "run" / "children.json"
        kept.write_text(
            kept.read_text()[:-1] + f", [{stranger.pid}, {psutil.Process(stranger.pid).create_time() - 99}]]"
        )
        data.lock("up")
        data.unlock()
        orphan.wait(timeout=10)
        assert stranger.poll() is None
    finally:
        for process in (orphan, stranger):
            process.kill()
            process.wait()


def test_ports_are_remembered_one_by_one(tmp_path: Path) -> None:
    data = DataDir(tmp_path)
    data.create()
    data.remember_ports({"web": 8000, "postgres": 5433})
    data.remember_ports({"web": 8004})
    assert data.ports() == {"web": 8004, "postgres": 5433}
    (tmp_path / "run" / "ports.json").write_text("{half")
    assert data.ports() == {}


def test_a_place_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirError, match="cannot make the data folder"):
        DataDir(tmp_path / "file" / "data").create()
