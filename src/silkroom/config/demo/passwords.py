"""The passwords of the demo's people: made at the first start, kept in one file that only its owner can read."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable
from pathlib import Path

FILE = "demo-passwords.json"
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without those that look alike: people type these."""


def ensure_passwords(folder: Path, logins: Iterable[str]) -> tuple[Path, dict[str, str]]:
    """The file and its passwords by login; missing ones are made."""
    path = folder / FILE
    known = read_passwords(path) if path.exists() else {}
    missing = [login for login in logins if login not in known]
    if missing:
        known |= {login: _new_password() for login in missing}
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        fresh = path.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            json.dump(known, file, indent=1)
        fresh.replace(path)
    return path, known


def read_passwords(path: Path) -> dict[str, str]:
    passwords: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return passwords


def _new_password() -> str:
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
