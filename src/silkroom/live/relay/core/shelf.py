"""What an LL-HLS player may fetch now: the last segments with their parts, and the playlists over them.

Any gateway builds the same shelf from the same events, so a CDN may ask whichever it likes.
Source of all rules: draft-pantos-hls-rfc8216bis.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from silkroom.live.relay.core.segments import (
    PART_TARGET_US,
    TARGET_DURATION_SECONDS,
    Event,
    InitMade,
    PartMade,
    SegmentEnded,
    StreamEnded,
)

WINDOW_US = 20_000_000
"""At least three target durations must stay in the list; five leave room for a player that was held up."""
PARTS_US = 3 * TARGET_DURATION_SECONDS * 1_000_000
"""Parts are listed for so long before the end; older segments only as a whole."""
AHEAD_SEGMENTS = 2
"""A reload may ask for at most so many segments after the last (6.2.5.2)."""
ADVANCE_PARTS = math.ceil(3_000_000 / PART_TARGET_US)
KEPT_SEGMENTS = 3
"""Segments that left the list stay fetchable for a while (6.2.2): a player may have just read their names."""
UNKNOWN_BITS = 2_500_000
"""BANDWIDTH before the first segment is complete."""


@dataclass(slots=True)
class Segment:
    """One segment; ``parts`` grow until it is complete."""

    number: int
    init: int
    start_us: int
    era: int
    discontinuity: bool
    parts: list[PartMade] = field(default_factory=list)
    complete: bool = False

    @property
    def duration_us(self) -> int:
        return sum(part.duration_us for part in self.parts)

    @property
    def end_us(self) -> int:
        return self.start_us + self.duration_us

    def data(self) -> bytes:
        return b"".join(part.data for part in self.parts)


class Shelf:
    """Apply events in order; events that are already known are ignored, so a snapshot may overlap the live ones."""

    def __init__(self) -> None:
        self.segments: list[Segment] = []
        self.inits: dict[int, InitMade] = {}
        self.ended = False
        self.version = 0
        self.begins_us = 0
        """Nothing that began earlier is kept: it was not for those who watch now."""
        self._first_listed = 0
        self._peak_bits = 0
        self._playlists: dict[str, str] = {}

    def apply(self, event: Event) -> None:
        if isinstance(event, InitMade):
            self.inits[event.number] = event
            return
        if isinstance(event, PartMade):
            self._add_part(event)
        elif isinstance(event, SegmentEnded):
            self._end_segment(event.segment)
        elif isinstance(event, StreamEnded):
            self.ended = True
        self.version += 1
        self._playlists.clear()

    def open_from(self, time_us: int) -> None:
        """Forget what began before this moment."""
        if time_us <= self.begins_us:
            return
        self.begins_us = time_us
        self.segments = [segment for segment in self.segments if segment.start_us >= time_us]
        self.version += 1
        self._playlists.clear()

    def snapshot(self) -> list[Event]:
        """The events that build this shelf anew on another gateway."""
        events: list[Event] = [self.inits[number] for number in sorted(self.inits)]
        for segment in self.segments:
            events += segment.parts
            if segment.complete:
                events.append(SegmentEnded(segment.number))
        if self.ended:
            events.append(StreamEnded())
        return events

    @property
    def last_number(self) -> int | None:
        return self.segments[-1].number if self.segments else None

    def has(self, number: int, part: int | None) -> bool:
        """Whether the playlist already contains this segment (whole) or this part of it."""
        if self.ended:
            return True
        last = self.segments[-1] if self.segments else None
        if last is None:
            return False
        if number != last.number:
            return number < last.number
        # a part after the last of a complete segment means the first part of the next one (6.2.5.2)
        return last.complete if part is None else part < len(last.parts)

    def is_too_far(self, number: int, part: int | None) -> bool:
        """Whether a reload asks for what cannot come soon."""
        last = self.segments[-1] if self.segments else None
        if last is None:
            return False
        if number > last.number + AHEAD_SEGMENTS:
            return True
        known = len(last.parts) if number == last.number else 0
        return part is not None and part >= known + ADVANCE_PARTS

    def follows(self, part: PartMade) -> bool:
        """Whether nothing is missing between the shelf and this part (or it is already known)."""
        if not self.segments:
            return part.index == 0
        number, index = self._next_part()
        if part.init not in self.inits:
            return False
        return part.index == 0 if part.segment > number else (part.segment, part.index) <= (number, index)

    def segment(self, number: int) -> Segment | None:
        for segment in reversed(self.segments):
            if segment.number == number:
                return segment
        return None

    def part(self, number: int, index: int) -> PartMade | None:
        segment = self.segment(number)
        return segment.parts[index] if segment and index < len(segment.parts) else None

    def is_awaited_part(self, number: int, index: int) -> bool:
        """Whether this is the part that the preload hint names, so that its request should wait."""
        return not self.ended and (number, index) == self._next_part()

    def media_playlist(self, query: str) -> str:
        """The media playlist; ``query`` (such as "?ticket=…") is put behind every address in it."""
        text = self._playlists.get(query)
        if text is None:
            text = self._playlists[query] = self._render(query)
            if len(self._playlists) > 512:
                self._playlists.clear()
        return text

    def master_playlist(self, query: str) -> str:
        init = self.inits[max(self.inits)]
        rate = self._peak_bits or UNKNOWN_BITS
        return (
            "#EXTM3U\n#EXT-X-VERSION:9\n"
            f"#EXT-X-STREAM-INF:BANDWIDTH={rate},"
            f'CODECS="{init.codecs}",RESOLUTION={init.width}x{init.height},FRAME-RATE={init.fps:.3f}\n'
            f"media.m3u8{query}\n"
        )

    def _add_part(self, part: PartMade) -> None:
        last = self.segments[-1] if self.segments else None
        if last is None or part.segment > last.number:
            if part.index != 0 or part.start_us < self.begins_us:
                # joined in the middle: a segment that lacks its head is of no use
                return
            if last is not None:
                last.complete = True
                if part.segment != last.number + 1:
                    # numbers in a playlist are consecutive: after a jump (a new origin) the list starts anew
                    self._first_listed = part.segment
            last = Segment(part.segment, part.init, part.start_us, part.era, part.discontinuity)
            self.segments.append(last)
            self._trim()
        if part.segment == last.number and part.index == len(last.parts) and not last.complete:
            last.parts.append(part)

    def _end_segment(self, number: int) -> None:
        last = self.segments[-1] if self.segments else None
        if last is None or last.number != number or not last.parts:
            return
        last.complete = True
        seconds = last.duration_us / 1_000_000
        size = sum(len(part.data) for part in last.parts)
        self._peak_bits = max(self._peak_bits, math.ceil(size * 8 / seconds) if seconds else 0)

    def _trim(self) -> None:
        newest_us = self.segments[-1].start_us
        listed = self._listed()
        while len(listed) > 4 and newest_us - listed[1].start_us > WINDOW_US:
            self._first_listed = listed[1].number
            listed = listed[1:]
        while len(self.segments) > len(listed) + KEPT_SEGMENTS:
            del self.segments[0]
        used = {segment.init for segment in self.segments} | {max(self.inits, default=0)}
        self.inits = {number: init for number, init in self.inits.items() if number in used}

    def _listed(self) -> list[Segment]:
        return [segment for segment in self.segments if segment.number >= self._first_listed]

    def _next_part(self) -> tuple[int, int]:
        last = self.segments[-1]
        return (last.number + 1, 0) if last.complete else (last.number, len(last.parts))

    def _render(self, query: str) -> str:
        listed = self._listed()
        target = PART_TARGET_US / 1_000_000
        lines = [
            "#EXTM3U",
            "#EXT-X-VERSION:9",
            f"#EXT-X-TARGETDURATION:{TARGET_DURATION_SECONDS}",
            f"#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,PART-HOLD-BACK={3 * target:.3f},"
            f"HOLD-BACK={3 * TARGET_DURATION_SECONDS}",
            f"#EXT-X-PART-INF:PART-TARGET={target:.3f}",
            f"#EXT-X-MEDIA-SEQUENCE:{listed[0].number if listed else 0}",
            f"#EXT-X-DISCONTINUITY-SEQUENCE:{_discontinuity_sequence(listed)}",
        ]
        parts_from_us = (listed[-1].end_us if listed else 0) - PARTS_US
        init: int | None = None
        for segment in listed:
            if segment.discontinuity:
                lines.append("#EXT-X-DISCONTINUITY")
            if segment.init != init:
                init = segment.init
                lines.append(f'#EXT-X-MAP:URI="init-{init}.mp4{query}"')
            lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{_moment(segment.start_us)}")
            if segment.end_us > parts_from_us:
                lines += [_part_line(segment.number, part, query) for part in segment.parts]
            if segment.complete:
                lines.append(f"#EXTINF:{segment.duration_us / 1_000_000:.5f},")
                lines.append(f"segment-{segment.number}.mp4{query}")
        if self.ended:
            lines.append("#EXT-X-ENDLIST")
        elif listed:
            number, index = self._next_part()
            lines.append(f'#EXT-X-PRELOAD-HINT:TYPE=PART,URI="part-{number}-{index}.mp4{query}"')
        return "\n".join(lines) + "\n"


def _discontinuity_sequence(listed: list[Segment]) -> int:
    """How many discontinuities came before the list; one in front of its first segment still stands in the list."""
    return listed[0].era - listed[0].discontinuity if listed else 0


def _part_line(number: int, part: PartMade, query: str) -> str:
    independent = ",INDEPENDENT=YES" if part.independent else ""
    return (
        f"#EXT-X-PART:DURATION={part.duration_us / 1_000_000:.5f},"
        f'URI="part-{number}-{part.index}.mp4{query}"{independent}'
    )


def _moment(time_us: int) -> str:
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=time_us)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
