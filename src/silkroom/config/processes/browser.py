"""Where a Chromium is on this machine, and the flags under which it shows and encodes video without a person.

The browser tests and ``bench video`` share this module. A distribution's own Chromium or Google's Chrome goes first:
both carry the H.264 encoder that the studio needs, the build that Playwright downloads does not carry it everywhere.
"""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

from silkroom.config.errors import OperationError

NAMES_ON_PATH = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

MAC_APPLICATIONS = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)

PLAYWRIGHT_BUILDS = (
    "chromium-*/chrome-linux*/chrome",
    "chromium-*/chrome-mac*/*.app/Contents/MacOS/*",
)


class ChromiumMissing(OperationError):
    """No Chromium on this machine; the text says how to get one."""


def _flags() -> tuple[str, ...]:
    flags = [
        "--headless=new",
        "--no-first-run",
        "--no-default-browser-check",
        "--disable-dev-shm-usage",
        "--disable-extensions",
        "--autoplay-policy=no-user-gesture-required",
        # A made-up camera and microphone, given without the question that nobody could answer.
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        # A page nobody looks at is otherwise slowed to one timer tick a second.
        "--disable-background-timer-throttling",
        "--disable-backgrounding-occluded-windows",
        "--disable-renderer-backgrounding",
        "--mute-audio",
    ]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        # Chromium refuses to run its sandbox as root.
        flags.append("--no-sandbox")
    return tuple(flags)


CHROMIUM_FLAGS: tuple[str, ...] = _flags()
"""Command line flags for an unattended Chromium; ``args=list(CHROMIUM_FLAGS)`` in Playwright."""


def search_chromium() -> Path | None:
    """The first Chromium found on PATH, among the applications, or among Playwright's own; None without one."""
    for name in NAMES_ON_PATH:
        found = shutil.which(name)
        if found:
            return Path(found)
    if sys.platform == "darwin":
        for application in map(Path, MAC_APPLICATIONS):
            if application.is_file():
                return application
    for pattern in PLAYWRIGHT_BUILDS:
        for build in sorted(_playwright_folder().glob(pattern), reverse=True):
            if os.access(build, os.X_OK):
                return build
    return None


def find_chromium() -> Path:
    """As ``search_chromium``; raises ChromiumMissing, whose text says what to do."""
    found = search_chromium()
    if found is None:
        raise ChromiumMissing(
            "no Chromium found: install chromium with your system's packages, or run `./silkroom test`, which gets one"
        )
    return found


def _playwright_folder() -> Path:
    chosen = os.environ.get("PLAYWRIGHT_BROWSERS_PATH", "")
    if chosen and chosen != "0":
        return Path(chosen)
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "ms-playwright"
    return Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "ms-playwright"
