"""The server of the pages: requests reach Django whole, and slow clients hold no thread."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from silkroom.config.env import Environment, program_environment
from silkroom.config.processes.children import wait_until
from silkroom.config.processes.servers import free_port
from silkroom.config.processes.supervisor import Stack

THREADS = 2

# Tells what it was asked; /wait says so and goes on when the file is there; /break raises; /large is 8 MB.
SERVER = """
import hashlib, json, pathlib, sys, time
from granian.constants import Interfaces
from granian.server import Server

import django
django.setup()
from silkroom.config.processes.pages import Pages

folder = pathlib.Path(sys.argv[2])

class Parts(list):
    def close(self):
        (folder / "closed").touch()

def application(environ, start):
    path = environ["PATH_INFO"]
    if path == "/break":
        raise RuntimeError("broken")
    if path == "/wait":
        (folder / "begun").touch()
        while not (folder / "go").exists():
            time.sleep(0.02)
    body = environ["wsgi.input"].read()
    told = {name: value for name, value in environ.items() if isinstance(value, str)}
    told["body"], told["sum"] = len(body), hashlib.sha256(body).hexdigest()
    start("201 Created", [("Content-Type", "text/plain"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    text = json.dumps(told).encode()
    return Parts([b"x" * 8_000_000] if path == "/large" else [text[:5], text[5:]])

def load():
    return Pages(application, 2, patience_seconds=0.5, most_spooled_bytes=1536 * 1024)

Server("pages", port=int(sys.argv[1]), interface=Interfaces.RSGI, websockets=False, workers_kill_timeout=10).serve(
    target_loader=load, wrap_loader=False
)
"""


class Running:
    """The server above."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        variables = program_environment(Environment(data_dir=folder, secret_key="tests"))
        command = [sys.executable, "-c", SERVER, str(self.port), str(folder)]
        self.process = subprocess.Popen(command, env=variables, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert wait_until(self._listens, seconds=30), "it did not start"

    def _listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def ask(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request(method, path, body, {key.replace("_", "-"): text for key, text in headers.items()})
            response = connection.getresponse()
            return response, response.read()
        finally:
            connection.close()

    def told(self, method: str, path: str, body: bytes | None = None, **headers: str) -> dict[str, object]:
        response, content = self.ask(method, path, body, **headers)
        assert response.status == 201
        found: dict[str, object] = json.loads(content)
        return found


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    running = Running(tmp_path_factory.mktemp("pages"))
    yield running
    running.process.terminate()
    running.process.communicate(timeout=20)


def raw(port: int, content: bytes) -> socket.socket:
    opened = socket.create_connection(("127.0.0.1", port), timeout=30)
    opened.sendall(content)
    return opened


def read_all(opened: socket.socket) -> bytes:
    with opened.makefile("rb") as file:
        return file.read()


def test_a_request_arrives_as_it_was_sent(server: Running) -> None:
    told = server.told("GET", "/a%20b/%E6%9C%88?q=%20z", Cookie="a=1", X_Own="yes", Accept="text/html")
    assert told["PATH_INFO"] == "/a b/月".encode().decode("latin-1")
    assert (told["QUERY_STRING"], told["REQUEST_METHOD"], told["SCRIPT_NAME"]) == ("q=%20z", "GET", "")
    assert (told["HTTP_HOST"], told["SERVER_PORT"]) == (f"127.0.0.1:{server.port}", str(server.port))
    assert (told["REMOTE_ADDR"], told["wsgi.url_scheme"]) == ("127.0.0.1", "http")
    assert (told["HTTP_COOKIE"], told["HTTP_X_OWN"], told["HTTP_ACCEPT"]) == ("a=1", "yes", "text/html")


def test_headers_sent_twice_are_joined_and_doubtful_names_left_out(server: Running) -> None:
    lines = ["Host: h", "Cookie: a=1", "Cookie: b=2", "X-A: 1", "X-A: 2", "X_B: 3", "Connection: close"]
    with raw(server.port, "\r\n".join(["GET / HTTP/1.1", *lines, "", ""]).encode()) as opened:
        told = json.loads(read_all(opened).split(b"\r\n\r\n", 1)[1])
    assert (told["HTTP_COOKIE"], told["HTTP_X_A"]) == ("a=1; b=2", "1, 2")
    assert "HTTP_X_B" not in told


@pytest.mark.parametrize("size", [1, 1000, 1024**2])
def test_a_body_arrives_whole(server: Running, size: int) -> None:
    told = server.told("POST", "/", bytes(size), Content_Type="text/plain")
    assert (told["body"], told["CONTENT_LENGTH"], told["CONTENT_TYPE"]) == (size, str(size), "text/plain")


def test_a_body_larger_than_the_page_takes_is_not_waited_for(server: Running) -> None:
    head = f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {2 * 1024**2}\r\nConnection: close\r\n\r\n"
    with raw(server.port, head.encode()) as opened:
        told = json.loads(read_all(opened).split(b"\r\n\r\n", 1)[1])
    assert told["body"] == 0


def test_bodies_fill_only_so_much_at_a_time(server: Running) -> None:
    with raw(server.port, f"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: {1024**2}\r\n\r\n".encode()) as opened:
        opened.sendall(bytes(1000))
        assert wait_until(lambda: server.told("POST", "/", bytes(1024**2))["body"] == 0, seconds=10)
        assert server.told("POST", "/", bytes(60_000))["body"] == 60_000, "an ordinary form fills no file"
        opened.sendall(bytes(1024**2 - 1000))
        assert opened.recv(12) == b"HTTP/1.1 201"
    assert wait_until(lambda: server.told("POST", "/", bytes(1024**2))["body"] == 1024**2, seconds=10)


def test_an_answer_goes_out_whole(server: Running) -> None:
    response, content = server.ask("GET", "/large")
    assert (response.status, len(content)) == (201, 8_000_000)
    assert response.headers.get_all("Set-Cookie") == ["a=1", "b=2"]
    assert (server.folder / "closed").exists(), "Django would keep its connection to the database"
    response, content = server.ask("HEAD", "/large")
    assert (response.headers["Content-Length"], content) == ("8000000", b"")


def test_what_breaks_is_answered_and_the_next_is_served(server: Running) -> None:
    assert server.ask("GET", "/break")[0].status == 500
    assert server.ask("GET", "/")[0].status == 201


def test_slow_readers_hold_no_thread(server: Running) -> None:
    with ExitStack() as opened:
        for _ in range(THREADS * 4):
            opened.enter_context(raw(server.port, b"GET /large HTTP/1.1\r\nHost: h\r\n\r\n"))
        assert server.ask("GET", "/")[0].status == 201


def test_requests_under_way_are_finished_before_the_end(tmp_path: Path) -> None:
    running = Running(tmp_path)
    with raw(running.port, b"GET /wait HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n") as opened:
        assert wait_until((tmp_path / "begun").exists, seconds=20)
        running.process.terminate()
        (tmp_path / "go").touch()
        assert read_all(opened).startswith(b"HTTP/1.1 201")
    running.process.communicate(timeout=20)


def slow_sender(url: str, path: str = "/accounts/login/") -> socket.socket:
    """Says a hundred bytes and sends one."""
    parts = urlsplit(url)
    head = f"POST {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept-Language: en\r\nContent-Length: 100\r\n\r\na"
    return raw(parts.port or 0, head.encode())


def test_slow_senders_hold_no_thread_and_are_told_in_time(stack: Stack) -> None:
    with ExitStack() as opened:
        senders = [opened.enter_context(slow_sender(stack.web_url)) for _ in range(stack.environment.web_threads * 3)]
        assert stack.is_well("web"), "slow senders keep everybody waiting"
        for sender in senders:
            sender.sendall(b"b")
        answers = [read_all(sender) for sender in senders[:3]]
    for answer in answers:
        assert answer.startswith(b"HTTP/1.1 408")
        assert answer.endswith(b"This came too slowly to be taken. Please try again where the connection is better.")
