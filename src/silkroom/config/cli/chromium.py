"""Gets a Chromium for the browser tests, by the way that suits the machine."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from silkroom.config.cli.terminal import progress
from silkroom.config.errors import OperationError
from silkroom.config.processes.browser import search_chromium

PACKAGES = ("chromium", "fonts-noto-cjk")
"""Debian's names. Without the fonts Chinese is rows of boxes, in pictures and in the widths that tests measure."""


def ensure_chromium() -> Path:
    """A Chromium that starts: the one there is, else Debian's by apt-get as root, else Playwright's own."""
    found = search_chromium()
    if found is None:
        _install()
        found = search_chromium()
    if found is None:
        raise OperationError("no Chromium, and none could be installed: install chromium with your system's packages")
    started = subprocess.run([found, "--version"], capture_output=True, text=True, check=False)
    if started.returncode != 0:
        words = (started.stderr.strip().splitlines() or ["no reason given"])[-1]
        raise OperationError(f"{found} does not start: {words}")
    return found


def _install() -> None:
    if _is_root() and shutil.which("apt-get"):
        with progress("installing chromium with apt-get"):
            variables = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
            is_done = _try(["apt-get", "update", "-q"], variables) and _try(
                ["apt-get", "install", "-q", "-y", "--no-install-recommends", *PACKAGES], variables
            )
        if is_done and search_chromium() is not None:
            return
    with progress("getting Playwright's Chromium"):
        _try([sys.executable, "-m", "playwright", "install", "chromium"], os.environ)


def _try(command: Sequence[str], variables: Mapping[str, str]) -> bool:
    done = subprocess.run(command, env=dict(variables), stdin=subprocess.DEVNULL, capture_output=True, check=False)
    return done.returncode == 0


def _is_root() -> bool:
    return hasattr(os, "geteuid") and os.geteuid() == 0
