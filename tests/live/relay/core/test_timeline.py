"""Relay time: at capture, never back."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from silkroom.live.relay.core.chunks import Chunk, Kind
from silkroom.live.relay.core.timeline import STEP_US, Timeline

NOW = 1_764_000_000_000_000


def picture(time_us: int) -> Chunk:
    return Chunk(Kind.VIDEO_DELTA, time_us, 33_333, b"x")


def sound(time_us: int) -> Chunk:
    return Chunk(Kind.AUDIO, time_us, 20_000, b"x")


def test_a_believable_claim_gives_the_moment_of_capture() -> None:
    line = Timeline()
    line.begin(NOW - 1_000_000)
    assert line.place(picture(900_000), NOW).time_us == NOW - 100_000
    assert line.place(picture(933_333), NOW + 50_000).time_us == NOW - 100_000 + 33_333


def test_without_a_claim_the_first_chunk_was_captured_when_it_came() -> None:
    line = Timeline()
    line.begin(None)
    assert line.place(picture(77), NOW).time_us == NOW
    assert line.place(sound(77), NOW + 9).time_us == NOW


def test_a_claim_of_the_future_or_of_long_ago_is_not_believed() -> None:
    for claim in (NOW + 500_000, NOW - 60_000_000):
        line = Timeline()
        line.begin(claim)
        assert line.place(picture(0), NOW).time_us == NOW


def test_a_reconnect_with_a_slow_clock_goes_on_after_the_last_picture() -> None:
    line = Timeline()
    line.begin(NOW)
    last = line.place(picture(10_000_000), NOW + 10_000_000).time_us
    line.begin(NOW + 3_000_000)
    assert line.place(picture(2_000_000), NOW + 12_000_000).time_us == last + STEP_US


def test_a_sender_whose_clock_jumps_is_anchored_afresh() -> None:
    line = Timeline()
    line.begin(NOW)
    line.place(picture(0), NOW)
    assert line.place(picture(3_600_000_000), NOW + 33_000).time_us == NOW + 33_000
    assert line.place(picture(-5_000_000_000), NOW + 66_000).time_us == NOW + 66_000


@given(
    some.lists(
        some.tuples(
            some.booleans(), some.integers(-(10**8), 10**8), some.integers(0, 10**6), some.booleans()
        ),
        max_size=60,
    )
)
def test_time_never_goes_back(steps: list[tuple[bool, int, int, bool]]) -> None:
    line, now = Timeline(), NOW
    last = {True: 0, False: 0}
    for is_picture, time_us, passed, again in steps:
        now += passed
        if again:
            line.begin(now + time_us // 7)
        placed = line.place(picture(time_us) if is_picture else sound(time_us), now).time_us
        assert placed > last[is_picture]
        last[is_picture] = placed
