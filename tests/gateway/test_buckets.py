"""Token buckets: a burst, then a steady rate."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from silkroom.config.processes.gateway.buckets import Bucket, PersonBuckets, Rate


def test_a_burst_and_then_one_at_a_time():
    bucket = Bucket(Rate(per_second=2, burst=3), now=10.0)
    assert [bucket.take(1, 10.0) for _ in range(3)] == [0.0, 0.0, 0.0]
    assert bucket.take(1, 10.0) == 0.5
    assert bucket.take(1, 10.25) == 0.25
    assert bucket.take(1, 10.5) == 0.0
    assert bucket.take(1, 10.5) == 0.5


def test_it_never_holds_more_than_the_burst():
    bucket = Bucket(Rate(per_second=100, burst=5), now=0.0)
    assert bucket.take_some(50, 1000.0) == 5
    assert bucket.take_some(50, 1000.0) == 0
    assert bucket.take_some(50, 1000.025) == 2


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 5)), max_size=50))
def test_nobody_gets_more_than_burst_and_rate(asked: list[tuple[float, int]]):
    rate = Rate(per_second=3, burst=7)
    bucket, now, taken = Bucket(rate, 0.0), 0.0, 0
    for pause, count in asked:
        now += pause
        if bucket.take(count, now) == 0.0:
            taken += count
    assert taken <= rate.burst + rate.per_second * now + 1e-6


def test_a_person_has_one_bucket_and_the_oldest_are_forgotten():
    buckets = PersonBuckets(Rate(1, 1), most=2)
    first = buckets.of(1, 0.0)
    assert buckets.of(1, 5.0) is first
    buckets.of(2, 0.0)
    buckets.of(1, 0.0)
    buckets.of(3, 0.0)
    assert buckets.of(1, 0.0) is first
    assert first.take(1, 0.0) == 0.0
    assert buckets.of(2, 0.0).take(1, 0.0) == 0.0
