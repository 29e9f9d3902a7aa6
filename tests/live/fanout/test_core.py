"""The timeline: order, holes, memory and pace, for any sequence of offers."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.live.fanout.core import Gap, Timeline
from silkroom.live.fanout.door import Event, Limits
from tests.live.fanout.house import event, events

SMALL = Limits(ring_events=8, waiting_events=5)


def numbers(encoded: Sequence[bytes]) -> list[int]:
    return [json.loads(one)["n"] for one in encoded]


@given(start=st.integers(0, 50), offers=st.lists(st.lists(st.integers(1, 30), max_size=6), max_size=40))
def test_events_come_out_once_and_in_order_however_they_are_offered(start: int, offers: list[list[int]]) -> None:
    timeline = Timeline(start, SMALL)
    out: list[int] = []
    for offer in offers:
        out += [one.sequence for one in timeline.offer([event(start + number) for number in offer], 0.0)]
        assert out == list(range(start + 1, timeline.last + 1))
        offered = {start + number for gone in offers for number in gone}
        assert timeline.known <= max(offered, default=start)
        gap = timeline.gap
        assert (gap is None) == (timeline.last == timeline.known)
        if gap is not None:
            assert gap.after == timeline.last < gap.upto <= timeline.known


@given(offers=st.lists(st.lists(st.integers(1, 40), max_size=12), max_size=20))
def test_reading_the_gaps_ends_with_everything_known(offers: list[list[int]]) -> None:
    timeline = Timeline(0, SMALL)
    out: list[int] = []
    for offer in offers:
        out += [one.sequence for one in timeline.offer([event(number) for number in offer], 0.0)]
    reads = 0
    while (gap := timeline.gap) is not None:
        out += [one.sequence for one in timeline.offer(events(gap.after + 1, gap.upto), 0.0)]
        reads += 1
        assert reads <= 40
    assert out == list(range(1, max((number for offer in offers for number in offer), default=0) + 1))


def test_a_number_heard_of_is_a_gap_until_it_comes() -> None:
    timeline = Timeline(3)
    timeline.heard(5)
    assert timeline.gap == Gap(3, 5)
    assert timeline.offer([event(5)], 0.0) == []
    assert timeline.gap == Gap(3, 4)
    assert [one.sequence for one in timeline.offer([event(4), event(4)], 0.0)] == [4, 5]
    assert timeline.gap is None
    timeline.heard(2)
    assert timeline.gap is None


def test_what_waits_behind_a_gap_is_bounded_and_the_lowest_stay() -> None:
    timeline = Timeline(0, SMALL)
    timeline.offer(events(2, 40), 0.0)
    assert timeline.gap == Gap(0, 1)
    assert len(timeline.offer([event(1)], 0.0)) == 6
    assert timeline.gap == Gap(6, 40)


class Pace:
    """Follows a timeline the way a room's timer does, and checks each sending."""

    def __init__(self) -> None:
        self.timeline = Timeline(0)
        self.waiting: list[tuple[float, bool]] = []
        self.sent_at = float("-inf")

    def send_what_is_due(self, until: float) -> None:
        due_at = self.timeline.due_at
        if due_at is None or due_at > until:
            return
        batch = self.timeline.take(due_at)
        assert batch is not None and len(batch.encoded) == len(self.waiting)
        for arrived_at, urgent in self.waiting:
            assert due_at <= arrived_at + (0.05 if urgent else 0.1) + 1e-9
        pressing = any(urgent for _, urgent in self.waiting)
        assert due_at >= self.sent_at + (0.05 if pressing else 0.1) - 1e-9
        self.waiting.clear()
        self.sent_at = due_at

    def come(self, now: float, urgent: bool) -> None:
        self.waiting.append((now, urgent))
        self.timeline.offer([event(self.timeline.last + 1, urgent=urgent)], now)
        if now - self.sent_at >= 0.1:
            assert self.timeline.due_at == now, "after quiet the first goes at once"


@given(steps=st.lists(st.tuples(st.integers(0, 120), st.booleans()), min_size=1, max_size=60))
def test_no_event_waits_longer_than_its_bound_and_bursts_are_gathered(steps: list[tuple[int, bool]]) -> None:
    """Each step: milliseconds until the next event, and whether that one is urgent."""
    pace = Pace()
    now = 0.0
    for pause_ms, urgent in steps:
        now += pause_ms / 1000
        pace.send_what_is_due(now)
        pace.come(now, urgent)
    pace.send_what_is_due(now + 0.1 + 1e-9)
    assert pace.waiting == [] and pace.timeline.due_at is None
    assert pace.timeline.take(now + 1) is None


@given(
    start=st.integers(0, 5),
    steps=st.lists(st.tuples(st.integers(0, 7), st.booleans()), max_size=25),
    after=st.integers(0, 120),
)
def test_whoever_can_follow_lacks_nothing(start: int, steps: list[tuple[int, bool]], after: int) -> None:
    timeline = Timeline(start, SMALL)
    for count, flush in steps:
        timeline.offer(events(timeline.last + 1, timeline.last + count), 0.0)
        if flush:
            timeline.take(0.0)
    last = timeline.last
    assert timeline.can_follow(after) == (max(start, last - 8) <= after <= last)
    if not timeline.can_follow(after):
        return
    got = numbers(timeline.missed(after))
    flushed = timeline.flushed
    timeline.offer(events(last + 1, last + 2), 0.0)
    batch = timeline.take(0.0)
    assert batch is not None and (batch.after, batch.last) == (flushed, last + 2)
    got += numbers(batch.since(after) if after > flushed else batch.encoded)
    assert got == list(range(after + 1, last + 3))


def test_the_ring_is_bounded_by_bytes_too() -> None:
    timeline = Timeline(0, Limits(ring_events=1000, ring_bytes=10_000))
    timeline.offer(events(1, 100, size=1000), 0.0)
    assert not timeline.can_follow(90)
    assert timeline.can_follow(91) and timeline.can_follow(100)
    assert not timeline.can_follow(101)


@pytest.mark.parametrize(
    ("sequence", "kind", "data"),
    [(0, "said", b"{}"), (1, "", b"{}"), (1, 'sa"id', b"{}"), (1, "Said", b"{}"), (1, "said", b"[]"), (1, "said", b"")],
)
def test_an_event_that_would_break_a_frame_cannot_be_made(sequence: int, kind: str, data: bytes) -> None:
    with pytest.raises(ValueError, match="event"):
        Event(sequence, kind, 0, data)
