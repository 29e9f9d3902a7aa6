"""From the pieces in the spool to one MP4 that plays everywhere: by copy, for a job to call.

The pieces follow each other without the pauses between them; `FinishedRecording.pieces` says which moment of the show
lies where, so that an answer, a deal or a clip is found in the file by its relay time.
"""

from __future__ import annotations

import json
import logging
import shutil
import struct
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from fractions import Fraction
from pathlib import Path
from typing import BinaryIO

import av
from av.container.input import InputContainer
from av.packet import Packet
from av.stream import Stream as MediaStream

from silkroom.live.relay.core.avc import ParameterSets, parse_avcc, with_parameter_sets
from silkroom.live.relay.errors import RecordingStillOpen
from silkroom.live.relay.spool import Piece, piece_of_name, read_piece, sidecar

logger = logging.getLogger(__name__)

OPEN_SECONDS = 10.0
"""A piece that is not closed but was touched so recently is still being written."""

RESULT = "finished.json"

_FOREVER_US = 1 << 62


@dataclass(frozen=True, slots=True)
class RecordedPiece:
    """From ``relay_ms`` on, for ``duration_ms``, the show lies in the file from ``media_ms`` on."""

    relay_ms: int
    media_ms: int
    duration_ms: int


@dataclass(frozen=True, slots=True)
class FinishedRecording:
    """``url`` is what the store answered."""

    url: str
    duration_ms: int
    size_bytes: int
    width: int
    height: int
    pieces: tuple[RecordedPiece, ...]


def media_time_ms(pieces: tuple[RecordedPiece, ...], relay_ms: int) -> int:
    """Where a moment of the show lies in the file; a moment in a pause is the start of what follows."""
    position = 0
    for piece in pieces:
        if relay_ms < piece.relay_ms:
            return piece.media_ms
        position = piece.media_ms + min(relay_ms - piece.relay_ms, piece.duration_ms)
        if relay_ms < piece.relay_ms + piece.duration_ms:
            return position
    return position


def finish_recording(
    *,
    spool_dir: Path,
    broadcast_id: int | str,
    store: Callable[[Path, str], str],
    start_ms: int | None = None,
    end_ms: int | None = None,
    now: Callable[[], float] = time.time,
) -> FinishedRecording | None:
    """Join what was recorded (between two moments of relay time) and hand it to ``store(path, name)``.

    None when nothing was recorded. Raises RecordingStillOpen: try again later. Safe to call again after a crash or
    twice: the result is kept beside the pieces, which are only deleted once ``store`` has answered.
    """
    folder = spool_dir / str(broadcast_id)
    result = folder / RESULT
    if result.exists():
        return _read_result(result)
    pieces = _pieces(folder, now())
    if not pieces:
        return None
    target = folder / "joined.mp4"
    joiner = _Joiner(target, [path for path, _piece in pieces], start_ms, end_ms)
    for path, piece in pieces:
        joiner.add(path, piece)
    joined = joiner.close()
    if not joined:
        target.unlink(missing_ok=True)
        return None
    first = pieces[0][1]
    finished = FinishedRecording(
        url=store(target, f"{broadcast_id}.mp4"),
        duration_ms=joined[-1].media_ms + joined[-1].duration_ms,
        size_bytes=target.stat().st_size,
        width=first.width,
        height=first.height,
        pieces=tuple(joined),
    )
    _write_result(result, finished)
    target.unlink()
    for path, _piece in pieces:
        path.unlink()
        sidecar(path).unlink(missing_ok=True)
    return finished


def discard_recording(*, spool_dir: Path, broadcast_id: int | str) -> None:
    """Delete whatever the spool still holds of a broadcast."""
    shutil.rmtree(spool_dir / str(broadcast_id), ignore_errors=True)


def _pieces(folder: Path, now: float) -> list[tuple[Path, Piece]]:
    """Those that can be read, in order. A damaged one is left out: the rest of the show is worth more than it."""
    found = []
    for path in folder.glob("*-*.mp4"):
        piece = read_piece(path)
        is_closed = piece is not None and piece.closed
        if not is_closed and now - path.stat().st_mtime < OPEN_SECONDS:
            raise RecordingStillOpen()
        if not is_closed and not _cut_torn_end(path):
            continue
        size = _picture_size(path)
        if size is None:
            logger.error("a piece of a recording is damaged and left out: %s", path.name)
        else:
            found.append((path, piece or piece_of_name(path, *size)))
    return sorted(found, key=lambda one: one[1].start_ms)


def _picture_size(path: Path) -> tuple[int, int] | None:
    """Width and height; None when the file is no video that can be read to its end."""
    try:
        with av.open(str(path)) as source:
            picture = source.streams.video[0].codec_context
            size = picture.width, picture.height
        keys, _end_us = _key_frames(path)
    except (av.FFmpegError, IndexError):
        return None
    return size if keys else None


class _Joiner:
    """Copies packets of one piece after the other into a faststart MP4."""

    def __init__(self, target: Path, paths: list[Path], start_ms: int | None, end_ms: int | None) -> None:
        self._start_ms = start_ms
        self._end_ms = end_ms
        self._output = av.open(str(target), "w", format="mp4", options={"movflags": "faststart"})
        self._streams: dict[str, MediaStream] = {}
        self._first_sets: ParameterSets | None = None
        self._media_us = 0
        self._last: dict[str, int] = {}
        self._joined: list[RecordedPiece] = []
        for path in paths:
            self._announce(path)

    def add(self, path: Path, piece: Piece) -> None:
        """Append one piece."""
        bounds = self._bounds(path, piece)
        if bounds is not None:
            with av.open(str(path)) as source:
                self._copy(source, piece, *bounds)

    def close(self) -> list[RecordedPiece]:
        self._output.close()
        return self._joined

    def _announce(self, path: Path) -> None:
        """Tracks of the result: the first picture and sound that occur. All sound is of one kind (sound.py)."""
        with av.open(str(path)) as source:
            for stream in source.streams:
                if stream.type in ("video", "audio") and stream.type not in self._streams:
                    self._streams[stream.type] = self._output.add_stream_from_template(stream)
            if self._first_sets is None:
                self._first_sets = _parameter_sets(source)

    def _copy(self, source: InputContainer, piece: Piece, from_us: int, until_us: int) -> None:
        sets = _parameter_sets(source)
        changed = sets if sets != self._first_sets else None
        last_us = from_us
        for packet in source.demux([stream for stream in source.streams if stream.type in self._streams]):
            if packet.pts is None or packet.dts is None or packet.size == 0:
                continue
            time_us = _microseconds(packet.pts, packet.time_base)
            if not from_us <= time_us < until_us:
                continue
            last_us = max(last_us, time_us + _microseconds(packet.duration or 0, packet.time_base))
            kind = packet.stream.type
            if changed is not None and kind == "video" and packet.is_keyframe:
                packet = _with_sets(packet, changed)
            ticks = _shift(packet, self._media_us - from_us)
            if kind in self._last and ticks <= self._last[kind]:
                # a file cannot go back: for this one packet the whole recording would be refused
                continue
            self._last[kind] = ticks
            packet.stream = self._streams[kind]
            self._output.mux(packet)
        if last_us > from_us:
            start_ms = piece.start_ms + from_us // 1000
            self._joined.append(RecordedPiece(start_ms, self._media_us // 1000, (last_us - from_us) // 1000))
            self._media_us += last_us - from_us

    def _bounds(self, path: Path, piece: Piece) -> tuple[int, int] | None:
        """Microseconds within the piece: from the first key frame that is not before the start, until the end.

        What was before the start is a rehearsal, and nobody's business: not one picture of it is kept.
        """
        until_us = _FOREVER_US if self._end_ms is None else (self._end_ms - piece.start_ms) * 1000
        wanted_us = 0 if self._start_ms is None else (self._start_ms - piece.start_ms) * 1000
        keys, end_us = _key_frames(path)
        within = [key for key in keys if key >= wanted_us]
        if until_us <= 0 or not within or wanted_us > end_us:
            return None
        return within[0], until_us


def _key_frames(path: Path) -> tuple[list[int], int]:
    """Times of the key frames and of the last picture, in microseconds."""
    keys, end_us = [], 0
    with av.open(str(path)) as source:
        for packet in source.demux(source.streams.video[0]):
            if packet.pts is not None and packet.size:
                time_us = _microseconds(packet.pts, packet.time_base)
                end_us = max(end_us, time_us)
                if packet.is_keyframe:
                    keys.append(time_us)
    return keys, end_us


def _cut_torn_end(path: Path) -> bool:
    """Leave out what a crash tore off; whether a whole fragment remains."""
    with path.open("r+b") as handle:
        size = handle.seek(0, 2)
        whole, fragments = whole_fragments(handle, size)
        if whole < size:
            handle.truncate(whole)
    return fragments > 0


def whole_fragments(handle: BinaryIO, size: int) -> tuple[int, int]:
    """(bytes, fragments) up to the end of the last complete mdat; only box headers are read."""
    position = whole = fragments = 0
    while position + 8 <= size:
        handle.seek(position)
        length, name = struct.unpack(">I4s", handle.read(8))
        if length < 8 or position + length > size:
            break
        position += length
        if name == b"mdat":
            whole, fragments = position, fragments + 1
    return whole, fragments


def _parameter_sets(source: InputContainer) -> ParameterSets | None:
    private = source.streams.video[0].codec_context.extradata
    return parse_avcc(private) if private else None


def _with_sets(packet: Packet[MediaStream], sets: ParameterSets) -> Packet[MediaStream]:
    """The picture with its own parameter sets in front: the sample entry has those of the first piece."""
    changed = Packet(with_parameter_sets(bytes(packet), sets))
    changed.pts, changed.dts, changed.duration = packet.pts, packet.dts, packet.duration
    changed.time_base = packet.time_base
    changed.is_keyframe = True
    return changed


def _shift(packet: Packet[MediaStream], by_us: int) -> int:
    """Moves the packet in time; answers when it is decoded now, in its own ticks."""
    ticks = round(Fraction(by_us, 1_000_000) / packet.time_base)
    packet.pts = (packet.pts or 0) + ticks
    packet.dts = decoded = (packet.dts or 0) + ticks
    return decoded


def _microseconds(ticks: int, time_base: Fraction) -> int:
    return round(ticks * time_base * 1_000_000)


def _write_result(path: Path, finished: FinishedRecording) -> None:
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(asdict(finished)))
    draft.replace(path)


def _read_result(path: Path) -> FinishedRecording:
    raw = json.loads(path.read_text())
    raw["pieces"] = tuple(RecordedPiece(**piece) for piece in raw["pieces"])
    return FinishedRecording(**raw)
