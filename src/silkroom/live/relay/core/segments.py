"""Cuts a stream into the parts and segments of LL-HLS and of the recording.

A part is about 0.2 s of both tracks in one fragment, a segment about two seconds that start at a key frame. The sound
of a part is whatever had arrived when its picture ended: sound comes out of a transcoder a little late, and a part
never waits for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from silkroom.live.relay.core.boxes import (
    AUDIO_TRACK,
    VIDEO_TRACK,
    Fragment,
    Run,
    Sample,
    audio_ticks,
    audio_timescale,
    fragment,
    init_segment,
    video_ticks,
)
from silkroom.live.relay.core.chunks import Chunk, Kind, StreamConfig

PART_TARGET_US = 220_000
"""Longest part. A part ends with the first picture that makes it at least 85 % of that (RFC 8216bis, 4.4.4.9): 187 ms,
so 6 pictures at 30/s, 5 at 24 or 25, 4 at 20, 3 at 15, 12 at 60 are 200 ms or 208 ms with 13 ms to spare for jitter."""
PART_MINIMUM_US = PART_TARGET_US * 85 // 100

SEGMENT_GOAL_US = 1_900_000
"""A segment ends at the first key frame after this: two seconds with a key frame each second, some jitter allowed."""
SEGMENT_LIMIT_US = 4_000_000
"""A sender whose key frames are further apart: the segment ends at any picture."""
TARGET_DURATION_SECONDS = 4
"""EXT-X-TARGETDURATION: no segment is longer when rounded."""

GAP_US = 500_000
"""A key frame that comes so much later than expected starts a discontinuity: the sender was away."""

MAX_PART_BYTES = 800 * 1024
"""A part ends early before it grows over what a message between gateways may carry."""

MAX_WAITING_SOUND = 4_000

NUMBER_EPOCH_US = 1_735_689_600_000_000
"""2025-01-01. A stream's first segment is numbered by its second since then: a gateway that takes a show over after a
crash goes on with higher numbers than its predecessor, since a segment is never shorter than a second on average."""


class InitMade(msgspec.Struct, frozen=True, tag="init"):
    """A new initialisation segment; parts refer to its number (``start_us`` of the stream or of its change)."""

    number: int
    data: bytes
    codecs: str
    width: int
    height: int
    fps: float
    audio_timescale: int


class PartMade(msgspec.Struct, frozen=True, tag="part"):
    """A part of a segment. ``clocks`` as in Fragment; ``era`` counts the discontinuities up to and with this one."""

    segment: int
    index: int
    init: int
    era: int
    start_us: int
    duration_us: int
    independent: bool
    discontinuity: bool
    data: bytes
    clocks: tuple[tuple[int, int], ...] = ()


class SegmentEnded(msgspec.Struct, frozen=True, tag="segment"):
    """No further part belongs to this segment."""

    segment: int


class StreamEnded(msgspec.Struct, frozen=True, tag="end"):
    """The show is over."""


Event = InitMade | PartMade | SegmentEnded | StreamEnded


def first_number(now_us: int) -> int:
    """The number of the first segment of a stream that starts now."""
    return max(0, now_us - NUMBER_EPOCH_US) // 1_000_000


@dataclass(slots=True)
class _Part:
    pictures: list[Chunk] = field(default_factory=list)
    size: int = 0


class Segmenter:
    """Feed it pictures (relay time, decoding order is display order) and sound; it answers with events."""

    def __init__(self, number: int) -> None:
        self._segment = number
        # a successor after a crash must not count discontinuities from zero either
        self._era = number
        self._index = 0
        self._sequence = 0
        self._config: StreamConfig | None = None
        self._init = 0
        self._open = False
        self._fresh = True
        self._segment_start_us = 0
        self._discontinuity = False
        self._part = _Part()
        self._sound: list[Chunk] = []
        self._sound_from_us = 0
        self._frame_us = 33_333

    @property
    def config(self) -> StreamConfig | None:
        return self._config

    def begin(self, config: StreamConfig, now_us: int) -> list[Event]:
        """A (new) config: ends the running segment; what follows has its own initialisation segment."""
        events = self.break_off()
        self._discontinuity = self._config is not None
        self._config = config
        self._frame_us = config.video.frame_us
        self._init = max(self._init + 1, now_us // 1000)
        video = config.video
        timescale = audio_timescale(config.audio) if config.audio is not None else 0
        data = init_segment(config)
        events.append(InitMade(self._init, data, config.codecs, video.width, video.height, video.fps, timescale))
        return events

    def break_off(self) -> list[Event]:
        """The sender is away: what is there becomes a part and the segment ends. A key frame must follow."""
        events = self._end_part(None)
        if self._open:
            events.append(SegmentEnded(self._segment))
            self._open = False
            self._fresh = True
            self._segment += 1
            self._index = 0
            self._discontinuity = True
        self._sound.clear()
        return events

    def end(self) -> list[Event]:
        return [*self.break_off(), StreamEnded()]

    def sound(self, chunk: Chunk) -> None:
        """A piece of sound, in order. Kept until the picture it belongs to has been cut."""
        if self._config is None or self._config.audio is None or chunk.time_us < self._sound_from_us:
            return
        self._sound.append(chunk)
        if len(self._sound) > MAX_WAITING_SOUND:
            del self._sound[: MAX_WAITING_SOUND // 2]

    def picture(self, chunk: Chunk) -> list[Event]:
        """A picture; it closes the part before it when that is long enough."""
        if self._config is None:
            return []
        events: list[Event] = []
        is_key = chunk.kind is Kind.VIDEO_KEY
        if self._open and is_key and chunk.time_us - self._expected_us() > GAP_US:
            events += self.break_off()
        if not self._open:
            if not is_key:
                return events
            self._start_segment(chunk)
        else:
            events += self._cut(chunk, is_key)
        self._part.pictures.append(chunk)
        self._part.size += len(chunk.payload)
        return events

    def _start_segment(self, chunk: Chunk) -> None:
        self._open = True
        self._segment_start_us = chunk.time_us
        self._era += self._discontinuity

    def _expected_us(self) -> int:
        pictures = self._part.pictures
        return (pictures[-1].time_us if pictures else self._segment_start_us) + self._frame_us

    def _cut(self, chunk: Chunk, is_key: bool) -> list[Event]:
        length = chunk.time_us - self._segment_start_us
        if (is_key and length >= SEGMENT_GOAL_US) or length >= SEGMENT_LIMIT_US:
            events = self._end_part(chunk.time_us)
            events.append(SegmentEnded(self._segment))
            self._segment += 1
            self._index = 0
            self._start_segment(chunk)
            return events
        part = self._part
        lasted = chunk.time_us - part.pictures[0].time_us
        if lasted >= PART_MINIMUM_US or part.size + len(chunk.payload) > MAX_PART_BYTES:
            return self._end_part(chunk.time_us)
        return []

    def _end_part(self, next_us: int | None) -> list[Event]:
        """Make the gathered pictures a part that lasts until ``next_us`` (None: nothing follows for now)."""
        pictures = self._part.pictures
        if not pictures or self._config is None:
            return []
        start_us = pictures[0].time_us
        end_us = pictures[-1].time_us + self._frame_us if next_us is None else next_us
        # a late picture would make the part longer than the playlist promises: cut at the limit, the next starts late
        end_us = max(min(end_us, start_us + PART_TARGET_US), pictures[-1].time_us + 1_000)
        if self._fresh:
            # sound from before the first picture would lie before the start of a recording, also when it comes later
            self._sound_from_us = start_us
            self._sound = [one for one in self._sound if one.time_us >= start_us]
            self._fresh = False
        runs = [Run(VIDEO_TRACK, video_ticks(start_us), _video_samples(pictures, end_us))]
        sound = self._take_sound(end_us if next_us is not None else end_us + GAP_US)
        if sound is not None:
            runs.append(sound)
        made = self._fragment(runs)
        event = PartMade(
            segment=self._segment,
            index=self._index,
            init=self._init,
            era=self._era,
            start_us=start_us,
            duration_us=min(end_us - start_us, PART_TARGET_US),
            independent=pictures[0].kind is Kind.VIDEO_KEY,
            discontinuity=self._discontinuity and self._index == 0,
            data=made.data,
            clocks=made.clocks,
        )
        self._index += 1
        self._part = _Part()
        self._discontinuity = False
        return [event]

    def _fragment(self, runs: list[Run]) -> Fragment:
        self._sequence += 1
        return fragment(self._sequence, runs)

    def _take_sound(self, end_us: int) -> Run | None:
        audio = self._config.audio if self._config else None
        if audio is None:
            return None
        count = 0
        while count < len(self._sound) and self._sound[count].time_us < end_us:
            count += 1
        taken, self._sound = self._sound[:count], self._sound[count:]
        if not taken:
            return None
        timescale = audio_timescale(audio)
        following = self._sound[0].time_us if self._sound else None
        return Run(AUDIO_TRACK, audio_ticks(taken[0].time_us, timescale), _audio_samples(taken, timescale, following))


def _video_samples(pictures: list[Chunk], end_us: int) -> list[Sample]:
    ticks = [video_ticks(one.time_us) for one in pictures]
    ticks.append(video_ticks(end_us))
    return [
        Sample(one.payload, max(1, ticks[number + 1] - ticks[number]), one.kind is Kind.VIDEO_KEY)
        for number, one in enumerate(pictures)
    ]


def _audio_samples(sound: list[Chunk], timescale: int, following_us: int | None) -> list[Sample]:
    """Each lasts until the next, so that a hole inside a part shifts nothing after it."""
    ticks = [audio_ticks(one.time_us, timescale) for one in sound]
    own_end = ticks[-1] + audio_ticks(sound[-1].duration_us, timescale)
    if following_us is not None and abs(audio_ticks(following_us, timescale) - own_end) < timescale // 100:
        own_end = audio_ticks(following_us, timescale)
    ticks.append(own_end)
    return [Sample(one.payload, max(1, ticks[number + 1] - ticks[number])) for number, one in enumerate(sound)]
