"""What the settings alone say about an installation: how people are reached, and what must not be so in public."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit

from silkroom.config.env import Environment


@dataclass(frozen=True)
class Finding:
    """One thing looked at. ``is_well`` None: worth knowing, nothing to repair."""

    subject: str
    is_well: bool | None
    text: str


def of_settings(environment: Environment, purpose: str = "") -> Iterator[Finding]:
    """Findings for an installation that runs as ``purpose``: everything in a demo is invented, in public or not."""
    is_open = environment.is_public and purpose != "demo"
    yield _mail(environment, is_open=is_open)
    yield _phones(environment)
    yield from _payments(environment, is_open=is_open)
    yield from _proxy(environment)


def _mail(environment: Environment, *, is_open: bool) -> Finding:
    if environment.mail_url:
        return Finding("e-mail", True, f"sent through {urlsplit(environment.mail_url).hostname}")
    text = "SILKROOM_MAIL_URL is not set: mails are kept in mail/, and accounts open with addresses that nothing proves"
    return Finding("e-mail", False if is_open else None, text)


def _phones(environment: Environment) -> Finding:
    sender = environment.phone_codes
    if not sender:
        return Finding("phone codes", None, "SILKROOM_PHONE_CODES is not set: people sign up by e-mail alone")
    if sender == "terminal":
        return Finding("phone codes", None, "printed by the web process, sent to nobody")
    host = urlsplit(sender).hostname
    return Finding("phone codes", True, f"posted to {host}" if host else f"sent by {sender}")


def _payments(environment: Environment, *, is_open: bool) -> Iterator[Finding]:
    if environment.sandbox_payments:
        text = "practice payments are on (SILKROOM_SANDBOX_PAYMENTS): anybody has an order paid without money"
        yield Finding("payments", False if is_open else None, text)


def _proxy(environment: Environment) -> Iterator[Finding]:
    """Where the public address is https and no certificate is ours, a proxy has one."""
    is_behind = environment.public_url.startswith("https://") and not environment.tls_certificate
    if is_behind and not environment.trusted_proxies:
        text = "SILKROOM_TRUSTED_PROXIES names no proxy: limits count all visitors as one"
        yield Finding("proxy", False, text)
