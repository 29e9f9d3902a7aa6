"""MediaRecorder's slices (Matroska, or fragmented MP4 where a browser makes that) to chunks, as they come.

PyAV demuxes in a thread that reads from a bounded pipe. Chromium's Matroska carries Annex B without CodecPrivate: the
parameter sets come out of the first key frame.
"""

from __future__ import annotations

import logging
import threading
from collections import deque
from collections.abc import Callable, Iterator
from fractions import Fraction

import av
from av.audio.stream import AudioStream
from av.container.input import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from silkroom.live.relay.core.avc import (
    ParameterSets,
    UnreadableVideo,
    avc_units,
    build_avcc,
    from_annexb,
    is_annexb,
    parse_avcc,
    picture_size,
)
from silkroom.live.relay.core.chunks import AudioConfig, Chunk, Kind, StreamConfig, VideoConfig

MAX_WAITING = 4 * 1024 * 1024
"""Bytes the pipe holds. A sender that is faster than the demuxer is broken or hostile."""

FORMATS = {"matroska": "matroska", "mp4": "mp4"}

PROBE = {"probesize": "8192", "analyzeduration": "1", "fpsprobesize": "0", "fflags": "noparse"}
"""FFmpeg would otherwise read seconds ahead before it names the first packet, and hold back the last one."""

logger = logging.getLogger(__name__)

Output = StreamConfig | Chunk


class PipeFull(Exception):
    """More waits in the pipe than it may hold."""


class Pipe:
    """What the demuxer reads from: blocks while empty, ends when closed."""

    def __init__(self) -> None:
        self._pieces: deque[bytes] = deque()
        self._size = 0
        self._closed = False
        self._ready = threading.Condition()

    def write(self, data: bytes) -> None:
        with self._ready:
            if self._size + len(data) > MAX_WAITING:
                raise PipeFull
            self._pieces.append(data)
            self._size += len(data)
            self._ready.notify()

    def close(self) -> None:
        with self._ready:
            self._closed = True
            self._ready.notify()

    def read(self, size: int) -> bytes:
        with self._ready:
            while not self._pieces and not self._closed:
                self._ready.wait()
            if not self._pieces:
                return b""
            piece = self._pieces.popleft()
            if len(piece) > size:
                self._pieces.appendleft(piece[size:])
                piece = piece[:size]
            self._size -= len(piece)
            return piece


class Demuxer:
    """One container from one sender. ``deliver`` and ``failed`` are called in the demuxer's own thread."""

    def __init__(
        self, container: str, fps: float, deliver: Callable[[Output], None], failed: Callable[[str], None]
    ) -> None:
        self._format = FORMATS[container]
        self._fps = fps
        self._deliver = deliver
        self._failed = failed
        self._pipe = Pipe()
        self._config: StreamConfig | None = None
        self._sets: ParameterSets | None = None
        self._thread = threading.Thread(target=self._run, name="media-demuxer", daemon=True)
        self._thread.start()

    def write(self, data: bytes) -> None:
        """A slice. Raises PipeFull."""
        self._pipe.write(data)

    def close(self) -> None:
        self._pipe.close()

    def join(self, seconds: float) -> None:
        self._thread.join(seconds)

    def _run(self) -> None:
        try:
            with av.open(self._pipe, "r", format=self._format, options=PROBE, buffer_size=4096) as source:
                self._demux(source)
        except (FFmpegError, UnreadableVideo, ValueError) as error:
            self._failed(str(error))

    def _demux(self, source: InputContainer) -> None:
        video = source.streams.video[0] if source.streams.video else None
        if video is None or video.codec_context.name != "h264":
            raise UnreadableVideo("no H.264 in the container")
        audio = source.streams.audio[0] if source.streams.audio else None
        wanted: list[VideoStream | AudioStream] = [video] if audio is None else [video, audio]
        sound = None if audio is None else _audio_config(audio)
        private = video.codec_context.extradata
        if private and private[0] == 1:
            self._sets = parse_avcc(private)
        for packet in source.demux(wanted):
            if packet.pts is None or packet.size == 0:
                continue
            time_us = round(packet.pts * Fraction(packet.time_base) * 1_000_000)
            duration_us = round((packet.duration or 0) * Fraction(packet.time_base) * 1_000_000)
            if packet.stream is video:
                for output in self._picture(bytes(packet), packet.is_keyframe, time_us, duration_us, sound):
                    self._deliver(output)
            elif self._config is not None:
                self._deliver(Chunk(Kind.AUDIO, time_us, duration_us, bytes(packet)))

    def _picture(
        self, data: bytes, is_key: bool, time_us: int, duration_us: int, sound: AudioConfig | None
    ) -> Iterator[Output]:
        sets = self._sets
        if is_annexb(data):
            picture = from_annexb(data)
            data, is_key, sets = picture.data, picture.is_key, picture.sets or sets
        else:
            # the lengths must add up, or a decoder somewhere downstream fails instead
            for _ in avc_units(data):
                pass
        if sets is None or not data:
            return
        if self._config is None or sets != self._sets:
            self._sets = sets
            width, height = picture_size(sets.sps[0])
            video = VideoConfig(sets.codec, build_avcc(sets), width, height, self._fps)
            self._config = StreamConfig(video, sound)
            yield self._config
        yield Chunk(Kind.VIDEO_KEY if is_key else Kind.VIDEO_DELTA, time_us, duration_us, data)


def _audio_config(audio: AudioStream) -> AudioConfig | None:
    context = audio.codec_context
    if context.name in ("opus", "libopus"):
        return AudioConfig("opus", context.sample_rate or 48_000, min(context.channels or 2, 2), b"")
    if context.name == "aac" and context.extradata:
        return AudioConfig("mp4a.40.2", context.sample_rate, context.channels, bytes(context.extradata))
    return None
