"""How each process says that it is well, and how the supervisor, ``doctor`` and a load balancer ask.

web answers ``/health``, the gateway ``/gateway/health``. The background jobs serve no one, so a small server on
loopback answers for them; it says "silent" when their loop has not come round for a while, which an open port hides.
"""

from __future__ import annotations

import http.client
import json
import ssl
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

SILENT_SECONDS = 20.0
"""A loop that comes round every second and has been silent for so long hangs."""

SILENT = "silent"
"""The state that such a process gives in its health answer."""

ASK_SECONDS = 3.0


def ask(url: str, authority: Path | None = None) -> tuple[int, str]:
    """Status and body of a health address; (0, reason) when nobody answers. ``authority`` signed its certificate."""
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
        connection = http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        connection.request("GET", parts.path or "/", headers={"Accept": "application/json"})
        response = connection.getresponse()
        return response.status, response.read(65536).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()


def is_well(url: str, authority: Path | None = None) -> bool:
    """Whether the process behind ``url`` answers and says that it is well."""
    return ask(url, authority)[0] == 200


def hangs(status: int, body: str) -> bool:
    """Whether an answer of ``ask`` is that of a process that starting again may help: none, or of a silent loop.

    A process that waits for PostgreSQL says so with 503 as well; to end it would not bring PostgreSQL back.
    """
    if status == 0:
        return True
    try:
        answer = json.loads(body)
    except ValueError:
        return False
    return status == 503 and isinstance(answer, dict) and answer.get("state") == SILENT


class Pulse:
    """The health answer of a process without a port of its own. Call ``beat`` each time its loop comes round."""

    def __init__(self, process: str, port: int, host: str = "127.0.0.1") -> None:
        self._process = process
        self._beaten_at = time.monotonic()
        pulse = self

        class Answer(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                pulse.answer(self)

            def log_message(self, format: str, *args: object) -> None:
                """A health check every few seconds is no event."""

        self._server = ThreadingHTTPServer((host, port), Answer)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, name="health", daemon=True).start()

    def beat(self) -> None:
        """The loop came round."""
        self._beaten_at = time.monotonic()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        silent = time.monotonic() - self._beaten_at
        is_well = silent < SILENT_SECONDS
        body = {"process": self._process, "state": "well" if is_well else SILENT, "silent_seconds": round(silent, 1)}
        content = json.dumps(body).encode()
        handler.send_response(200 if is_well else 503)
        handler.send_header("Content-Type", "application/json")
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
