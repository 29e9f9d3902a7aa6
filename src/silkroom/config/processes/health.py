"""How each process says that it is well, and how the supervisor, ``doctor`` and a load balancer ask.

web answers ``/health``, the gateway ``/gateway/health``. The background jobs serve no one, so a small server on
loopback answers for them; it says "silent" when their loop has not come round for a while, which an open port hides.

Strangers hear "ok" or "not ok". Whoever started the process shares a word with it (SILKROOM_INSTANCE) and hears more,
with a proof of the same word and of a number used once, which the question brings: what else may listen on the port
cannot pass as the process that was started, not even with an answer heard before. The word itself does not travel.
"""

from __future__ import annotations

import hashlib
import hmac
import http.client
import json
import secrets
import ssl
import threading
import time
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

SILENT_SECONDS = 20.0
"""A loop that comes round every second and has been silent for so long hangs."""

SILENT = "silent"
"""The state that such a process gives in its health answer."""

ASK_SECONDS = 3.0

PASS = "Silkroom-Pass"  # noqa: S105 - its name
"""The header with which whoever started a process asks it."""


class Reply(NamedTuple):
    """A health answer."""

    status: int
    content_type: str
    body: str


@dataclass(frozen=True)
class Identity:
    """A process (``web``, ``gateway``, ``jobs``) of one start; ``instance`` is that start's word, empty without."""

    process: str
    instance: str

    def headers(self, nonce: str = "") -> dict[str, str]:
        """Of a question to this process; ``nonce``: whoever wants to know whether it `is_of` it makes one for each."""
        nonce = nonce or make_nonce()
        return {PASS: f"{nonce} {self._proof('ask', nonce)}"} if self.instance else {}

    def reply(self, given: str | None, *, is_well: bool, **details: Any) -> Reply:
        """The answer of this process to a question with ``given`` as its pass."""
        status = 200 if is_well else 503
        nonce, _, proof = (given or "").partition(" ")
        if not self.instance or not _same(proof, self._proof("ask", nonce)):
            return Reply(status, "text/plain", "ok\n" if is_well else "not ok\n")
        told = {"process": self.process, "proof": self._proof(self.process, nonce), **details}
        return Reply(status, "application/json", json.dumps(told))

    def is_of(self, body: str, nonce: str) -> bool:
        """Whether this process gave the answer to the question with this nonce."""
        try:
            told = json.loads(body)
        except ValueError:
            return False
        return isinstance(told, dict) and _same(str(told.get("proof")), self._proof(self.process, nonce))

    def _proof(self, of: str, nonce: str) -> str:
        return hmac.new(self.instance.encode(), f"{of} {nonce}".encode(errors="replace"), hashlib.sha256).hexdigest()


def make_nonce() -> str:
    return secrets.token_hex(16)


def _same(given: str, true: str) -> bool:
    # Compared as bytes, of anything a header or a body may hold.
    return hmac.compare_digest(given.encode(errors="replace"), true.encode())


def ask(url: str, authority: Path | None = None, identity: Identity | None = None) -> tuple[int, str]:
    """Status and body of a health address; (0, reason) when nobody answers. ``authority`` signed its certificate.

    With the ``identity`` of the process that should be there, an answer of anybody else is (0, "…") as well.
    """
    parts = urlsplit(url)
    host, port = parts.hostname or "127.0.0.1", parts.port or (443 if parts.scheme == "https" else 80)
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        context = ssl.create_default_context(cafile=None if authority is None else str(authority))
        connection = http.client.HTTPSConnection(host, port, timeout=ASK_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, port, timeout=ASK_SECONDS)
    try:
        nonce = make_nonce()
        connection.request("GET", parts.path or "/", headers={} if identity is None else identity.headers(nonce))
        response = connection.getresponse()
        body = response.read(65536).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return 0, str(error) or type(error).__name__
    finally:
        connection.close()
    if identity is not None and not identity.is_of(body, nonce):
        return 0, f"something else than this silkroom's {identity.process} answers at {host}:{port}"
    return response.status, body


def is_well(url: str, authority: Path | None = None, identity: Identity | None = None) -> bool:
    """Whether the process behind ``url`` answers and says that it is well."""
    return ask(url, authority, identity)[0] == 200


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

    def __init__(self, process: str, port: int, instance: str = "", host: str = "127.0.0.1") -> None:
        self._identity = Identity(process, instance)
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
        reply = self._identity.reply(
            handler.headers.get(PASS),
            is_well=is_well,
            state="well" if is_well else SILENT,
            silent_seconds=round(silent, 1),
        )
        content = reply.body.encode()
        handler.send_response(reply.status)
        handler.send_header("Content-Type", reply.content_type)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)
