"""What is broadcast: the generated show or a person's video file, as encoded chunks in the order of their time.

A source counts from its own zero. Whoever sends asks for the next chunk, waits until its moment, sends it. A source
never sleeps itself; it is told the time where it has to make up for a pause.
"""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, Protocol

import av
from av.audio.resampler import AudioResampler
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.reformatter import ColorRange, Colorspace

from silkroom.config.demo.encoding import SOUND_BLOCK, SOUND_RATE, PictureEncoder, SoundEncoder
from silkroom.config.demo.music import Sound
from silkroom.config.demo.show import FPS, SIZE, ShowSource
from silkroom.config.errors import OperationError
from silkroom.live.relay.door import (
    Chunk,
    Kind,
    ParameterSets,
    StreamConfig,
    UnreadableVideo,
    VideoConfig,
    build_avcc,
    from_annexb,
    picture_size,
)

FRAME_US = 1_000_000 // FPS
BLOCK_US = 20_000
LATE_US = 200_000
"""Pictures later than this are not made any more."""
LONGEST_SIDE = 1280
LONGEST_KEY_GAP = 3.0
"""Seconds between key pictures that a late viewer may have to wait for; a file with longer gaps is encoded anew."""
PROBE_SECONDS = 12.0
INTERLEAVE_US = 700_000
"""How far apart in time pictures and sound may lie in a file."""


class SourceError(OperationError):
    """The video file cannot be broadcast; the text says why."""


class Source(Protocol):
    config: StreamConfig
    is_live: bool
    """Whether its time is the clock's (pauses are skipped) or its own (pauses shift it)."""

    def chunks(self) -> Iterator[Chunk]:
        """Endless, in the order of time. May be asked again after a lost connection; goes on where it was."""

    def want_key(self) -> None:
        """A new viewer or a new connection: make a key picture soon."""

    def catch_up(self, now_us: int) -> None:
        """It is ``now_us`` since zero: leave out what would come too late."""

    def show_style(self, number: int) -> None:
        """Bring this style on, where the source can."""

    def close(self) -> None: ...


class LiveShow:
    """The generated show, ``zero_us`` microseconds after 1970."""

    is_live = True

    def __init__(self, zero_us: int, show: ShowSource | None = None) -> None:
        self._zero_us = zero_us
        self._show = show or ShowSource()
        self._sound = Sound(zero_us)
        self._pictures = PictureEncoder(*SIZE, FPS)
        self._sounds = SoundEncoder()
        self._picture = self._block = 0
        self.config = StreamConfig(self._pictures.config, self._sounds.config)

    def chunks(self) -> Iterator[Chunk]:
        while True:
            # A piece of sound is there when its last sample is, a picture at once.
            if self._picture * FRAME_US <= (self._block + 1) * BLOCK_US:
                time_us = self._picture * FRAME_US
                self._picture += 1
                planes = self._show.frame((self._zero_us + time_us) // 1000)
                yield from self._pictures.encode_planes(planes, time_us)
            else:
                number = self._block
                self._block += 1
                yield from self._sounds.encode_block(self._sound.block(number), number)

    def want_key(self) -> None:
        self._pictures.want_key()

    def catch_up(self, now_us: int) -> None:
        if now_us - self._picture * FRAME_US > LATE_US:
            self._picture = now_us // FRAME_US
        if now_us - self._block * BLOCK_US > 10 * LATE_US:
            self._block = now_us // BLOCK_US
            # The encoder still holds a few milliseconds of before the pause.
            self._sounds = SoundEncoder()

    def show_style(self, number: int) -> None:
        self._show.scene(number)

    def close(self) -> None:
        self._show.close()


class FileSource:
    """A video file, again and again. H.264 that suits a live broadcast is passed on as it is, all else encoded anew."""

    is_live = False

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = _opened(path)
        self._video = self._file.streams.video[0]
        self._has_sound = bool(self._file.streams.audio)
        self._sounds = SoundEncoder() if self._has_sound else None
        self._samples = self._offset_us = 0
        self._last_us = -1_000_000
        self._heard_any = False
        self._sets = _copyable(path)
        self._pictures: PictureEncoder | None = None
        if self._sets is not None:
            width, height = picture_size(self._sets.sps[0])
            rate = float(self._video.average_rate or FPS)
            video = VideoConfig(self._sets.codec, build_avcc(self._sets), width, height, rate)
        else:
            first = _first_picture(path)
            self._size = _fitted_size(*_upright_size(first))
            self._fps = min(30, max(1, round(float(self._video.average_rate or FPS))))
            self._pictures = PictureEncoder(*self._size, self._fps, bits=2_000_000)
            video = self._pictures.config
        self.config = StreamConfig(video, self._sounds.config if self._sounds else None)

    @property
    def is_copied(self) -> bool:
        return self._sets is not None

    def chunks(self) -> Iterator[Chunk]:
        while True:
            ends_us = self._offset_us
            for chunk in self._round():
                ends_us = max(ends_us, chunk.time_us + chunk.duration_us)
                yield chunk
            if ends_us == self._offset_us:
                raise SourceError(f"{self._path} has no picture that can be read")
            self._offset_us = ends_us
            self._file.seek(0)

    def want_key(self) -> None:
        if self._pictures is not None:
            self._pictures.want_key()

    def catch_up(self, now_us: int) -> None:
        """Nothing: a file waits for its viewers."""

    def show_style(self, number: int) -> None:
        """Nothing: a file shows what is in it."""

    def close(self) -> None:
        self._file.close()

    def _round(self) -> Iterator[Chunk]:
        """The file once, pictures and sound in the order of their time."""
        streams = [self._video, *self._file.streams.audio[:1]]
        copier = BitStreamFilterContext("h264_mp4toannexb", self._video) if self.is_copied else None
        resampler = AudioResampler("s16", "stereo", SOUND_RATE, frame_size=SOUND_BLOCK)
        self._heard_any = False
        waiting: list[Chunk] = []
        try:
            for packet in self._file.demux(*streams):
                if packet.stream is self._video:
                    waiting.extend(self._copied(packet, copier) if copier else self._encoded(packet))
                else:
                    waiting.extend(self._heard(packet, resampler))
                # Files hold pictures and sound in blocks: put them in the order of their time.
                waiting.sort(key=_time)
                while waiting and waiting[-1].time_us - waiting[0].time_us > INTERLEAVE_US:
                    yield waiting.pop(0)
        except (av.FFmpegError, UnreadableVideo):
            # A file that is cut short plays as far as it goes; one that gives nothing at all is told by ``chunks``.
            pass
        yield from waiting

    def _copied(self, packet: av.Packet[Any], copier: BitStreamFilterContext) -> Iterator[Chunk]:
        for part in copier.filter(packet if packet.size else None):
            picture = from_annexb(bytes(part))
            if picture.data:
                kind = Kind.VIDEO_KEY if picture.is_key else Kind.VIDEO_DELTA
                frame_us = self.config.video.frame_us
                yield Chunk(kind, self._time_us(part.pts, self._video), frame_us, picture.data)

    def _encoded(self, packet: av.Packet[Any]) -> Iterator[Chunk]:
        assert self._pictures is not None
        for frame in packet.decode():
            assert isinstance(frame, av.VideoFrame)
            time_us = self._time_us(frame.pts, self._video)
            # A file of 60 pictures a second goes out with 30.
            if time_us - self._last_us >= 800_000 // self._fps:
                self._last_us = time_us
                yield from self._pictures.encode(_upright(frame, self._size), time_us)

    def _heard(self, packet: av.Packet[Any], resampler: AudioResampler) -> Iterator[Chunk]:
        assert self._sounds is not None
        for frame in packet.decode():
            assert isinstance(frame, av.AudioFrame)
            if not self._heard_any:
                self._heard_any = True
                starts_us = self._time_us(frame.pts, self._file.streams.audio[0])
                self._samples = max(self._samples, starts_us * SOUND_RATE // 1_000_000)
            for block in resampler.resample(frame):
                if block.samples == SOUND_BLOCK:
                    yield from self._sounds.encode(block, self._samples)
                    self._samples += SOUND_BLOCK

    def _time_us(self, pts: int | None, stream: av.VideoStream | av.AudioStream) -> int:
        """On the source's time; both streams count from the first picture."""
        begins = (self._video.start_time or 0) * (self._video.time_base or 0)
        seconds = (pts or 0) * (stream.time_base or Fraction(1)) - begins
        return self._offset_us + max(0, round(seconds * 1_000_000))


def _time(chunk: Chunk) -> int:
    return chunk.time_us


def _opened(path: Path) -> InputContainer:
    try:
        file = av.open(str(path))
    except (av.FFmpegError, OSError) as error:
        raise SourceError(f"{path} cannot be read as a video: {getattr(error, 'strerror', error)}") from None
    if not file.streams.video:
        file.close()
        raise SourceError(f"{path} has no picture, only {len(file.streams)} other streams")
    return file


def _copyable(path: Path) -> ParameterSets | None:
    """Parameter sets of a file whose pictures can go out as they are; None where they must be encoded anew.

    They can if they are H.264 as browsers decode it, without B-frames (those come out of order, and late), upright,
    and with a key picture often enough.
    """
    with _opened(path) as file:
        video = file.streams.video[0]
        context = video.codec_context
        if context.name != "h264" or context.has_b_frames or context.format is None:
            return None
        if context.format.name not in ("yuv420p", "yuvj420p"):
            return None
        if max(context.width, context.height) > 1920 or (file.bit_rate or 0) > 8_000_000:
            return None
        copier = BitStreamFilterContext("h264_mp4toannexb", video)
        sets, key_at, longest, at = None, 0.0, 0.0, 0.0
        try:
            for packet in file.demux(video):
                for part in copier.filter(packet if packet.size else None):
                    at = float((part.pts or 0) * (video.time_base or 0))
                    picture = from_annexb(bytes(part))
                    sets = sets or picture.sets
                    if picture.is_key:
                        longest, key_at = max(longest, at - key_at), at
                if at - key_at > LONGEST_KEY_GAP or at > PROBE_SECONDS:
                    break
            if sets is None or max(longest, at - key_at) > LONGEST_KEY_GAP or _rotation(_first_picture(path)):
                return None
            picture_size(sets.sps[0])
        except (av.FFmpegError, UnreadableVideo):
            return None
        return sets


def _first_picture(path: Path) -> av.VideoFrame:
    with _opened(path) as file:
        try:
            for frame in file.decode(video=0):
                return frame
        except av.FFmpegError as error:
            raise SourceError(f"{path} cannot be decoded: {error.strerror}") from None
    raise SourceError(f"{path} has no picture that can be read")


def _rotation(frame: av.VideoFrame) -> int:
    """Quarter turns, in degrees, that the file asks for: phones record lying and note how they were held."""
    return round(frame.rotation / 90) * 90 % 360


def _upright_size(frame: av.VideoFrame) -> tuple[int, int]:
    turned = _rotation(frame) in (90, 270)
    return (frame.height, frame.width) if turned else (frame.width, frame.height)


def _fitted_size(width: int, height: int) -> tuple[int, int]:
    scale = min(1.0, LONGEST_SIDE / max(width, height))
    return max(2, round(width * scale / 2) * 2), max(2, round(height * scale / 2) * 2)


def _upright(frame: av.VideoFrame, size: tuple[int, int]) -> av.VideoFrame:
    turn = _rotation(frame)
    plain_size = (size[1], size[0]) if turn in (90, 270) else size
    plain = frame.reformat(
        *plain_size, format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG
    )
    if not turn:
        return plain
    image = plain.to_image().rotate(turn, expand=True)  # type: ignore[no-untyped-call]
    turned: av.VideoFrame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
    return turned.reformat(format="yuv420p", dst_colorspace=Colorspace.ITU709, dst_color_range=ColorRange.MPEG)
