"""The recording, written as it comes: fragments appended to a file, forced to disk about once a second by one thread.

Each file (*piece*) is a playable fragmented MP4 that counts from zero; a JSON file beside it says where it lies on
relay time. A new piece begins when the config changes or the sender was away. A crash loses what was not yet forced
to disk, about one second.
"""

from __future__ import annotations

import json
import logging
import os
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

from silkroom.live.relay.core.boxes import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Fragment,
    audio_ticks,
    shift_clocks,
    video_ticks,
)
from silkroom.live.relay.core.segments import Event, InitMade, PartMade

SYNC_SECONDS = 1.0
MAX_WAITING_BYTES = 64 * 1024 * 1024
"""A disk that stands still for so many bytes: the recording gets a hole, the show goes on."""

logger = logging.getLogger(__name__)

PieceClosed = Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Piece:
    """The sidecar of a piece. ``closed`` is False while it is written, and after a crash."""

    broadcast: str
    gateway: str
    start_ms: int
    duration_ms: int
    width: int
    height: int
    codecs: str
    closed: bool


@dataclass(frozen=True, slots=True)
class _Open:
    path: Path
    piece: Piece
    init: bytes


@dataclass(frozen=True, slots=True)
class _Append:
    path: Path
    data: bytes
    duration_ms: int


@dataclass(frozen=True, slots=True)
class _Close:
    path: Path


@dataclass(slots=True)
class _File:
    handle: BinaryIO
    piece: Piece
    synced_at: float
    dirty: bool = True


class SpoolWriter:
    """The thread that owns all open recordings of this gateway."""

    def __init__(self, piece_closed: PieceClosed | None = None) -> None:
        self._piece_closed = piece_closed
        self._orders: queue.SimpleQueue[_Open | _Append | _Close | None] = queue.SimpleQueue()
        self._files: dict[Path, _File] = {}
        self._waiting = 0
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self.failures = 0

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="media-spool", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write everything out and stop. Blocks until the disk has it."""
        if self._thread is not None:
            self._orders.put(None)
            self._thread.join()
            self._thread = None

    def put(self, order: _Open | _Append | _Close) -> bool:
        """Hand an order over; False when the disk is so far behind that the data was left out."""
        size = len(order.data) if isinstance(order, _Append) else 0
        with self._lock:
            if self._waiting + size > MAX_WAITING_BYTES:
                return False
            self._waiting += size
        self._orders.put(order)
        return True

    def _run(self) -> None:
        while True:
            try:
                order = self._orders.get(timeout=SYNC_SECONDS / 4)
            except queue.Empty:
                self._sync_due()
                continue
            if order is None:
                break
            try:
                self._do(order)
                self._sync_due()
            except OSError as error:
                self._fail(order.path, error)
        for path in list(self._files):
            self._finish(path)

    def _do(self, order: _Open | _Append | _Close) -> None:
        if isinstance(order, _Open):
            self._begin(order)
        elif isinstance(order, _Append):
            with self._lock:
                self._waiting -= len(order.data)
            file = self._files.get(order.path)
            if file is not None:
                file.handle.write(order.data)
                file.piece = _lasting(file.piece, order.duration_ms)
                file.dirty = True
        else:
            self._finish(order.path)

    def _begin(self, order: _Open) -> None:
        order.path.parent.mkdir(parents=True, exist_ok=True)
        handle = order.path.open("ab", buffering=0)
        handle.write(order.init)
        self._files[order.path] = _File(handle, order.piece, 0.0)
        _write_sidecar(order.path, order.piece)
        _sync_folder(order.path.parent)

    def _sync_due(self) -> None:
        now = time.monotonic()
        for path, file in list(self._files.items()):
            if file.dirty and now - file.synced_at >= SYNC_SECONDS:
                try:
                    os.fsync(file.handle.fileno())
                    _write_sidecar(path, file.piece)
                except OSError as error:
                    self._fail(path, error)
                    continue
                file.synced_at, file.dirty = time.monotonic(), False

    def _finish(self, path: Path) -> None:
        file = self._files.pop(path, None)
        if file is None:
            return
        try:
            os.fsync(file.handle.fileno())
            file.handle.close()
            _write_sidecar(path, _closed(file.piece))
        except OSError as error:
            self._fail(path, error)
            return
        if self._piece_closed is not None:
            self._piece_closed(path)

    def _fail(self, path: Path, error: OSError) -> None:
        self.failures += 1
        logger.error("recording %s cannot be written: %s", path.name, error)
        file = self._files.pop(path, None)
        if file is not None:
            file.handle.close()


class StreamRecorder:
    """Turns the events of one stream into orders for the writer."""

    def __init__(self, writer: SpoolWriter, folder: Path, *, broadcast_id: str, gateway: str) -> None:
        self._writer = writer
        self._folder = folder
        self._broadcast_id = broadcast_id
        self._gateway = gateway
        self._inits: dict[int, InitMade] = {}
        self._path: Path | None = None
        self._start_us = 0
        self._minus: dict[int, int] = {}

    def apply(self, event: Event) -> None:
        if isinstance(event, InitMade):
            self._inits = {event.number: event}
        elif isinstance(event, PartMade):
            self._part(event)

    def close(self) -> None:
        if self._path is not None:
            self._writer.put(_Close(self._path))
            self._path = None

    def _part(self, part: PartMade) -> None:
        begins = part.discontinuity or self._path is None
        if begins and not (part.independent and self._begin(part)):
            return
        data = shift_clocks(Fragment(part.data, part.clocks), self._minus)
        lasted_ms = (part.start_us + part.duration_us - self._start_us) // 1000
        if self._path is not None and not self._writer.put(_Append(self._path, data, lasted_ms)):
            logger.error("disk is too slow for the recording of %s: a piece is left out", self._broadcast_id)
            self.close()

    def _begin(self, part: PartMade) -> bool:
        init = self._inits.get(part.init)
        if init is None:
            return False
        self.close()
        self._start_us = part.start_us
        self._minus = {
            VIDEO_TRACK: video_ticks(part.start_us),
            AUDIO_TRACK: audio_ticks(part.start_us, init.audio_timescale),
        }
        start_ms = part.start_us // 1000
        path = self._folder / self._broadcast_id / f"{start_ms}-{self._gateway}.mp4"
        piece = Piece(
            self._broadcast_id, self._gateway, start_ms, 0, init.width, init.height, init.codecs, closed=False
        )
        self._path = path
        return self._writer.put(_Open(path, piece, init.data))


def read_piece(path: Path) -> Piece | None:
    """The sidecar of a piece; None when it is missing or damaged."""
    try:
        return Piece(**json.loads(sidecar(path).read_text()))
    except (FileNotFoundError, ValueError, TypeError):
        return None


def piece_of_name(path: Path, width: int, height: int) -> Piece:
    """What the name of a piece tells, for one that has lost its sidecar."""
    start_ms, gateway = path.stem.split("-", 1)
    return Piece(path.parent.name, gateway, int(start_ms), 0, width, height, "", closed=True)


def sidecar(path: Path) -> Path:
    return path.with_suffix(".json")


def _write_sidecar(path: Path, piece: Piece) -> None:
    target = sidecar(path)
    draft = target.with_suffix(".json.new")
    draft.write_text(json.dumps(asdict(piece)))
    draft.replace(target)


def _lasting(piece: Piece, duration_ms: int) -> Piece:
    return Piece(**{**asdict(piece), "duration_ms": duration_ms})


def _closed(piece: Piece) -> Piece:
    return Piece(**{**asdict(piece), "closed": True})


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
