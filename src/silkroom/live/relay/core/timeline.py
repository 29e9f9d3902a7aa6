"""From a sender's timestamps to relay time: one line that never goes back, however often a sender reconnects."""

from __future__ import annotations

from dataclasses import dataclass

from silkroom.live.relay.core.chunks import Chunk, Kind

STEP_US = 1_000
"""Smallest distance between two pictures: a decoder refuses two at one time."""

MAX_LATE_US = 15_000_000
"""A capture moment that a sender claims is believed when at most this long ago (buffers of a bad uplink)."""

MAX_STRAY_US = 30_000_000
"""A timestamp that is further than this from now belongs to a clock that jumped; the line is anchored afresh."""

SLEW_US = 100
"""A later estimate of the sender's zero is followed by so much a chunk: clocks drift apart by far less than that."""


@dataclass(slots=True)
class Timeline:
    """State of one stream. Times are microseconds; ``now_us`` always comes from the gateway's clock."""

    last_video_us: int = 0
    last_audio_us: int = 0
    _shift_us: int | None = None
    _claimed_us: int | None = None
    _target_us: int | None = None

    def begin(self, zero_us: int | None) -> None:
        """A sender (re)starts. ``zero_us`` is its claim of the gateway's time at its timestamp 0."""
        self._shift_us = None
        self._claimed_us = zero_us
        self._target_us = None

    def correct(self, zero_us: int) -> None:
        """The sender has measured anew when its timestamp 0 was; what cannot be believed is ignored."""
        if self._shift_us is not None and abs(zero_us - self._shift_us) < MAX_LATE_US:
            self._target_us = zero_us

    def place(self, chunk: Chunk, now_us: int) -> Chunk:
        """The chunk on relay time."""
        if self._shift_us is None or abs(chunk.time_us + self._shift_us - now_us) > MAX_STRAY_US:
            self._shift_us = self._anchor(chunk.time_us, now_us)
            self._target_us = None
        if self._target_us is not None:
            self._shift_us += max(-SLEW_US, min(SLEW_US, self._target_us - self._shift_us))
        # nothing is captured in the future: the first chunk came late, or the sender's estimate was a little off
        self._shift_us = min(self._shift_us, now_us - chunk.time_us)
        time_us = chunk.time_us + self._shift_us
        if chunk.kind is Kind.AUDIO:
            self.last_audio_us = time_us = max(time_us, self.last_audio_us + 1)
        else:
            self.last_video_us = time_us = max(time_us, self.last_video_us + STEP_US)
        return chunk.at(time_us)

    def _anchor(self, timestamp_us: int, now_us: int) -> int:
        shift = now_us - timestamp_us
        if self._claimed_us is not None:
            claimed = self._claimed_us + timestamp_us
            if now_us - MAX_LATE_US <= claimed <= now_us:
                shift = self._claimed_us
        # the claim served this start; after a jump of the sender's clock it is worth nothing
        self._claimed_us = None
        last = max(self.last_video_us, self.last_audio_us)
        return max(shift, last + STEP_US - timestamp_us)
