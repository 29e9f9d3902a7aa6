"""How the sandbox's notices travel: a real HTTP request to the address that any provider would be given."""

from __future__ import annotations

import http.client
import secrets
import ssl
from dataclasses import dataclass
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse

from silkroom.kit.clock import now

from .models import SandboxCharge
from .sandbox import NAME, SandboxProvider, notice_of, signing_key
from .signing import sign

TIMEOUT_SECONDS = 5.0
ANY_HOST = ("0.0.0.0", "::", "")  # noqa: S104 - compared with, not bound to


@dataclass(frozen=True)
class Delivery:
    """How a delivery went. ``status`` 0: nobody answered; ``reason`` is for the log."""

    status: int
    accepted: bool
    reason: str


def send_notice(charge: SandboxCharge, *, base_url: str = "") -> Delivery:
    """Sign anew and send once. Never raises for what goes wrong on the way."""
    body = notice_of(charge)
    headers = sign(signing_key(), seconds=int(now().timestamp()), nonce=secrets.token_hex(16), body=body)
    headers["Content-Type"] = "application/json"
    try:
        status, answer = _post(base_url or web_url(), reverse("sales:notify", args=[NAME]), headers, body)
    except (OSError, http.client.HTTPException) as error:
        return Delivery(0, False, str(error) or type(error).__name__)
    accepted = status == 200 and answer.strip() == SandboxProvider.accepted
    return Delivery(status, accepted, "" if accepted else answer[:200])


def web_url() -> str:
    """Where this installation's pages answer, seen from its own background jobs."""
    environment = settings.ENVIRONMENT
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL)
    host = "127.0.0.1" if environment.host in ANY_HOST else environment.host
    host = f"[{host}]" if ":" in host else host
    return f"{'https' if environment.tls_certificate else 'http'}://{host}:{environment.web_port}"


def _post(base_url: str, path: str, headers: dict[str, str], body: bytes) -> tuple[int, str]:
    parts = urlsplit(base_url)
    host = parts.hostname or "127.0.0.1"
    connection: http.client.HTTPConnection
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(
            host, parts.port or 443, timeout=TIMEOUT_SECONDS, context=_trust(settings.ENVIRONMENT.tls_certificate)
        )
    else:
        connection = http.client.HTTPConnection(host, parts.port or 80, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("POST", parts.path.rstrip("/") + path, body=body, headers=headers)
        response = connection.getresponse()
        return response.status, response.read(4096).decode("utf-8", errors="replace")
    finally:
        connection.close()


def _trust(certificate: str) -> ssl.SSLContext:
    """The usual authorities, and the certificate that this installation serves with itself."""
    context = ssl.create_default_context()
    if certificate:
        context.load_verify_locations(cafile=certificate)
        context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
