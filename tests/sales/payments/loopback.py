"""A provider's side of the line, on this machine: what its documented protocol says, with real keys and signatures."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import ModuleType
from typing import Any
from urllib.parse import SplitResult, urlsplit

import pytest


@dataclass(frozen=True)
class Asked:
    """A request as the provider sees it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def url(self) -> SplitResult:
        return urlsplit(self.target)


@dataclass(frozen=True)
class Answer:
    """What the provider says."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


DROPPED = 0
"""A fault: the line is cut before an answer."""

SILENT = -1
"""A fault: no answer until the caller has given up."""


@contextmanager
def trouble(server: LoopbackProvider, fault: int, module: ModuleType) -> Iterator[None]:
    """The next request meets ``fault``; nobody waits long for silence."""
    with pytest.MonkeyPatch.context() as patch:
        if fault == SILENT:
            patch.setattr(module, "TIMEOUT_SECONDS", (5.0, 0.3))
        server.faults = [fault]
        server.released.clear()
        yield
    server.released.set()


class LoopbackProvider:
    """Answers on 127.0.0.1. ``faults``: what happens to the next requests instead, a status or DROPPED or SILENT."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.faults: list[int] = []
        self.meanwhile: Callable[[], None] | None = None
        self.released = threading.Event()
        self.base_url = ""

    def answer(self, asked: Asked) -> Answer:
        raise NotImplementedError

    def paths(self) -> list[str]:
        return [f"{one.method} {one.url.path}" for one in self.asked]

    @contextmanager
    def listening(self) -> Iterator[str]:
        provider = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def _serve(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                asked = Asked(self.command, self.path, dict(self.headers.items()), body)
                provider.asked.append(asked)
                fault = provider.faults.pop(0) if provider.faults else None
                if provider.meanwhile is not None:
                    provider.meanwhile()
                if fault == SILENT:
                    provider.released.wait(30)
                if fault in (SILENT, DROPPED):
                    self.close_connection = True
                    return
                answer = provider.answer(asked) if fault is None else Answer(fault, b"{}")
                self.send_response(answer.status)
                for name, value in answer.headers.items():
                    self.send_header(name, value)
                if answer.status != 204:
                    self.send_header("Content-Length", str(len(answer.body)))
                self.end_headers()
                self.wfile.write(answer.body)

            do_GET = do_POST = _serve

            def log_message(self, *_: Any) -> None:
                return

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        thread.start()
        self.base_url = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            yield self.base_url
        finally:
            self.released.set()
            server.shutdown()
            thread.join()
            server.server_close()
