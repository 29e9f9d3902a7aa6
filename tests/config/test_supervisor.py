"""The whole of silkroom as it runs: addresses, crashes, hangs, stops, second starts. Real processes throughout."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import ssl
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import psutil
import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes import health, supervisor
from silkroom.config.processes.certificates import CertificateError, check_given
from silkroom.config.processes.children import wait_until
from silkroom.config.processes.data_dir import AlreadyRunning, DataDir
from silkroom.config.processes.health import PASS, Identity, Pulse, ask
from silkroom.config.processes.servers import free_port
from silkroom.config.processes.supervisor import Stack, StackError

ALL = ["postgres", "nats", "gateway", "web", "jobs"]


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "silkroom", *arguments]


def silkroom(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        env={**program_environment(Environment()), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


class Up:
    """``silkroom up`` in a process of its own, as an operator starts it."""

    def __init__(self, data_dir: Path, *options: str, **settings: str) -> None:
        self.data_dir = data_dir
        self.log = data_dir.with_suffix(".out")
        with self.log.open("w") as output:
            self.process = subprocess.Popen(
                command("up", "--data-dir", str(data_dir), *options),
                env={**program_environment(Environment()), **settings},
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_ready(self) -> str:
        assert wait_until(
            lambda: "stop with Ctrl-C" in self.output() or self.process.poll() is not None, seconds=150
        ), self.output()
        found = re.search(r"^silkroom +(\S+)/$", self.output(), re.MULTILINE)
        assert found is not None, self.output()
        return found.group(1)

    def output(self) -> str:
        return self.log.read_text()

    def family(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)


@pytest.fixture
def up(data_dir: Path) -> Iterator[Callable[..., Up]]:
    started: list[Up] = []

    def start(*options: str, **settings: str) -> Up:
        one = Up(data_dir / "data", *options, **settings)
        started.append(one)
        return one

    yield start
    for one in started:
        if one.process.poll() is None:
            one.process.terminate()
            one.process.wait(timeout=60)


def test_up_prints_an_address_that_answers_and_ctrl_c_leaves_nothing(up: Callable[..., Up]) -> None:
    running = up(SILKROOM_JOBS_PORT=str(free_port()))
    url = running.wait_ready()
    assert ask(f"{url}/health")[0] == 200
    family = running.family()
    names = " ".join(" ".join(one.cmdline()) for one in family)
    assert all(word in names for word in ("run web", "run gateway", "run jobs", "postgres", "nats-server", "watchman"))
    os.killpg(running.process.pid, signal.SIGINT)
    assert running.process.wait(timeout=60) == 0, running.output()
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert alive == []
    order = re.findall(r"(\w+) +stopped", running.output())
    assert order[-2:] == ["nats", "postgres"], "what people use is stopped first, the database last"
    assert "Traceback" not in running.output()


def test_ctrl_c_while_it_starts_leaves_nothing_and_the_next_start_works(up: Callable[..., Up]) -> None:
    first = up()
    assert wait_until(lambda: "bringing tables up to date" in first.output(), seconds=60)
    family = first.family()
    os.killpg(first.process.pid, signal.SIGINT)
    assert first.process.wait(timeout=60) == 0, first.output()
    assert "Traceback" not in first.output()
    _gone, alive = psutil.wait_procs(family, timeout=5)
    assert [one for one in alive if one.status() != psutil.STATUS_ZOMBIE] == []
    up().wait_ready()


def test_kill_9_of_the_supervisor_leaves_nothing_and_the_next_start_works(up: Callable[..., Up]) -> None:
    first = up()
    first.wait_ready()
    family = first.family()
    first.process.kill()
    first.process.wait()
    _gone, alive = psutil.wait_procs(family, timeout=60)
    assert alive == []
    second = up()
    assert ask(f"{second.wait_ready()}/health")[0] == 200


def test_a_second_up_is_refused_with_the_address_of_the_first(up: Callable[..., Up]) -> None:
    running = up()
    url = running.wait_ready()
    refused = silkroom("up", "--data-dir", str(running.data_dir))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1
    assert f"already running on {running.data_dir}: {url}" in refused.stderr
    assert ask(f"{url}/health")[0] == 200
    # Other commands find the running one by the same means.
    shown = silkroom("manage", "migrate", "--check", SILKROOM_DATA_DIR=str(running.data_dir))
    assert shown.returncode == 0, shown.stderr
    looked = silkroom("doctor", "--data-dir", str(running.data_dir))
    assert looked.returncode == 0, looked.stdout
    for subject in ("database", "tables", "NATS server", "web", "gateway", "jobs"):
        assert re.search(rf"^ok +{subject} ", looked.stdout, re.MULTILINE), looked.stdout


def test_taken_ports_are_passed_over_and_found_again(data_dir: Path) -> None:
    wanted = free_port()
    with socket.create_server(("127.0.0.1", wanted)):
        with (
            Stack(data_dir / "data", environment=Environment(web_port=wanted)) as stack,
            pytest.raises(StackError, match=f"port {wanted} for web is taken on 127.0.0.1"),
        ):
            stack.start_processes(gateways=0, jobs=0)
        with socket.socket() as usual:
            usual.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            # The usual port is either taken already, or by this test.
            try:
                usual.bind(("127.0.0.1", Environment().web_port))
                usual.listen(1)
            except OSError:
                pass
            with Stack(data_dir / "data", environment=Environment(), durable_setup=False) as stack:
                stack.start_processes(gateways=0, jobs=0)
                first = stack.web_url
                assert stack.environment.web_port != Environment().web_port
    with Stack(data_dir / "data", environment=Environment()) as stack:
        stack.start_processes(gateways=0, jobs=0)
        assert stack.web_url == first


@pytest.fixture(scope="module")
def shared(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """One running installation for the tests below; each leaves it well."""
    folder = request.getfixturevalue("tmp_path_factory").mktemp("shared") / "data"
    with Stack(folder, environment=Environment(), any_ports=True, durable_setup=False) as running:
        running.start_processes()
        yield running


@pytest.mark.parametrize("name", ALL)
def test_whatever_crashes_is_started_again(shared: Stack, name: str) -> None:
    before = shared.pid(name)
    os.kill(before, signal.SIGKILL)
    assert wait_until(lambda: shared.pid(name) != before and shared.is_running(name), seconds=60)
    for one in ALL:
        assert wait_until(lambda one=one: shared.is_well(one), seconds=60), one


def test_a_process_whose_loop_is_silent_is_started_again(shared: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    before = shared.pid("jobs")
    port = free_port()
    pulse = Pulse("jobs", port, shared.environment.instance)
    try:
        with monkeypatch.context() as patched:
            # The process's own loop would have to be silent for its patience; this answer is silent at once.
            patched.setattr(health, "SILENT_SECONDS", -1.0)
            patched.setattr(supervisor, "SILENT_CHECKS", 2)
            patched.setattr(supervisor, "HEALTH_PAUSE_SECONDS", 0.1)
            patched.setitem(shared._health_urls, "jobs", f"http://127.0.0.1:{port}/health")
            assert wait_until(lambda: shared.pid("jobs") != before, seconds=60)
    finally:
        pulse.close()
    assert wait_until(lambda: shared.is_well("jobs"), seconds=60)


def test_a_killed_one_stays_down_until_it_is_wanted_again(shared: Stack) -> None:
    shared.kill("web")
    assert not shared.is_running("web")
    assert ask(f"{shared.web_url}/health")[0] == 0
    shared.restart("web")
    assert shared.is_well("web")
    before = shared.pid("web")
    shared.restart("web")
    assert shared.pid("web") != before
    assert shared.is_well("web")


def test_only_one_stack_a_folder(shared: Stack) -> None:
    with (
        Stack(shared.data_dir, environment=Environment(), any_ports=True) as second,
        pytest.raises(AlreadyRunning, match=re.escape(shared.web_url)),
    ):
        second.start_servers()
    assert DataDir(shared.data_dir).running() is not None
    assert all(shared.is_running(name) for name in ALL)


def test_each_process_writes_one_json_object_a_line(shared: Stack) -> None:
    urllib.request.urlopen(f"{shared.web_url}/accounts/login/", timeout=30).read()
    files = {path.name: path.read_text().splitlines() for path in (shared.data_dir / "logs").glob("*.log")}
    assert set(files) >= {"postgres.log", "nats.log", "gateway.log", "web.log", "jobs.log", "prepare.log"}
    for name, lines in files.items():
        for line in lines:
            event = json.loads(line)
            assert {"event", "level", "at", "process"} <= set(event), (name, line)
    assert wait_until(
        lambda: "GET /accounts/login/ 200" in (shared.data_dir / "logs" / "web.log").read_text(), seconds=10
    )
    secret = (shared.data_dir / "secrets" / "postgres_password").read_text()
    assert not any(secret in line for lines in files.values() for line in lines)


def test_a_process_that_cannot_start_is_one_clear_error(data_dir: Path, database_url: str, nats_url: str) -> None:
    environment = Environment(database_url=database_url, nats_url=nats_url, time_zone="Nowhere/Atall")
    with (
        Stack(data_dir / "data", environment=environment, any_ports=True) as stack,
        pytest.raises(StackError, match=r"Incorrect timezone setting: Nowhere/Atall"),
    ):
        stack.start_processes(gateways=0, jobs=0)


def test_a_process_alone_names_in_its_log_why_it_ends(database_url: str, nats_url: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = silkroom(
            "run",
            "web",
            SILKROOM_WEB_PORT=port,
            SILKROOM_DATABASE_URL=database_url,
            SILKROOM_NATS_URL=nats_url,
        )
    assert done.returncode == 1
    last = json.loads(done.stdout.splitlines()[-1])
    assert (last["process"], last["level"]) == ("web", "critical")
    assert "in use" in last["exception"]
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("certificate", "key", "text"),
    [
        ("/nowhere.pem", "/nowhere.key", "names /nowhere.pem, which is not there"),
        ("/nowhere.pem", "", "set both or neither"),
    ],
)
def test_a_certificate_that_is_not_there_is_named(certificate: str, key: str, text: str) -> None:
    with pytest.raises(CertificateError, match=text):
        check_given(certificate, key)


def test_pages_and_rooms_speak_https_to_who_trusts_the_authority(data_dir: Path) -> None:
    with Stack(data_dir / "data", environment=Environment(), any_ports=True, tls=True, durable_setup=False) as stack:
        stack.start_processes(jobs=0)
        assert stack.web_url.startswith("https://")
        assert stack.authority is not None
        trusting = ssl.create_default_context(cafile=str(stack.authority))
        for url in (f"{stack.web_url}/health", f"{stack.gateway_urls[0]}/gateway/health"):
            with urllib.request.urlopen(url, context=trusting, timeout=30) as answer:
                assert answer.status == 200
            with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
                urllib.request.urlopen(url, timeout=30)


def test_a_database_and_nats_of_the_users_own_take_the_place_of_ours(
    data_dir: Path, database_url: str, nats_url: str
) -> None:
    environment = Environment(database_url=database_url, nats_url=nats_url)
    with Stack(data_dir / "data", environment=environment, any_ports=True) as stack:
        stack.start_processes(gateways=0, jobs=0)
        assert stack.names() == ["web"]
        assert stack.is_well("web")
    assert not (data_dir / "data" / "postgres").exists()


def test_a_stranger_on_the_port_does_not_pass_as_the_process_that_could_not_start(
    data_dir: Path, database_url: str, nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came between the look at the port and the start."""
    port = free_port()
    with another_silkroom(port):
        monkeypatch.setattr(supervisor, "is_port_free", lambda *_: True)
        environment = Environment(database_url=database_url, nats_url=nats_url, web_port=port)
        stack = Stack(data_dir / "data", environment=environment)
        with pytest.raises(StackError, match="web did not start"):
            stack.start_processes(gateways=0, jobs=0)


@contextmanager
def another_silkroom(port: int) -> Iterator[None]:
    """Answers on the port that all is well, as web, of another start."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            reply = Identity("web", "another word").reply(Identity("web", "another word").headers()[PASS], is_well=True)
            self.send_response(reply.status)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body.encode())

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", port), Answer)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield
    server.shutdown()
    thread.join()
    server.server_close()
