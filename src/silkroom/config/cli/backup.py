"""``backup`` and ``restore``: database, files and secrets of an installation in one .tar file.

    database.dump        pg_dump, custom format: one consistent moment
    storage/...          pictures and recordings, after the database, so that every file a row names is there
    secrets/... tls/...  keys that signatures and trusted certificates depend on
    manifest.json        last: versions, and size and SHA-256 of every other member

The file is as secret as the installation. A restore reads it through once, checking every sum, before it touches
anything; what it takes the place of is kept beside it, under a name that ends in ``-replaced-`` and the time.
"""

from __future__ import annotations

import dataclasses
import hashlib
import io
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath
from typing import IO, Any

import psycopg
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from silkroom import __version__
from silkroom.config.cli.manage import servers_at_hand
from silkroom.config.cli.terminal import progress, report, say, shown, size
from silkroom.config.env import Environment
from silkroom.config.errors import OperationError
from silkroom.config.processes.data_dir import DataDir
from silkroom.config.processes.servers import find_postgres_programs
from silkroom.config.processes.supervisor import Stack

FORMAT = 1
MANIFEST = "manifest.json"
DUMP = "database.dump"

SERVER_SECRETS = {"postgres_password", "nats_token"}
"""Belong to the servers of one machine; a restored installation has its own."""

BLOCK = 1024 * 1024


# --- backup -------------------------------------------------------------------------------------


def backup(*, file: Path, data_dir: Path | None, force: bool) -> None:
    """Write ``file``, or leave no trace of it."""
    if file.exists() and not force:
        raise OperationError(f"{file} exists already: choose another name, or --force to write over it")
    if not file.parent.is_dir():
        raise OperationError(f"there is no folder {file.parent} to put the backup into")
    environment = Environment.read()
    folder = data_dir or environment.data_dir
    if not environment.database_url and not (folder / "postgres" / "PG_VERSION").exists():
        raise OperationError(f"there is nothing to keep yet in {folder}")
    draft = file.with_name(file.name + ".part")
    try:
        # Readable by its owner alone: it holds the keys and everybody's addresses.
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as target, servers_at_hand(data_dir, purpose="backup") as environment:
            _write_archive(target, environment)
        draft.replace(file)
    except OSError as error:
        raise OperationError(f"cannot write the backup: {error}") from error
    finally:
        draft.unlink(missing_ok=True)
    print(f"{shown(file)}  {size(file.stat().st_size)}")


def _write_archive(target: IO[bytes], environment: Environment) -> None:
    members: dict[str, dict[str, Any]] = {}
    with tarfile.open(fileobj=target, mode="w", format=tarfile.PAX_FORMAT) as archive:
        with tempfile.NamedTemporaryFile(prefix="silkroom-backup-") as dump:
            with progress("keeping the database"):
                options = ["--format=custom", "--no-owner", "--exclude-schema=replaced_*", f"--file={dump.name}"]
                _run_client("pg_dump", options, environment.database_url)
            _add_file(archive, Path(dump.name), DUMP, members)
        for name, path in _kept_files(environment):
            _add_file(archive, path, name, members)
        with progress("keeping pictures and recordings"):
            for name, path in _stored_files(environment):
                _add_file(archive, path, name, members)
        manifest = {
            "format": FORMAT,
            "silkroom": __version__,
            "made_at": datetime.now(UTC).isoformat(),
            "storage": "folder" if _storage_folder(environment) else "elsewhere",
            "members": members,
        }
        content = json.dumps(manifest, indent=1).encode()
        archive.addfile(_member(MANIFEST, len(content), time.time()), io.BytesIO(content))


def _storage_folder(environment: Environment) -> Path | None:
    """The folder of pictures and recordings; None when they are in an object store, which is backed up there."""
    location = environment.storage_location
    if location.startswith("file://"):
        return Path(location.removeprefix("file://"))
    return None if "://" in location else Path(location)


def _kept_files(environment: Environment) -> Iterator[tuple[str, Path]]:
    for folder in ("secrets", "tls"):
        for path in sorted((environment.data_dir / folder).glob("*")):
            if path.is_file() and path.name not in SERVER_SECRETS and not path.name.startswith("."):
                yield f"{folder}/{path.name}", path


def _stored_files(environment: Environment) -> Iterator[tuple[str, Path]]:
    folder = _storage_folder(environment)
    if folder is None:
        say(f"pictures and recordings are in {environment.storage_location}, which is not part of this backup")
        return
    for path in sorted(folder.rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield f"storage/{path.relative_to(folder).as_posix()}", path


def _member(name: str, length: int, modified_at: float) -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size = length
    member.mode = 0o600
    member.mtime = int(modified_at)
    return member


class _Hashed:
    """Reads at most ``length`` bytes of a file and knows their sum: a recording grows while it is copied."""

    def __init__(self, file: IO[bytes], length: int) -> None:
        self._file = file
        self._left = length
        self.sum = hashlib.sha256()

    def read(self, count: int = -1) -> bytes:
        block = self._file.read(self._left if count < 0 else min(count, self._left))
        self._left -= len(block)
        self.sum.update(block)
        return block


def _add_file(archive: tarfile.TarFile, path: Path, name: str, members: dict[str, dict[str, Any]]) -> None:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return  # deleted since the folder was read
    with file:
        status = os.fstat(file.fileno())
        source = _Hashed(file, status.st_size)
        archive.addfile(_member(name, status.st_size, status.st_mtime), source)
    members[name] = {"size": status.st_size, "sha256": source.sum.hexdigest()}


# --- restore ------------------------------------------------------------------------------------


def restore(*, file: Path, data_dir: Path | None, replace: bool) -> None:
    """Check ``file``, then bring it back. What was there before is moved aside, not deleted."""
    if not file.is_file():
        raise OperationError(f"there is no backup {file}")
    with progress(f"checking {shown(file)}"):
        manifest = verify(file)
    environment = Environment.read()
    environment = dataclasses.replace(environment, data_dir=(data_dir or environment.data_dir).resolve())
    data = DataDir(environment.data_dir)
    if data.running() is not None:
        raise OperationError(f"silkroom is running on {environment.data_dir}: stop it first")
    data.create()
    aside = _Aside(environment)
    aside.check(may_replace=replace)
    try:
        aside.move()
        _bring_back(file, environment, aside, may_replace=replace)
    except BaseException:
        aside.put_back()
        raise
    for path in aside.kept:
        say(f"what was there before is in {shown(path)}; delete it when all is well")
    made_at = datetime.fromisoformat(manifest["made_at"])
    print(f"restored {shown(environment.data_dir)} from {shown(file)}, made {made_at:%Y-%m-%d %H:%M} UTC")


def verify(file: Path) -> dict[str, Any]:
    """The manifest of a whole and understandable backup; raises OperationError otherwise."""
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    try:
        with tarfile.open(file, mode="r:") as archive:
            for member in archive:
                content = archive.extractfile(member)
                if content is None or not _is_safe(member.name):
                    raise OperationError(f"{file} is not a backup of silkroom: {member.name!r} does not belong there")
                if member.name == MANIFEST:
                    manifest = json.loads(content.read())
                else:
                    found[member.name] = {"size": member.size, "sha256": _sum(content)}
    except (tarfile.TarError, ValueError, EOFError, OSError) as error:
        raise OperationError(f"{file} cannot be read as a backup: {error}") from None
    if manifest is None:
        raise OperationError(f"{file} is not whole: its end is missing")
    _check_versions(file, manifest)
    if found != manifest["members"]:
        damaged = sorted(
            name for name in {*found, *manifest["members"]} if found.get(name) != manifest["members"].get(name)
        )
        raise OperationError(f"{file} is damaged: {', '.join(damaged[:3])} differs from what was kept")
    return manifest


def _check_versions(file: Path, manifest: dict[str, Any]) -> None:
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise OperationError(f"{file} has a format that silkroom {__version__} does not know")
    made_by = str(manifest["silkroom"])
    if _numbers(made_by) > _numbers(__version__):
        raise OperationError(f"{file} was made by silkroom {made_by}, this is {__version__}: update silkroom first")


def _numbers(version: str) -> list[int]:
    return [int(number) for number in re.findall(r"\d+", version)[:3]]


def _is_safe(name: str) -> bool:
    path = PurePosixPath(name)
    return (
        not path.is_absolute()
        and ".." not in path.parts
        and path.parts[0]
        in {
            MANIFEST,
            DUMP,
            "storage",
            "secrets",
            "tls",
        }
    )


def _sum(content: IO[bytes]) -> str:
    found = hashlib.sha256()
    while block := content.read(BLOCK):
        found.update(block)
    return found.hexdigest()


class _Aside:
    """What a restore takes the place of, kept beside it until somebody deletes it, and put back when it fails."""

    def __init__(self, environment: Environment) -> None:
        self.suffix = f"replaced-{datetime.now(UTC):%Y%m%d-%H%M%S}"
        self._schema = ""
        self._url = ""
        self._moved: list[tuple[Path, Path]] = []
        storage = _storage_folder(environment)
        places = [environment.data_dir / "tls", *([] if storage is None else [storage])]
        if not environment.database_url:
            places.append(environment.data_dir / "postgres")
        self._secrets = environment.data_dir / "secrets"
        self._places = places
        self._occupied = [path for path in places if path.is_dir() and any(path.iterdir())]

    @property
    def kept(self) -> list[Path]:
        return [there for _here, there in self._moved]

    def check(self, *, may_replace: bool) -> None:
        if self._occupied and not may_replace:
            raise OperationError(
                f"{self._occupied[-1]} is not empty: choose an empty --data-dir, or --replace what is there"
            )

    def move(self) -> None:
        for here in self._occupied:
            self._rename(here, self._beside(here))
        if any(file.name not in SERVER_SECRETS for file in self._secrets.iterdir()):
            # Copied, since the servers' own passwords in it stay in use.
            shutil.copytree(self._secrets, self._beside(self._secrets))
            self._moved.append((self._secrets, self._beside(self._secrets)))

    def move_schema(self, url: str) -> None:
        """The same for the tables of a database of the user's own."""
        with psycopg.connect(url) as connection:
            name = sql.Identifier(self.suffix.replace("-", "_"))
            connection.execute(sql.SQL("ALTER SCHEMA public RENAME TO {}").format(name))
            connection.execute("CREATE SCHEMA public")
        self._schema, self._url = self.suffix.replace("-", "_"), url
        say(f"the tables that were there are in schema {self._schema}; drop it when all is well")

    def put_back(self) -> None:
        for here in self._places:
            if here not in self._occupied:
                shutil.rmtree(here, ignore_errors=True)
        for here, there in self._moved:
            shutil.rmtree(here, ignore_errors=True)
            there.rename(here)
        if self._schema:
            with psycopg.connect(self._url) as connection:
                connection.execute("DROP SCHEMA public CASCADE")
                name = sql.Identifier(self._schema)
                connection.execute(sql.SQL("ALTER SCHEMA {} RENAME TO public").format(name))
        say("nothing was changed: what was there is in its place")

    def _beside(self, path: Path) -> Path:
        return path.with_name(f"{path.name}-{self.suffix}")

    def _rename(self, here: Path, there: Path) -> None:
        try:
            here.rename(there)
        except OSError as error:
            raise OperationError(f"cannot move {here} aside: {error.strerror}") from None
        self._moved.append((here, there))


def _bring_back(file: Path, environment: Environment, aside: _Aside, *, may_replace: bool) -> None:
    with tarfile.open(file, mode="r:") as archive, tempfile.TemporaryDirectory(prefix="silkroom-restore-") as folder:
        dump = Path(folder) / DUMP
        with progress("bringing back files and keys"):
            for member in archive:
                target = dump if member.name == DUMP else _target(environment, member.name)
                content = archive.extractfile(member)
                if target is not None and content is not None:
                    _copy(content, target, member)
        with _own_servers(environment) as stack:
            if not _is_empty(stack.database_url):
                if not may_replace:
                    raise OperationError("the database is not empty: choose an empty one, or --replace what is there")
                aside.move_schema(stack.database_url)
            options = ["--no-owner", "--exit-on-error", "--single-transaction", str(dump)]
            with progress("bringing back the database"):
                _run_client("pg_restore", options, stack.database_url)
            stack.prepare()


def _target(environment: Environment, name: str) -> Path | None:
    if name == MANIFEST:
        return None
    top, _, rest = name.partition("/")
    if top == "storage":
        folder = _storage_folder(environment)
        return None if folder is None else folder / rest
    return environment.data_dir / name


def _copy(content: IO[bytes], target: Path, member: tarfile.TarInfo) -> None:
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.unlink(missing_ok=True)
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        shutil.copyfileobj(content, file, BLOCK)
    os.utime(target, (member.mtime, member.mtime))


@contextmanager
def _own_servers(environment: Environment) -> Iterator[Stack]:
    with Stack(environment.data_dir, environment=environment, purpose="restore", report=report) as stack:
        stack.start_servers()
        yield stack


def _is_empty(url: str) -> bool:
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
        assert row is not None
        return bool(row[0] == 0)


def _run_client(program: str, arguments: Sequence[str], url: str) -> None:
    """Run a PostgreSQL client. The password goes through its environment: everybody may read a command line."""
    parts = conninfo_to_dict(url)
    password = parts.pop("password", "")
    variables = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C", "PGPASSWORD": str(password or "")}
    done = subprocess.run(
        [str(find_postgres_programs() / program), f"--dbname={make_conninfo('', **parts)}", *arguments],
        env=variables,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        lines = [line for line in done.stderr.splitlines() if "error" in line.lower()] or done.stderr.splitlines()
        raise OperationError(f"{program} failed: {lines[0] if lines else f'code {done.returncode}'}")
