"""Demo passwords: made once, kept for their owner only."""

import stat
from pathlib import Path

from silkroom.config.demo.passwords import ensure_passwords, read_passwords


def test_made_once_and_only_readable_by_the_owner(tmp_path: Path) -> None:
    path, first = ensure_passwords(tmp_path / "secrets", ["host", "owner"])
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert len(set(first.values())) == 2
    assert all(len(password) == 14 for password in first.values())
    _, second = ensure_passwords(tmp_path / "secrets", ["host", "owner", "clerk"])
    assert {login: second[login] for login in first} == first
    assert read_passwords(path) == second
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_two_installations_have_different_passwords(tmp_path: Path) -> None:
    one, other = (ensure_passwords(tmp_path / name, ["host"])[1] for name in ("a", "b"))
    assert one != other
