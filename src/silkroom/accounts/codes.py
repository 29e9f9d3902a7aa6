"""How a code reaches a phone: a port, so that any provider of text messages fits in.

`LogSender` is what an installation without a provider has: it says in the log that a code was made and for whom in
part, never the code. `TerminalSender` prints the code as well, for the demo. SILKROOM_PHONE_CODES chooses: ``log``,
``terminal`` or the dotted path of a class of your own.
"""

from __future__ import annotations

import sys
from typing import Protocol

import structlog
from django.conf import settings
from django.utils.module_loading import import_string

from .rules import hide_phone

log = structlog.get_logger(__name__)

BUILT_IN = {"log": "silkroom.accounts.codes.LogSender", "terminal": "silkroom.accounts.codes.TerminalSender"}


class CodeSender(Protocol):
    """Sends a code to a phone. Raises nothing for an unreachable number: the person asks again."""

    def send_code(self, *, phone: str, code: str) -> None: ...


class LogSender:
    """Says that a code was made; the code itself stays secret."""

    def send_code(self, *, phone: str, code: str) -> None:
        log.info("phone_code_made", phone=hide_phone(phone))


class TerminalSender(LogSender):
    """Prints the code on the error stream of the web process: for the demo, where phones are invented."""

    def send_code(self, *, phone: str, code: str) -> None:
        super().send_code(phone=phone, code=code)
        sys.stderr.write(f"code for {phone}: {code}\n")
        sys.stderr.flush()


def chosen_sender() -> CodeSender:
    """The sender of this installation."""
    name = settings.ENVIRONMENT.phone_codes
    sender: CodeSender = import_string(BUILT_IN.get(name, name))()
    return sender
