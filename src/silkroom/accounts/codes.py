"""How a code reaches a phone. SILKROOM_PHONE_CODES says who sends it, so that any provider of text messages fits in.

Empty: nobody, and pages offer e-mail alone. An address: silkroom posts to it (a webhook), from a background job that
tries again. ``terminal``: printed, for the demo. Else the dotted path of a class of one's own.

A code waits for its job sealed with the installation's key: neither the queue's table nor a log shows it.
"""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import ssl
import sys
from typing import Protocol
from urllib.parse import SplitResult, urlsplit

import structlog
from cryptography.fernet import Fernet, InvalidToken
from django.conf import settings
from django.utils.module_loading import import_string
from django.utils.translation import gettext
from procrastinate.contrib.django import app

from .rules import hide_phone

TASK = "accounts.send_phone_code"

GOOD_SECONDS = 15 * 60
"""As long as django-allauth takes a code (ACCOUNT_PHONE_VERIFICATION_TIMEOUT); later nobody needs it any more."""

POST_SECONDS = 10.0

WEBHOOKS = ("https://", "http://")

log = structlog.get_logger(__name__)


class CodeNotSent(RuntimeError):
    """The webhook did not take the code. The text names neither the code nor the whole number."""


class CodeSender(Protocol):
    """Sends a code to a phone. ``text`` is the whole message in the person's language. Raises nothing for an
    unreachable number: the person asks again."""

    def send_code(self, *, phone: str, code: str, text: str) -> None: ...


class TerminalSender:
    """Prints the code on the error stream of the web process: for the demo, where phones are invented."""

    def send_code(self, *, phone: str, code: str, text: str) -> None:
        log.info("phone code printed", phone=hide_phone(phone))
        sys.stderr.write(f"code for {phone}: {code}\n")
        sys.stderr.flush()


class WebhookSender:
    """Leaves the code to a job, which posts it."""

    def send_code(self, *, phone: str, code: str, text: str) -> None:
        app.configure_task(TASK).defer(sealed=_seal({"phone": phone, "code": code, "text": text}))
        log.info("phone code queued", phone=hide_phone(phone))


def chosen_sender() -> CodeSender | None:
    """The sender of this installation; None where phones are not reached."""
    name = settings.ENVIRONMENT.phone_codes
    if not name:
        return None
    if name.startswith(WEBHOOKS):
        return WebhookSender()
    sender: CodeSender = TerminalSender() if name == "terminal" else import_string(name)()
    return sender


def message_of(code: str) -> str:
    """What the phone shows."""
    return gettext("Your code is %(code)s. It holds for %(minutes)s minutes. Give it to nobody.") % {
        "code": code,
        "minutes": GOOD_SECONDS // 60,
    }


def post_code(sealed: str) -> None:
    """Post a sealed code to the webhook. Raises CodeNotSent; one that nobody can use any more is dropped."""
    try:
        told = json.loads(_box().decrypt(sealed.encode(), ttl=GOOD_SECONDS))
    except InvalidToken:
        log.error("a phone code is too old to be sent, or was sealed with another key")
        return
    address = urlsplit(settings.ENVIRONMENT.phone_codes)
    if f"{address.scheme}://" not in WEBHOOKS:
        log.error("a phone code waited for a webhook that is no longer set")
        return
    try:
        status = _post(address, json.dumps(told).encode())
    except (OSError, http.client.HTTPException) as error:
        raise CodeNotSent(f"{address.hostname} cannot be reached: {type(error).__name__}") from None
    if not 200 <= status < 300:
        raise CodeNotSent(f"{address.hostname} answered {status}")
    log.info("phone code sent", phone=hide_phone(told["phone"]))


def _post(address: SplitResult, body: bytes) -> int:
    """Status of the answer; it is not followed elsewhere, since the secret is for this address alone."""
    host = address.hostname or ""
    connection: http.client.HTTPConnection
    if address.scheme == "https":
        context = ssl.create_default_context()
        connection = http.client.HTTPSConnection(host, address.port, timeout=POST_SECONDS, context=context)
    else:
        connection = http.client.HTTPConnection(host, address.port, timeout=POST_SECONDS)
    headers = {"Content-Type": "application/json"}
    if settings.ENVIRONMENT.phone_codes_secret:
        headers["Authorization"] = f"Bearer {settings.ENVIRONMENT.phone_codes_secret}"
    try:
        connection.request("POST", address._replace(scheme="", netloc="").geturl() or "/", body, headers)
        return connection.getresponse().status
    finally:
        connection.close()


def _seal(told: dict[str, str]) -> str:
    return _box().encrypt(json.dumps(told).encode()).decode()


def _box() -> Fernet:
    key = hashlib.sha256(b"silkroom.accounts.codes " + settings.SECRET_KEY.encode()).digest()
    return Fernet(base64.urlsafe_b64encode(key))
