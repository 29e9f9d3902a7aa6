"""Pictures and recordings in a folder or an object store, through fsspec: one address, SILKROOM_STORAGE_URL."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import fsspec
from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import Storage
from django.utils.deconstruct import deconstructible
from fsspec.implementations.local import LocalFileSystem


@dataclass(frozen=True)
class StoredFile:
    """What a reader has to know of a file before its bytes. ``tag`` changes whenever the content does."""

    size: int
    modified_at: datetime
    tag: str


@deconstructible
class FsspecStorage(Storage):
    """Django's storage on any fsspec filesystem. Names are relative to the storage location and use ``/``."""

    def __init__(self, location: str | None = None) -> None:
        self._location = location

    def _target(self, name: str) -> tuple[Any, str]:
        location = self._location or settings.ENVIRONMENT.storage_location
        filesystem, root = fsspec.core.url_to_fs(location)
        if ".." in name.split("/") or name.startswith("/"):
            raise ValueError(f"{name!r} would leave the storage")
        return filesystem, f"{root.rstrip('/')}/{name}"

    def _open(self, name: str, mode: str = "rb") -> File[bytes]:
        filesystem, path = self._target(name)
        return File(filesystem.open(path, mode), name=name)

    def _save(self, name: str, content: File[bytes]) -> str:
        filesystem, path = self._target(name)
        if isinstance(filesystem, LocalFileSystem):
            # An object store has no folders: there it would make a bucket of a mistyped name.
            filesystem.makedirs(path.rsplit("/", 1)[0], exist_ok=True)
        with filesystem.open(path, "wb") as target:
            for chunk in content.chunks():
                target.write(chunk)
        return name

    def delete(self, name: str) -> None:
        filesystem, path = self._target(name)
        if filesystem.exists(path):
            filesystem.rm_file(path)

    def exists(self, name: str) -> bool:
        filesystem, path = self._target(name)
        return bool(filesystem.isfile(path))

    def size(self, name: str) -> int:
        filesystem, path = self._target(name)
        return int(filesystem.size(path))

    def get_modified_time(self, name: str) -> datetime:
        filesystem, path = self._target(name)
        moment: datetime = filesystem.modified(path)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)

    def find(self, name: str) -> StoredFile | None:
        """The file of this name; None when there is none."""
        filesystem, path = self._target(name)
        try:
            found = filesystem.info(path)
        except (FileNotFoundError, NotADirectoryError):
            return None
        if found["type"] != "file":
            return None
        # A folder's files tell the moment in seconds, an object store's say it in words and have a tag of their own.
        changed = found["mtime"] if "mtime" in found else found.get("LastModified") or filesystem.modified(path)
        moment = datetime.fromtimestamp(changed, UTC) if isinstance(changed, float) else changed.astimezone(UTC)
        size = int(found["size"])
        told = f"{size} {moment.isoformat()} {found.get('ETag', '')} {found.get('ino', '')}"
        return StoredFile(size, moment, hashlib.sha256(told.encode()).hexdigest()[:24])

    def read_part(self, name: str, first: int, length: int) -> bytes:
        """Up to ``length`` bytes from ``first``; less at the end of the file."""
        filesystem, path = self._target(name)
        part: bytes = filesystem.cat_file(path, start=first, end=first + length)
        return part

    def url(self, name: str | None) -> str:
        return f"{settings.MEDIA_URL}{name}"
