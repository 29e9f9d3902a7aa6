"""The running sound: without gaps, with a tick on each full second of the wall clock."""

import math
from array import array

import pytest

from silkroom.config.demo import music


def mono(blocks: list[bytes]) -> list[int]:
    samples = array("h")
    for block in blocks:
        samples.frombytes(block)
    return samples[::2].tolist()


WINDOW = 96
"""Two milliseconds, a whole number of swings of the tick."""


def loudness_at_tick_pitch(samples: list[int]) -> list[float]:
    """How strong the tick's pitch is in each window."""
    step = 2 * math.pi * music.TICK_HZ / music.RATE
    waves = [(math.cos(step * i), math.sin(step * i)) for i in range(WINDOW)]
    levels = []
    for start in range(0, len(samples) - WINDOW + 1, WINDOW):
        real = sum(samples[start + i] * cosine for i, (cosine, _) in enumerate(waves))
        imaginary = sum(samples[start + i] * sine for i, (_, sine) in enumerate(waves))
        levels.append(math.hypot(real, imaginary))
    return levels


def tick_at(samples: list[int]) -> list[int]:
    """Samples at which ticks begin, within a window."""
    levels = loudness_at_tick_pitch(samples)
    loud = max(levels) * 0.5
    found: list[int] = []
    for index, level in enumerate(levels):
        if level > loud and (not found or index - found[-1] > 50):
            found.append(index)
    return [index * WINDOW for index in found]


@pytest.mark.parametrize("since_second_us", [0, 250_000, 999_900])
def test_ticks_fall_on_the_full_second_of_the_clock(since_second_us: int) -> None:
    started = 1_790_000_000_000_000 + since_second_us
    sound = music.Sound(started)
    samples = mono([sound.block(number) for number in range(160)])
    first = (1_000_000 - since_second_us) % 1_000_000 * music.RATE // 1_000_000
    expected = range(first, len(samples), music.RATE)
    found = tick_at(samples)
    assert len(found) == len(expected)
    for place, want in zip(found, expected, strict=True):
        assert abs(place - want) <= WINDOW, "within two milliseconds"


def test_blocks_join_without_a_gap_and_the_piece_repeats() -> None:
    sound = music.Sound(0, music=True)
    whole = music.piece()
    round_blocks = len(whole) / 2 / music.BLOCK
    number = math.floor(round_blocks)
    ends = array("h")
    ends.frombytes(sound.block(number))
    kept = len(whole) - number * music.BLOCK * 2
    assert kept < len(ends)
    quiet = number * music.BLOCK % music.RATE > music.TICK_SAMPLES
    assert not quiet or ends[kept:] == whole[: len(ends) - kept]
    assert len(sound.block(number)) == len(sound.block(0)) == music.BLOCK * 4


def test_music_is_soft_and_never_clips() -> None:
    whole = music.piece()
    assert max(whole) < 16_000 and min(whole) > -16_000
    assert sum(abs(value) for value in whole[::101]) / len(whole[::101]) > 300
    assert abs(sum(whole[::7]) / len(whole[::7])) < 60


def strength(samples: array, hertz: float) -> float:
    step = 2 * math.pi * hertz / music.INNER_RATE
    real = sum(value * math.cos(step * i) for i, value in enumerate(samples))
    imaginary = sum(value * math.sin(step * i) for i, value in enumerate(samples))
    return math.hypot(real, imaginary)


@pytest.mark.parametrize("note", [43, 67, 79])
def test_strings_are_in_tune(note: int) -> None:
    samples = music._string(note)[4000:16000]
    right = music.hertz(note)
    at_note = strength(samples, right)
    assert at_note > strength(samples, right * 2 ** (30 / 1200))
    assert at_note > strength(samples, right / 2 ** (30 / 1200))
