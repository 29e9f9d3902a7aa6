"""A backup brings back the same rows, files and keys; a damaged one touches nothing."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import sys
import tarfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from silkroom import __version__
from silkroom.config.cli.backup import verify
from silkroom.config.env import Environment, program_environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.supervisor import Stack

Rows = list[tuple[object, ...]]


def silkroom(*arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "silkroom", *arguments],
        env={**program_environment(Environment()), **settings},
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
    )


def open_stack(folder: Path, database_url: str = "") -> Stack:
    return Stack(folder, environment=Environment(database_url=database_url), any_ports=True, durable_setup=False)


def write_row(url: str, name: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "INSERT INTO journal_entry (kind, data) VALUES ('test.happened', jsonb_build_object('name', %s::text))",
            [name],
        )


def rows(url: str) -> Rows:
    """Everything in every table, so that nothing can be missing unseen; but the numbers that a server counts itself."""
    with psycopg.connect(url) as connection:
        names = connection.execute(
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename"
        ).fetchall()
        return [
            (name, *row)
            for (name,) in names
            for row in connection.execute(
                f"SELECT (to_jsonb(t) - 'transaction')::text FROM \"{name}\" t ORDER BY 1"
            ).fetchall()
        ]


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, Rows]]:
    """A backup made while the servers ran, and the rows that were there."""
    folder = tmp_path_factory.mktemp("kept") / "data"
    file = tmp_path_factory.mktemp("backup") / "evening.tar"
    with open_stack(folder) as stack:
        stack.start_servers()
        stack.prepare()
        write_row(stack.database_url, "丝绸 before")
        (folder / "storage" / "recordings").mkdir(parents=True)
        (folder / "storage" / "recordings" / "show 1.mp4").write_bytes(bytes(range(256)) * 5000)
        (folder / "secrets" / "secret_key").write_text("the key")
        done = silkroom("backup", str(file), SILKROOM_DATA_DIR=str(folder))
        assert done.returncode == 0, done.stderr
        assert str(file) in done.stdout
        yield file, rows(stack.database_url)


@pytest.fixture
def changed(kept: tuple[Path, Rows], tmp_path: Path) -> Callable[[Callable[[str, bytes], bytes | None]], Path]:
    """A copy of the backup whose members went through a function; None leaves one out."""

    def change(through: Callable[[str, bytes], bytes | None]) -> Path:
        target = tmp_path / "changed.tar"
        with tarfile.open(kept[0]) as source, tarfile.open(target, "w") as copy:
            for member in source:
                content = source.extractfile(member)
                assert content is not None
                new = through(member.name, content.read())
                if new is not None:
                    member.size = len(new)
                    copy.addfile(member, io.BytesIO(new))
        return target

    return change


def test_restored_rows_files_and_keys_are_the_same(kept: tuple[Path, Rows], data_dir: Path) -> None:
    file, before = kept
    folder = data_dir / "new"
    done = silkroom("restore", str(file), "--data-dir", str(folder))
    assert done.returncode == 0, done.stderr
    assert (folder / "storage" / "recordings" / "show 1.mp4").read_bytes() == bytes(range(256)) * 5000
    assert (folder / "secrets" / "secret_key").read_text() == "the key"
    with open_stack(folder) as stack:
        stack.start_servers()
        assert rows(stack.database_url) == before
        # A new server counts transactions from its beginning; the journal must not lie in its future.
        with psycopg.connect(stack.database_url) as connection:
            query = "SELECT max(transaction) < pg_snapshot_xmin(pg_current_snapshot())::text::bigint FROM journal_entry"
            assert connection.execute(query).fetchone() == (True,)
    assert any("丝绸 before" in str(row) for row in before)


def test_the_servers_own_passwords_stay_where_they_are(kept: tuple[Path, Rows]) -> None:
    names = set(verify(kept[0])["members"])
    assert names >= {"database.dump", "secrets/secret_key", "storage/recordings/show 1.mp4"}
    assert not {name for name in names if "password" in name or "token" in name}
    assert kept[0].stat().st_mode & 0o077 == 0


def test_what_is_there_is_refused_then_kept_aside(kept: tuple[Path, Rows], data_dir: Path) -> None:
    file, before = kept
    folder = data_dir / "used"
    (folder / "storage").mkdir(parents=True)
    (folder / "storage" / "old.jpg").write_text("old picture")
    refused = silkroom("restore", str(file), "--data-dir", str(folder))
    assert refused.returncode == 1
    assert "is not empty" in refused.stderr
    assert [path.name for path in (folder / "storage").iterdir()] == ["old.jpg"]
    done = silkroom("restore", str(file), "--data-dir", str(folder), "--replace")
    assert done.returncode == 0, done.stderr
    (aside,) = folder.glob("storage-replaced-*")
    assert (aside / "old.jpg").read_text() == "old picture"
    assert not (folder / "storage" / "old.jpg").exists()
    with open_stack(folder) as stack:
        stack.start_servers()
        assert rows(stack.database_url) == before


def test_a_database_of_the_users_own_is_kept_aside_too(
    kept: tuple[Path, Rows], data_dir: Path, database_url: str
) -> None:
    file, before = kept
    url = database_url.rsplit("/", 1)[0] + "/restored_here"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE restored_here")
    try:
        with psycopg.connect(url) as connection:
            connection.execute("CREATE TABLE mine AS SELECT 7 AS n")
        folder = data_dir / "external"
        refused = silkroom("restore", str(file), "--data-dir", str(folder), SILKROOM_DATABASE_URL=url)
        assert refused.returncode == 1
        assert "the database is not empty" in refused.stderr
        assert not (folder / "storage").exists()
        done = silkroom("restore", str(file), "--data-dir", str(folder), "--replace", SILKROOM_DATABASE_URL=url)
        assert done.returncode == 0, done.stderr
        assert rows(url) == before
        with psycopg.connect(url) as connection:
            (name,) = connection.execute("SELECT schemaname FROM pg_tables WHERE tablename = 'mine'").fetchone()
            assert name.startswith("replaced_")
            assert connection.execute(f"SELECT n FROM {name}.mine").fetchone() == (7,)
        again = data_dir / "again.tar"
        assert silkroom("backup", str(again), "--data-dir", str(folder), SILKROOM_DATABASE_URL=url).returncode == 0
        assert verify(again)["silkroom"] == __version__
    finally:
        with psycopg.connect(database_url, autocommit=True) as connection:
            connection.execute("DROP DATABASE restored_here WITH (FORCE)")


def test_a_restore_that_fails_puts_everything_back(
    changed: Callable[[Callable[[str, bytes], bytes | None]], Path], data_dir: Path
) -> None:
    def break_the_dump(name: str, content: bytes) -> bytes:
        if name == "database.dump":
            return content[:2000]
        if name == "manifest.json":
            manifest = json.loads(content)
            whole = manifest["members"]["database.dump"]
            whole.update(size=2000, sha256=hashlib.sha256(dump[:2000]).hexdigest())
            return json.dumps(manifest).encode()
        return content

    dump = b""

    def remember(name: str, content: bytes) -> bytes:
        nonlocal dump
        if name == "database.dump":
            dump = content
        return break_the_dump(name, content)

    file = changed(remember)
    folder = data_dir / "used"
    (folder / "storage").mkdir(parents=True)
    (folder / "storage" / "old.jpg").write_text("old picture")
    (folder / "secrets").mkdir()
    (folder / "secrets" / "secret_key").write_text("old key")
    done = silkroom("restore", str(file), "--data-dir", str(folder), "--replace")
    assert done.returncode == 1
    assert "pg_restore failed" in done.stderr
    assert "nothing was changed" in done.stderr
    assert [path.name for path in (folder / "storage").rglob("*")] == ["old.jpg"]
    assert (folder / "secrets" / "secret_key").read_text() == "old key"
    assert list(folder.glob("*-replaced-*")) == []
    assert not (folder / "postgres").exists()


def test_damage_is_found_before_anything_is_touched(
    changed: Callable[[Callable[[str, bytes], bytes | None]], Path], kept: tuple[Path, Rows], tmp_path: Path
) -> None:
    def flip(name: str, content: bytes) -> bytes:
        return content[:-1] + b"\x00" if name.startswith("storage/") else content

    with pytest.raises(OperationError, match=r"is damaged: storage/recordings/show 1\.mp4"):
        verify(changed(flip))
    with pytest.raises(OperationError, match=r"is damaged: secrets/secret_key"):
        verify(changed(lambda name, content: None if name == "secrets/secret_key" else content))
    cut = tmp_path / "cut.tar"
    cut.write_bytes(kept[0].read_bytes()[:300_000])
    with pytest.raises(OperationError, match=r"cannot be read|is not whole"):
        verify(cut)
    done = silkroom("restore", str(cut), "--data-dir", str(tmp_path / "never"))
    assert done.returncode == 1
    assert not (tmp_path / "never").exists()


def test_a_backup_of_a_newer_silkroom_is_refused(
    changed: Callable[[Callable[[str, bytes], bytes | None]], Path],
) -> None:
    def newer(name: str, content: bytes) -> bytes:
        return content.replace(f'"{__version__}"'.encode(), b'"99.0.0"') if name == "manifest.json" else content

    with pytest.raises(OperationError, match=r"made by silkroom 99\.0\.0.*update silkroom first"):
        verify(changed(newer))


def test_a_path_that_leads_out_of_the_folder_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "evil.tar"
    with tarfile.open(file, "w") as archive:
        archive.add(__file__, arcname="storage/../../evil")
    with pytest.raises(OperationError, match="does not belong there"):
        verify(file)


def test_an_existing_file_is_not_written_over(kept: tuple[Path, Rows], tmp_path: Path) -> None:
    (tmp_path / "x.tar").write_text("precious")
    done = silkroom("backup", str(tmp_path / "x.tar"))
    assert done.returncode == 1
    assert "exists already" in done.stderr
    assert (tmp_path / "x.tar").read_text() == "precious"
    empty = silkroom("backup", str(tmp_path / "y.tar"), SILKROOM_DATA_DIR=str(tmp_path / "none"))
    assert empty.returncode == 1
    assert "nothing to keep" in empty.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.tar"]
