"""Django behind granian: a thread is taken only once the whole request is here, and given back before its answer goes.

granian speaks RSGI, one task of the event loop a connection. A body comes in by the client's own pace into memory (a
file where it is larger), within a time limit; Django then answers in a thread of a fixed pool, and the loop sends that.
So neither a slow sender nor a slow reader holds a thread. Under granian's own WSGI both do, and it has no time limit of
bodies.
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http import HTTPStatus
from tempfile import SpooledTemporaryFile
from typing import IO, Any

import structlog
from granian.rsgi import HTTPProtocol, Scope  # type: ignore[attr-defined]

from silkroom.config.middleware import NOT_TAKEN, most_bytes
from silkroom.kit.errors import BodyTooSlow, Busy

PATIENCE_SECONDS = 10.0
SLOWEST_BYTES = 64 * 1024
"""A body of so many bytes more may take a second longer: less than what a phone sends at the edge of a cell."""

KEPT_BYTES = 64 * 1024
"""Larger bodies wait in a file: thousands of slow senders fill no memory."""

MOST_SPOOLED_BYTES = 512 * 1024**2
"""In the files of all bodies that are on their way into this process or in work: they fill no disk either."""

Headers = list[tuple[str, str]]
Answer = tuple[int, Headers, bytes]
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

log = structlog.get_logger("silkroom.web")


class Pages:
    """A WSGI application as granian's RSGI takes it."""

    def __init__(
        self,
        application: Application,
        threads: int,
        *,
        patience_seconds: float = PATIENCE_SECONDS,
        most_spooled_bytes: int = MOST_SPOOLED_BYTES,
    ) -> None:
        self._application = application
        self._patience_seconds = patience_seconds
        self._most_spooled_bytes = most_spooled_bytes
        self._spooled_bytes = 0
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="pages")

    async def __rsgi__(self, scope: Scope, protocol: HTTPProtocol) -> None:
        environ = _environ(scope)
        length = _length(environ)
        with self._spooling(length) as has_room, SpooledTemporaryFile(max_size=KEPT_BYTES) as body:
            environ["wsgi.input"] = body
            if not has_room:
                environ[NOT_TAKEN] = Busy()
            elif not await self._take_in(body, length, protocol):
                environ[NOT_TAKEN] = BodyTooSlow()
            body.seek(0)
            loop = asyncio.get_running_loop()
            status, headers, content = await loop.run_in_executor(self._threads, self._answer, environ)
        protocol.response_bytes(status, headers, content)

    @contextlib.contextmanager
    def _spooling(self, length: int) -> Iterator[bool]:
        """Count what a body says it will fill; False when that is too much. Ordinary forms stay in memory."""
        filled = length if length > KEPT_BYTES else 0
        if self._spooled_bytes + filled > self._most_spooled_bytes and filled:
            yield False
            return
        self._spooled_bytes += filled
        try:
            yield True
        finally:
            self._spooled_bytes -= filled

    async def _take_in(self, body: IO[bytes], length: int, protocol: HTTPProtocol) -> bool:
        """False when the body did not come in time; what is left of it is not waited for."""
        if not length:
            return True
        try:
            async with asyncio.timeout(self._patience_seconds + length / SLOWEST_BYTES):
                async for chunk in protocol:
                    body.write(chunk)
        except TimeoutError:
            return False
        return True

    def _answer(self, environ: dict[str, Any]) -> Answer:
        begun: list[tuple[int, Headers]] = []

        def start(status: str, headers: Headers, _error: object = None) -> None:
            begun.append((int(status.split(" ", 1)[0]), headers))

        try:
            parts = self._application(environ, start)
            try:
                content = b"".join(parts)
            finally:
                # Django ends the request with it: connections to the database go back to their pool.
                getattr(parts, "close", lambda: None)()
            return (*begun[-1], content)
        except Exception:
            # The outermost place of a request: Django answers for its own errors, whatever gets here is a bug.
            log.exception("a page broke", path=environ["PATH_INFO"])
            return HTTPStatus.INTERNAL_SERVER_ERROR, [("Content-Type", "text/plain")], b"an error; it is in the log\n"


def _length(environ: dict[str, Any]) -> int:
    """Bytes of the body worth waiting for. Of one that is refused by its headers alone, none."""
    text = environ.get("CONTENT_LENGTH", "")
    # Ten digits: Python refuses to read a number of thousands of them.
    if not text.isdecimal() or len(text) > 10 or "HTTP_TRANSFER_ENCODING" in environ:
        return 0
    length = int(text)
    return length if length <= most_bytes(environ) else 0


def _environ(scope: Scope) -> dict[str, Any]:
    """PEP 3333's dictionary of a request."""
    host, _, port = scope.server.rpartition(":")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": scope.method,
        "SCRIPT_NAME": "",
        "PATH_INFO": scope.path.encode().decode("latin-1"),
        "QUERY_STRING": scope.query_string,
        "SERVER_NAME": host.strip("[]"),
        "SERVER_PORT": port,
        "SERVER_PROTOCOL": f"HTTP/{scope.http_version}",
        "REMOTE_ADDR": scope.client.rpartition(":")[0].strip("[]"),
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": scope.scheme,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    if scope.authority:
        environ["HTTP_HOST"] = scope.authority
    for name, value in scope.headers.items():
        # Of a name with an underscore nobody could tell whether it was written so, or with a dash.
        if "_" in name:
            continue
        key = name.upper().replace("-", "_")
        key = key if key in {"CONTENT_TYPE", "CONTENT_LENGTH"} else f"HTTP_{key}"
        if key in environ and key != "HTTP_HOST":
            value = f"{environ[key]}{';' if key == 'HTTP_COOKIE' else ','} {value}"
        environ[key] = value
    return environ
