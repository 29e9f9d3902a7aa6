"""The Chromium that browser tests and bench video share."""

from __future__ import annotations

from pathlib import Path

import pytest

from silkroom.config.processes.browser import ChromiumMissing, find_chromium, search_chromium


def program(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n")
    path.chmod(0o755)
    return path


def test_the_systems_own_goes_before_playwrights(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    downloaded = program(tmp_path / "downloads" / "chromium-1200" / "chrome-linux" / "chrome")
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path / "downloads"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert search_chromium() == downloaded
    own = program(tmp_path / "bin" / "google-chrome")
    assert search_chromium() == own
    preferred = program(tmp_path / "bin" / "chromium")
    assert find_chromium() == preferred


def test_none_at_all_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))
    with pytest.raises(ChromiumMissing, match=r"\./silkroom test"):
        find_chromium()
