"""Secrets that silkroom makes for itself once and keeps in the data folder, readable by its owner alone."""

from __future__ import annotations

import os
import secrets
from pathlib import Path


def keep_secret(folder: Path, name: str) -> str:
    """The secret called ``name``: made at the first call, read afterwards. Two processes that race agree on one."""
    path = folder / "secrets" / name
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        fresh = path.with_name(f".{name}.{os.getpid()}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(48))
        try:
            os.link(fresh, path)
        except FileExistsError:
            pass  # another process was first; its secret counts
        finally:
            fresh.unlink()
    return path.read_text()
