"""Where there is no mail server, a mail is kept as a file that only the installation's own user can read.

Mails hold links that sign in whoever follows them, so they belong in no log.
"""

from __future__ import annotations

import os
import secrets
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import structlog
from django.core.mail.backends.filebased import EmailBackend
from django.core.mail.message import EmailMessage

log = structlog.get_logger("silkroom.mail")


class KeptMailBackend(EmailBackend):
    """Each mail is a file of its own, ``<data folder>/mail/<time>-<id>.eml``, as mail programs open it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._folder = Path(self.file_path)
        self._folder.chmod(0o700)

    def open(self) -> bool:
        """Nothing stays open between mails."""
        return False

    def write_message(self, message: EmailMessage) -> None:
        name = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(4)}.eml"
        number = os.open(self._folder / name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(number, "wb") as file:
            file.write(message.message().as_bytes())
        log.info("no mail server: the mail is kept as a file", file=f"mail/{name}")

    def send_messages(self, email_messages: Any) -> int:
        """How many are kept."""
        messages = list(email_messages)
        for message in messages:
            self.write_message(message)
        return len(messages)
