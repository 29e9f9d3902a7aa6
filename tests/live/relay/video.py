"""Real encoded video and sound for the relay's tests, made once by PyAV."""

from __future__ import annotations

import array
import math
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av

from silkroom.live.relay.core.avc import build_avcc, from_annexb
from silkroom.live.relay.core.chunks import AudioConfig, Chunk, Kind, StreamConfig, VideoConfig

BEEP_EVERY = 24_000
BEEP_SAMPLES = 2_400


@dataclass(frozen=True)
class Clip:
    """Chunks count from zero, in the order in which a sender would send them."""

    config: StreamConfig
    chunks: tuple[Chunk, ...]

    @property
    def pictures(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks if chunk.is_video]

    @property
    def sound(self) -> list[Chunk]:
        return [chunk for chunk in self.chunks if not chunk.is_video]


@cache
def clip(
    *,
    seconds: float = 3.0,
    width: int = 160,
    height: int = 96,
    fps: int = 30,
    key_every: int = 30,
    sound: bool = True,
) -> Clip:
    """A grey that grows brighter with each picture; a beep at each half second."""
    config, pictures = _pictures(round(seconds * fps), width, height, fps, key_every)
    audio = AudioConfig("opus", 48_000, 2) if sound else None
    heard = _sound(seconds) if sound else []
    chunks = sorted([*pictures, *heard], key=lambda chunk: (chunk.time_us, chunk.kind))
    return Clip(StreamConfig(config, audio), tuple(chunks))


def brightness(number: int) -> int:
    return 20 + (number * 2) % 200


def _pictures(count: int, width: int, height: int, fps: int, key_every: int) -> tuple[VideoConfig, list[Chunk]]:
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base, encoder.framerate = Fraction(1, fps), Fraction(fps)
    encoder.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={key_every}:min-keyint={key_every}:scenecut=0:info=0",
    }
    made: list[Chunk] = []
    config: VideoConfig | None = None
    for number in range(count + 1):
        for packet in encoder.encode(_frame(number, width, height) if number < count else None):
            picture = from_annexb(bytes(packet))
            if picture.sets is not None and config is None:
                config = VideoConfig(picture.sets.codec, build_avcc(picture.sets), width, height, fps)
            kind = Kind.VIDEO_KEY if picture.is_key else Kind.VIDEO_DELTA
            made.append(Chunk(kind, packet.pts * 1_000_000 // fps, 1_000_000 // fps, picture.data))
    assert config is not None and len(made) == count
    return config, made


def _frame(number: int, width: int, height: int) -> av.VideoFrame:
    frame = av.VideoFrame(width, height, "yuv420p")
    for index, plane in enumerate(frame.planes):
        value = brightness(number) if index == 0 else 128
        plane.update(bytes((value,)) * plane.buffer_size)
    frame.pts = number
    return frame


def _sound(seconds: float) -> list[Chunk]:
    encoder = av.CodecContext.create("libopus", "w")
    encoder.sample_rate, encoder.layout, encoder.format = 48_000, "stereo", "flt"
    encoder.time_base = Fraction(1, 48_000)
    encoder.open()
    made: list[Chunk] = []
    for number in range(round(seconds * 50)):
        for packet in encoder.encode(_tone(number * 960)):
            # the encoder's own delay is taken off, as a browser's encoder does not state it
            made.append(Chunk(Kind.AUDIO, number * 20_000, 20_000, bytes(packet)))
    return made


def _tone(start: int) -> av.AudioFrame:
    frame = av.AudioFrame(format="flt", layout="stereo", samples=960)
    frame.sample_rate, frame.pts = 48_000, start
    samples = array.array("f")
    for position in range(start, start + 960):
        loud = position % BEEP_EVERY < BEEP_SAMPLES
        value = 0.5 * math.sin(position * 2 * math.pi * 1000 / 48_000) if loud else 0.0
        samples.extend((value, value))
    frame.planes[0].update(samples.tobytes())
    return frame
