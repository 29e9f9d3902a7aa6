"""H.264 and Opus for the relay: PyAV's encoders, set so that nothing waits inside them.

Pictures leave in the order in which they came (no B-frames, no look-ahead), a key picture each second, parameter sets

once in the description. Sound leaves as Opus packets of 20 ms at 48 kHz.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction

import av
from av.audio.codeccontext import AudioCodecContext
from av.codec.context import Flags
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange, Colorspace

from silkroom.config.demo.show import Planes
from silkroom.live.relay.door import (
    AudioConfig,
    Chunk,
    Kind,
    VideoConfig,
    build_avcc,
    from_annexb,
    opus_head,
)

SOUND_RATE = 48_000
SOUND_BLOCK = 960
"""Samples of one packet: 20 ms."""
VIDEO_BITS = 1_000_000
SOUND_BITS = 64_000
_MICROSECONDS = Fraction(1, 1_000_000)


class PictureEncoder:
    """One run of H.264. Its first picture is a key picture, and so is each that comes ``fps`` pictures later."""

    def __init__(self, width: int, height: int, fps: int, bits: int = VIDEO_BITS) -> None:
        codec = av.CodecContext.create("libx264", "w")
        assert isinstance(codec, VideoCodecContext)
        codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
        codec.framerate, codec.time_base = Fraction(fps), _MICROSECONDS
        codec.bit_rate = bits
        codec.thread_count = 1
        codec.flags |= Flags.global_header
        codec.colorspace, codec.color_range = int(Colorspace.ITU709), int(ColorRange.MPEG)
        codec.color_primaries = codec.color_trc = 1
        # No more than the rate and a quarter in any half second: what is sent in bursts arrives late.
        limit = f"vbv-maxrate={bits // 800}:vbv-bufsize={bits // 1600}"
        # superfast: 5 ms a picture of 720 x 1280 on one core of an AMD EPYC, a third less bits than ultrafast needs.
        codec.options = {
            "preset": "superfast",
            "tune": "zerolatency",
            "profile": "baseline",
            "forced-idr": "1",
            "x264-params": f"keyint={fps}:min-keyint={fps}:scenecut=0:{limit}",
        }
        codec.open()
        self._codec = codec
        self._frame_us = round(1_000_000 / fps)
        self._key_wanted = False
        sets = from_annexb(codec.extradata or b"").sets
        assert sets is not None
        self.config = VideoConfig(sets.codec, build_avcc(sets), width, height, float(fps))

    def want_key(self) -> None:
        """Make the next picture a key picture."""
        self._key_wanted = True

    def encode_planes(self, planes: Planes, time_us: int) -> list[Chunk]:
        frame = av.VideoFrame(self._codec.width, self._codec.height, "yuv420p")
        for plane, image in zip(frame.planes, (planes.y, planes.u, planes.v), strict=True):
            plane.update(image.tobytes("raw", "L", plane.line_size))
        return self.encode(frame, time_us)

    def encode(self, frame: av.VideoFrame, time_us: int) -> list[Chunk]:
        """One picture in, as a rule one chunk out."""
        frame.pts, frame.time_base = time_us, _MICROSECONDS
        frame.pict_type = PictureType.I if self._key_wanted else PictureType.NONE
        self._key_wanted = False
        made = []
        for packet in self._codec.encode(frame):
            picture = from_annexb(bytes(packet))
            kind = Kind.VIDEO_KEY if picture.is_key else Kind.VIDEO_DELTA
            made.append(Chunk(kind, packet.pts or 0, self._frame_us, picture.data))
        return made


class SoundEncoder:
    """One run of Opus, stereo."""

    def __init__(self, bits: int = SOUND_BITS) -> None:
        codec = av.CodecContext.create("libopus", "w")
        assert isinstance(codec, AudioCodecContext)
        codec.sample_rate, codec.layout, codec.format = SOUND_RATE, "stereo", "s16"
        codec.bit_rate = bits
        codec.options = {"frame_duration": "20", "application": "audio", "vbr": "constrained"}
        codec.time_base = Fraction(1, SOUND_RATE)
        codec.open()
        self._codec = codec
        self.config = AudioConfig("opus", SOUND_RATE, 2, codec.extradata or opus_head(2, SOUND_RATE))

    def encode_block(self, block: bytes, number: int) -> list[Chunk]:
        """``SOUND_BLOCK`` samples of interleaved 16 bit stereo, the ``number``-th since time 0."""
        frame = av.AudioFrame("s16", "stereo", SOUND_BLOCK)
        frame.planes[0].update(block)
        frame.sample_rate = SOUND_RATE
        return list(self.encode(frame, number * SOUND_BLOCK))

    def encode(self, frame: av.AudioFrame, first_sample: int) -> Iterator[Chunk]:
        frame.pts, frame.time_base = first_sample, Fraction(1, SOUND_RATE)
        for packet in self._codec.encode(frame):
            # The encoder starts a few milliseconds early (its pre-skip); time 0 is the earliest that is told.
            time_us = max(0, (packet.pts or 0) * 1_000_000 // SOUND_RATE)
            yield Chunk(Kind.AUDIO, time_us, 20_000, bytes(packet))
