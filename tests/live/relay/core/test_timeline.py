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
    assert line.place(sound(10_077), NOW + 10_009).time_us == NOW + 10_000


def test_a_first_chunk_that_came_late_does_not_put_the_rest_into_the_future() -> None:
    line = Timeline()
    line.begin(None)
    assert line.place(picture(0), NOW + 200_000).time_us == NOW + 200_000
    for number in range(1, 30):
        now = NOW + number * 33_333 + 5_000
        placed = line.place(picture(number * 33_333), now).time_us
        assert placed <= max(now, NOW + 200_000 + number * STEP_US)
    assert placed == now


def test_a_better_estimate_is_followed_slowly_and_nonsense_is_not() -> None:
    line = Timeline()
    line.begin(NOW)
    line.place(picture(0), NOW + 300_000)
    line.correct(NOW - 10_000)
    shifts = [
        line.place(picture(number * 33_333), NOW + 300_000 + number * 33_333).time_us - NOW - number * 33_333
        for number in range(1, 200)
    ]
    assert shifts[0] == -100 and shifts[50] == -5_100 and shifts[-1] == -10_000
    line.correct(NOW + 3_600_000_000)
    assert line.place(picture(200 * 33_333), NOW + 300_000 + 200 * 33_333).time_us == NOW + 200 * 33_333 - 10_000


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
        some.tuples(some.booleans(), some.integers(-(10**8), 10**8), some.integers(0, 10**6), some.booleans()),
        max_size=60,
    )
)
def test_time_never_goes_back(steps: list[tuple[bool, int, int, int]]) -> None:
    line, now = Timeline(), NOW
    last = {True: 0, False: 0}
    for is_picture, time_us, passed, again in steps:
        now += passed
        if again == 0:
            line.begin(now + time_us // 7)
        elif again == 1:
            line.correct(now + time_us // 3)
        placed = line.place(picture(time_us) if is_picture else sound(time_us), now).time_us
        assert placed > last[is_picture]
        last[is_picture] = placed
