"""The JSON messages of the ingest and watch protocols, with their bounds; README.md lists them for other clients."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from silkroom.live.relay.core.avc import UnreadableVideo, parse_avcc
from silkroom.live.relay.core.chunks import AudioConfig, StreamConfig, VideoConfig
from silkroom.live.relay.core.limits import MAX_TEXT
from silkroom.live.relay.errors import BadFrame, FrameTooLarge, MediaRefusal

T = TypeVar("T")

Millis = Annotated[float, msgspec.Meta(ge=0, le=1e14)]
Side = Annotated[int, msgspec.Meta(ge=16, le=8192)]
Text = Annotated[str, msgspec.Meta(max_length=64)]
Base64 = Annotated[str, msgspec.Meta(max_length=4096)]


class VideoMessage(msgspec.Struct, frozen=True):
    """Codec and description are empty for containers, which carry their own."""

    width: Side
    height: Side
    fps: Annotated[float, msgspec.Meta(ge=1, le=120)] = 30.0
    codec: Text = ""
    description: Base64 = ""


class AudioMessage(msgspec.Struct, frozen=True):
    codec: Text
    rate: Annotated[int, msgspec.Meta(ge=8_000, le=96_000)]
    channels: Annotated[int, msgspec.Meta(ge=1, le=2)]
    description: Base64 = ""


class ConfigMessage(msgspec.Struct, frozen=True, tag="config"):
    """``clock``: the gateway's time in milliseconds at the sender's timestamp 0, by the sender's estimate."""

    video: VideoMessage
    audio: AudioMessage | None = None
    source: Literal["webcodecs", "matroska", "mp4"] = "webcodecs"
    clock: Millis | None = None

    @property
    def clock_us(self) -> int | None:
        return None if self.clock is None else round(self.clock * 1000)


class PingMessage(msgspec.Struct, frozen=True, tag="ping"):
    client_ms: Millis


class ClockMessage(msgspec.Struct, frozen=True, tag="clock"):
    """A later estimate of ``clock``, since clocks drift."""

    clock: Millis


class ResumeMessage(msgspec.Struct, frozen=True, tag="resume"):
    """A viewer's decoder needs a key frame now."""


IngestMessage = ConfigMessage | ClockMessage | PingMessage
WatchMessage = PingMessage | ResumeMessage

_ingest: msgspec.json.Decoder[IngestMessage] = msgspec.json.Decoder(IngestMessage)
_watch: msgspec.json.Decoder[WatchMessage] = msgspec.json.Decoder(WatchMessage)


def read_ingest(text: str) -> IngestMessage:
    """Raises BadFrame, FrameTooLarge."""
    return _read(_ingest, text)


def read_watch(text: str) -> WatchMessage:
    """Raises BadFrame, FrameTooLarge."""
    return _read(_watch, text)


def _read(decoder: msgspec.json.Decoder[T], text: str) -> T:
    if len(text) > MAX_TEXT:
        raise FrameTooLarge()
    try:
        return decoder.decode(text)
    except (msgspec.DecodeError, UnicodeEncodeError) as error:
        raise BadFrame(reason=str(error)) from None


def stream_config(message: ConfigMessage) -> StreamConfig:
    """The description that a WebCodecs sender gives. Raises BadFrame."""
    video = message.video
    description = _bytes(video.description, "video.description")
    try:
        sets = parse_avcc(description)
    except UnreadableVideo as error:
        raise BadFrame(reason=str(error)) from None
    picture = VideoConfig(sets.codec, description, video.width, video.height, video.fps)
    return StreamConfig(picture, _audio(message.audio) if message.audio else None)


def _audio(audio: AudioMessage) -> AudioConfig:
    description = _bytes(audio.description, "audio.description")
    if audio.codec == "opus":
        if description and not (description.startswith(b"OpusHead") and 19 <= len(description) <= 255):
            raise BadFrame(reason="audio.description is no OpusHead")
    elif audio.codec != "mp4a.40.2" or not 2 <= len(description) <= 64:
        raise BadFrame(reason="audio.codec is neither opus nor mp4a.40.2")
    return AudioConfig(audio.codec, audio.rate, audio.channels, description)


def _bytes(text: str, field: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise BadFrame(reason=f"{field} is no base64") from None


def error_text(refusal: MediaRefusal, sentence: str) -> str:
    """The frame that goes before a close."""
    return to_json({"type": "error", "code": refusal.code, "text": sentence})


def to_json(message: dict[str, Any]) -> str:
    return msgspec.json.encode(message).decode()
