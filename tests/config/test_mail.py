"""Without a mail server mails are files for their owner alone, and the log tells none of what they say."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from silkroom.config.env import Environment, program_environment

PROGRAM = """
import os, django
os.umask(0)
from silkroom.config.env import Environment
from silkroom.config.processes.logs import configure_logging
configure_logging("web", Environment())
django.setup()
from django.core.mail import send_mail
for number in range(2):
    assert send_mail("Reset", f"https://shop.example/hunter{number}/", None, ["mei@example.com"]) == 1
"""


def test_a_mail_is_kept_beside_the_log_not_in_it(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env=program_environment(Environment(data_dir=tmp_path)),
        capture_output=True,
        text=True,
        check=True,
    )
    folder = tmp_path / "mail"
    mails = sorted(folder.iterdir())
    assert len(mails) == 2
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {mail.stat().st_mode & 0o777 for mail in mails} == {0o600}
    assert {mail.suffix for mail in mails} == {".eml"}
    text = "".join(mail.read_text() for mail in mails)
    assert "hunter0" in text
    assert "hunter1" in text
    assert "To: mei@example.com" in text
    assert "hunter" not in done.stdout + done.stderr
    assert "mei@" not in done.stdout + done.stderr
    said = [json.loads(line) for line in done.stdout.splitlines()]
    assert {one["file"] for one in said if "file" in one} == {f"mail/{mail.name}" for mail in mails}
