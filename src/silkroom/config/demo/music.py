"""The show's music, synthesised: plucked strings over soft chords in the five-note scale, a tick at each full second.

Strings are Karplus and Strong's (Computer Music Journal 7/2, 1983): a burst of noise in a loop that dulls it. One
round of the piece is made once, about two seconds of one core, and repeated; the tick is added to the running sound,
so that it falls on the second of the clock in the picture and not of the music.
"""

from __future__ import annotations

import itertools
import math
import random
from array import array
from functools import lru_cache

RATE = 48_000
INNER_RATE = 24_000
"""The piece is made at this rate and doubled: nothing in it lies above 8 kHz."""
BEAT = 0.92
BARS = 8
BLOCK = 960
"""Samples of one Opus frame of 20 ms."""
TICK_HZ = 6_000
TICK_SAMPLES = 480
TICK_LEVEL = 2_600

# G gong pentatonic: G A B D E. Chords by bar, then the melody: (beat of the piece, note, loudness).
_CHORDS = (
    (43, 50, 59),
    (40, 47, 55),
    (45, 52, 57),
    (38, 50, 54),
    (43, 50, 59),
    (40, 52, 55),
    (36, 48, 55),
    (38, 50, 57),
)
_MELODY = (
    (0, 67, 0.9), (1, 71, 0.6), (1.5, 74, 0.7), (2.5, 76, 0.8), (4, 74, 0.8), (5, 71, 0.6), (6, 69, 0.7), (7, 67, 0.5),
    (8, 69, 0.8), (9.5, 71, 0.6), (10, 74, 0.7), (12, 69, 0.8), (13, 66, 0.5), (14, 67, 0.6), (15, 69, 0.5),
    (16, 79, 0.8), (17, 76, 0.6), (17.5, 74, 0.6), (18.5, 71, 0.8),
    (20, 76, 0.7), (21, 74, 0.6), (22, 71, 0.7), (23.5, 69, 0.5),
    (24, 67, 0.8), (25, 64, 0.6), (26, 67, 0.7), (27, 69, 0.6), (28, 71, 0.8),
    (29.5, 69, 0.6), (30, 62, 0.7), (31, 66, 0.5),
)  # fmt: skip
_BASS = tuple(
    (bar * 4 + offset, chord[0] if offset == 0 else chord[1], 0.5)
    for bar, chord in enumerate(_CHORDS)
    for offset in (0, 2)
)


def hertz(note: int) -> float:
    return 440.0 * 2 ** ((note - 69) / 12)


@lru_cache(maxsize=1)
def piece() -> array[int]:
    """One round, interleaved stereo, 16 bit, at RATE."""
    length = round(BARS * 4 * BEAT * INNER_RATE)
    left, right = array("f", bytes(4 * length)), array("f", bytes(4 * length))
    for beat, note, loud in (*_MELODY, *_BASS):
        # Strings lie from left to right as on a zither: low ones left.
        side = (note - 40) / 45
        _mix(left, _string(note), beat, loud * (1.15 - 0.7 * side))
        _mix(right, _string(note), beat, loud * (0.45 + 0.7 * side))
    for bar, chord in enumerate(_CHORDS):
        pad = _pad(chord)
        _mix(left, pad, bar * 4 - 0.4, 0.9)
        _mix(right, pad, bar * 4 - 0.4 + 0.03, 0.9)
    for channel, beats in ((left, 0.75), (right, 1.0)):
        _echo(channel, round(beats * BEAT * INNER_RATE), 0.26)
    return _finished(left, right)


def _mix(channel: array[float], sound: array[float], beat: float, level: float) -> None:
    """Add ``sound`` at ``beat``; what hangs over the end sounds at the beginning, so that the round has no seam."""
    length = len(channel)
    start = round(beat * BEAT * INNER_RATE) % length
    room = min(len(sound), length - start)
    channel[start : start + room] = array(
        "f", [a + b * level for a, b in zip(channel[start : start + room], sound[:room], strict=True)]
    )
    rest = sound[room:]
    if rest:
        channel[: len(rest)] = array("f", [a + b * level for a, b in zip(channel[: len(rest)], rest, strict=True)])


@lru_cache(maxsize=64)
def _string(note: int) -> array[float]:
    dice = random.Random(note)
    # One turn of the loop takes its length, half a sample of dulling, and the fraction that tunes it.
    period = INNER_RATE / hertz(note) - 0.5
    size = int(period)
    part = period - size
    loop = [dice.uniform(-1, 1) for _ in range(size)]
    # The plucking finger is soft: the burst is dulled before it starts to run.
    for _ in range(3):
        loop = [(loop[i] + loop[i - 1]) * 0.5 for i in range(size)]
    mean = sum(loop) / size
    loop = [value - mean for value in loop]
    keep = (0.9975 if note > 60 else 0.9955) * 0.5
    samples = array("f")
    earlier = last = 0.0
    position = 0
    for _ in range(round(2.6 * INNER_RATE)):
        value = loop[position]
        tuned = value + (earlier - value) * part
        loop[position] = keep * (tuned + last)
        earlier, last = value, tuned
        samples.append(tuned)
        position += 1
        if position == size:
            position = 0
    # A fingertip lets go over a few milliseconds: only the tick of the clock begins sharply.
    for i in range(120):
        samples[i] *= i / 120
    fade = len(samples) // 4
    for i in range(fade):
        samples[-1 - i] *= i / fade
    return samples


def _pad(chord: tuple[int, ...]) -> array[float]:
    """A slow chord of a few sines, each beating a little against its neighbour; made coarsely, for it is low and
    soft."""
    coarse = 8_000
    long = round(5.2 * BEAT * coarse)
    tones = [(2 * math.pi * hertz(note + 12) * detune / coarse, 0.05) for note in chord for detune in (0.9985, 1.0015)]
    values = []
    for i in range(long):
        swell = math.sin(math.pi * i / long) ** 1.4
        values.append(swell * sum(level * math.sin(step * i) for step, level in tones))
    values.append(0.0)
    times = INNER_RATE // coarse
    smooth = array("f")
    for a, b in itertools.pairwise(values):
        smooth.extend(a + (b - a) * k / times for k in range(times))
    return smooth


def _echo(channel: array[float], delay: int, level: float) -> None:
    for i in range(len(channel)):
        channel[i] += level * channel[i - delay]


def _finished(left: array[float], right: array[float]) -> array[int]:
    peak = max(max(map(abs, left)), max(map(abs, right)))
    scale = 15_500 / peak
    made = array("h", bytes(8 * len(left)))
    for offset, channel in ((0, left), (1, right)):
        levels = [int(value * scale) for value in channel]
        between = [(a + b) >> 1 for a, b in zip(levels, [*levels[1:], levels[0]], strict=True)]
        made[offset::4] = array("h", levels)
        made[offset + 2 :: 4] = array("h", between)
    return made


@lru_cache(maxsize=1)
def tick() -> array[int]:
    """A short high tap, mono."""
    return array(
        "h",
        [
            round(TICK_LEVEL * math.exp(-i / 110) * math.sin(2 * math.pi * TICK_HZ * i / RATE))
            for i in range(TICK_SAMPLES)
        ],
    )


class Sound:
    """The running sound: block ``n`` starts ``n * BLOCK`` samples after ``started_us`` of the wall clock."""

    def __init__(self, started_us: int, music: bool = True) -> None:
        self.started_us = started_us
        self._piece = piece() if music else array("h", bytes(4 * RATE))

    def block(self, number: int) -> bytes:
        """20 ms of interleaved stereo, 16 bit."""
        first = number * BLOCK
        at = first * 2 % len(self._piece)
        samples = self._piece[at : at + BLOCK * 2]
        if len(samples) < BLOCK * 2:
            samples.extend(self._piece[: BLOCK * 2 - len(samples)])
        self._add_ticks(samples, first)
        return samples.tobytes()

    def _add_ticks(self, samples: array[int], first: int) -> None:
        # Samples since the last full second of the wall clock at the block's first sample.
        since = (self.started_us % 1_000_000 * RATE // 1_000_000 + first) % RATE
        tap = tick()
        for start in (-since, RATE - since):
            for i in range(max(0, start), min(BLOCK, start + TICK_SAMPLES)):
                value = tap[i - start]
                for channel in (2 * i, 2 * i + 1):
                    samples[channel] = max(-32768, min(32767, samples[channel] + value))
