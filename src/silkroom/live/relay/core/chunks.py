"""What travels through the relay: the description of a stream and its encoded chunks, and their bytes on the wire.

All times are *relay time*: whole microseconds since 1970 on the gateway's clock, at the moment of capture. So the
delay of a picture is simply "now minus its time", and a moment in a show and a moment in its video are one number.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from typing import Any

HEADER = struct.Struct(">BqI")
"""Kind, time (signed 64 bit) and duration, both in microseconds, big-endian: 13 bytes before the payload."""

MAX_PAYLOAD = 768 * 1024
"""Largest chunk. A 1080p key frame at 8 Mbit/s is about 250 KiB; NATS carries at most 1 MiB in a message."""


class Kind(IntEnum):
    """First byte of every binary frame."""

    VIDEO_KEY = 0
    VIDEO_DELTA = 1
    AUDIO = 2
    SLICE = 3
    """Ingest only: a slice of a container file (MediaRecorder)."""
    INIT = 16
    """Watch in mode mse only: an fMP4 initialisation segment."""
    FRAGMENT = 17
    """Watch in mode mse only: an fMP4 fragment."""


CHUNK_KINDS = frozenset((Kind.VIDEO_KEY, Kind.VIDEO_DELTA, Kind.AUDIO))


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """H.264 in AVC form: length-prefixed units, parameter sets in ``description`` (an avcC record)."""

    codec: str
    description: bytes
    width: int
    height: int
    fps: float

    @property
    def frame_us(self) -> int:
        """Nominal length of one picture."""
        return round(1_000_000 / self.fps)


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """``codec`` is "opus" or "mp4a.40.2"; ``description`` is OpusHead, AudioSpecificConfig or empty."""

    codec: str
    rate: int
    channels: int
    description: bytes = b""

    @property
    def is_opus(self) -> bool:
        return self.codec == "opus"


@dataclass(frozen=True, slots=True)
class StreamConfig:
    """Everything a decoder must know before the first chunk."""

    video: VideoConfig
    audio: AudioConfig | None = None

    @property
    def codecs(self) -> str:
        """The ``codecs`` parameter of a MIME type."""
        return self.video.codec if self.audio is None else f"{self.video.codec},{self.audio.codec}"

    def as_json(self) -> dict[str, Any]:
        """The part of the watch protocol's ``config`` frame that describes the stream."""
        video = self.video
        audio = self.audio
        return {
            "video": {
                "codec": video.codec,
                "description": base64.b64encode(video.description).decode(),
                "width": video.width,
                "height": video.height,
                "fps": video.fps,
            },
            "audio": audio
            and {
                "codec": audio.codec,
                "rate": audio.rate,
                "channels": audio.channels,
                "description": base64.b64encode(audio.description).decode(),
            },
        }


@dataclass(frozen=True, slots=True)
class Chunk:
    """One encoded picture or piece of sound."""

    kind: Kind
    time_us: int
    duration_us: int
    payload: bytes

    @property
    def is_video(self) -> bool:
        return self.kind is not Kind.AUDIO

    def at(self, time_us: int) -> Chunk:
        return replace(self, time_us=time_us)


class UnreadableFrame(ValueError):
    """A binary frame does not follow the format; the text says where."""


def encode_frame(kind: Kind, time_us: int, duration_us: int, payload: bytes) -> bytes:
    """The binary message of the ingest and watch protocols."""
    return HEADER.pack(kind, time_us, duration_us) + payload


def encode_chunk(chunk: Chunk) -> bytes:
    return encode_frame(chunk.kind, chunk.time_us, chunk.duration_us, chunk.payload)


def decode_chunk(frame: bytes, *, kinds: frozenset[Kind] = CHUNK_KINDS) -> Chunk:
    """Read a binary message; the time is still the sender's. Raises UnreadableFrame."""
    if len(frame) <= HEADER.size:
        raise UnreadableFrame("frame without payload")
    number, time_us, duration_us = HEADER.unpack_from(frame)
    if number not in {int(kind) for kind in kinds}:
        raise UnreadableFrame(f"unknown kind {number}")
    return Chunk(Kind(number), time_us, duration_us, frame[HEADER.size :])


def websocket_frame(message: bytes, *, opcode: int = 0x2) -> bytes:
    """A whole RFC 6455 frame as a server sends it (unmasked, final): built once, written to all transports."""
    length = len(message)
    first = 0x80 | opcode
    if length < 126:
        return bytes((first, length)) + message
    if length < 65536:
        return struct.pack(">BBH", first, 126, length) + message
    return struct.pack(">BBQ", first, 127, length) + message
