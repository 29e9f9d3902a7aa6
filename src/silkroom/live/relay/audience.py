"""The viewers of one stream on one gateway: each frame is built once and the same bytes go to every transport.

Nobody waits for anybody: a viewer whose connection holds too many bytes is passed over until a key frame.
"""

from __future__ import annotations

import asyncio
import socket

from silkroom.live.relay.core.boxes import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Run,
    Sample,
    audio_ticks,
    audio_timescale,
    fragment,
    init_segment,
    video_ticks,
)
from silkroom.live.relay.core.chunks import (
    Chunk,
    Kind,
    StreamConfig,
    encode_chunk,
    encode_frame,
    websocket_frame,
)
from silkroom.live.relay.core.gop import Gate, Verdict
from silkroom.live.relay.errors import CloseCode

INSTANT = "instant"
MSE = "mse"

MIN_WAITING = 128 * 1024
MAX_WAITING = 2 * 1024 * 1024
"""Bytes that may wait for one viewer: a second of the stream or two key frames, between these bounds."""
PATIENCE_US = 10_000_000
"""So long may a viewer be too slow for even one key frame, then it is sent away (4508) to a leaner way of watching."""

UNSENT_BYTES = 32 * 1024
"""What the kernel may hold back unsent for a viewer. By default that is megabytes, half a minute of video which no
gate could see; a slow viewer would lag by so much."""

RECENT_SOUND_US = 60_000

STRETCH = 2.5
"""A fragment says that its picture lasts longer than it should: where a sender leaves pictures out, a browser would see
a hole, stop at it and wait. An overlap with the next picture is harmless."""
MAX_LENGTH_US = 250_000


class Viewer:
    """One open connection. ``transport`` is written directly; closing goes through the handler that owns it."""

    __slots__ = ("gate", "mode", "reason", "sent_away", "transport")

    def __init__(self, transport: asyncio.WriteTransport, mode: str) -> None:
        self.transport = transport
        self.mode = mode
        self.gate = Gate(MIN_WAITING, MIN_WAITING // 4, PATIENCE_US)
        self.sent_away = asyncio.Event()
        self.reason = CloseCode.TOO_SLOW
        limit_unsent(transport)

    def send_away(self, reason: CloseCode) -> None:
        """Ask the handler to close. The first reason counts."""
        if not self.sent_away.is_set():
            self.reason = reason
            self.sent_away.set()

    def write(self, frame: bytes) -> None:
        if not self.transport.is_closing():
            self.transport.write(frame)


def limit_unsent(transport: asyncio.BaseTransport) -> None:
    """Keep the kernel's queue short, so that slowness shows in the transport's own buffer."""
    connection = transport.get_extra_info("socket")
    option = getattr(socket, "TCP_NOTSENT_LOWAT", 25)
    if connection is not None and connection.family in (socket.AF_INET, socket.AF_INET6):
        try:
            connection.setsockopt(socket.IPPROTO_TCP, option, UNSENT_BYTES)
        except OSError:
            # no such option on this system: the kernel's own bounds hold
            return


def _without_old_sound(group: list[Chunk]) -> list[Chunk]:
    """An instant viewer decodes old pictures to get at the newest; old sound it would only throw away."""
    since_us = group[-1].time_us - RECENT_SOUND_US if group else 0
    return [chunk for chunk in group if chunk.is_video or chunk.time_us >= since_us]


class FragmentMaker:
    """fMP4 of single chunks for MSE."""

    def __init__(self, config: StreamConfig) -> None:
        self._config = config
        self._sequence = 0

    def init(self) -> bytes:
        return encode_frame(Kind.INIT, 0, 0, init_segment(self._config))

    def fragment(self, chunk: Chunk) -> bytes | None:
        """A whole message; None for sound that the config does not announce."""
        self._sequence += 1
        run = self._video(chunk) if chunk.is_video else self._audio(chunk)
        if run is None:
            return None
        made = fragment(self._sequence, [run])
        return encode_frame(Kind.FRAGMENT, chunk.time_us, chunk.duration_us, made.data)

    def _video(self, chunk: Chunk) -> Run:
        start = video_ticks(chunk.time_us)
        length = min(MAX_LENGTH_US, round((chunk.duration_us or self._config.video.frame_us) * STRETCH))
        sample = Sample(chunk.payload, max(1, video_ticks(length)), chunk.kind is Kind.VIDEO_KEY)
        return Run(VIDEO_TRACK, start, [sample])

    def _audio(self, chunk: Chunk) -> Run | None:
        audio = self._config.audio
        if audio is None:
            return None
        rate = audio_timescale(audio)
        duration = max(1, audio_ticks(chunk.duration_us, rate))
        return Run(AUDIO_TRACK, audio_ticks(chunk.time_us, rate), [Sample(chunk.payload, duration)])


class Audience:
    """All viewers of a stream here."""

    def __init__(self) -> None:
        self.instant: set[Viewer] = set()
        self.mse: set[Viewer] = set()
        self.sent_frames = 0
        self.skipped_frames = 0
        self._maker: FragmentMaker | None = None
        self._high = MIN_WAITING

    def __len__(self) -> int:
        return len(self.instant) + len(self.mse)

    def configure(self, config: StreamConfig) -> None:
        """What follows is described by ``config``; everybody waits for its first key frame."""
        self._maker = FragmentMaker(config)
        for viewer in (*self.instant, *self.mse):
            viewer.gate.miss()

    def init_frame(self) -> bytes | None:
        """The WebSocket frame with the initialisation segment, for viewers with MSE."""
        return websocket_frame(self._maker.init()) if self._maker else None

    def set_pace(self, bytes_per_second: float, key_bytes: int) -> None:
        """How much may wait for a viewer, from what the stream needs now."""
        high = int(min(MAX_WAITING, max(MIN_WAITING, bytes_per_second, 2 * key_bytes)))
        if high != self._high:
            self._high = high
            for viewer in (*self.instant, *self.mse):
                viewer.gate.high, viewer.gate.low = high, high // 4

    def add(self, viewer: Viewer, group: list[Chunk]) -> None:
        """A viewer joins; ``group`` is what it needs to show a picture at once."""
        viewer.gate.high, viewer.gate.low = self._high, self._high // 4
        (self.instant if viewer.mode == INSTANT else self.mse).add(viewer)
        self.catch_up(viewer, group)

    def catch_up(self, viewer: Viewer, group: list[Chunk]) -> None:
        """Send the group of pictures to one viewer, from its key frame on."""
        wanted = _without_old_sound(group) if viewer.mode == INSTANT else group
        frames = [frame for chunk in wanted if (frame := self._frame(chunk, viewer.mode)) is not None]
        if not frames:
            viewer.gate.miss()
            return
        burst = b"".join(frames)
        viewer.gate.open(len(burst))
        viewer.write(burst)
        self.sent_frames += len(frames)

    def remove(self, viewer: Viewer) -> None:
        self.instant.discard(viewer)
        self.mse.discard(viewer)

    def send_text(self, text: bytes) -> None:
        frame = websocket_frame(text, opcode=0x1)
        for viewer in (*self.instant, *self.mse):
            viewer.write(frame)

    def send_init(self) -> None:
        frame = self.init_frame()
        if frame is not None:
            for viewer in self.mse:
                viewer.write(frame)

    def send(self, chunk: Chunk, now_us: int) -> None:
        """One chunk to everybody who can take it."""
        if self.instant and (frame := self._frame(chunk, INSTANT)) is not None:
            self._write(self.instant, chunk.kind, frame, now_us)
        if self.mse and (frame := self._frame(chunk, MSE)) is not None:
            self._write(self.mse, chunk.kind, frame, now_us)

    def _frame(self, chunk: Chunk, mode: str) -> bytes | None:
        if mode == INSTANT:
            return websocket_frame(encode_chunk(chunk))
        message = self._maker.fragment(chunk) if self._maker else None
        return None if message is None else websocket_frame(message)

    def _write(self, viewers: set[Viewer], kind: Kind, frame: bytes, now_us: int) -> None:
        skipped = 0
        for viewer in viewers:
            transport = viewer.transport
            if transport.is_closing():
                continue
            verdict = viewer.gate.admit(kind, transport.get_write_buffer_size(), now_us)
            if verdict is Verdict.SEND:
                transport.write(frame)
            else:
                skipped += 1
                if verdict is Verdict.CLOSE:
                    viewer.send_away(CloseCode.TOO_SLOW)
        self.skipped_frames += skipped
        self.sent_frames += len(viewers) - skipped
