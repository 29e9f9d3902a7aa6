"""The law of joining and skipping, for any order of chunks, joins and slowness."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from silkroom.live.relay.core import gop
from silkroom.live.relay.core.chunks import Chunk, Kind
from silkroom.live.relay.core.gop import Gate, GroupCache, Verdict

KINDS = some.sampled_from([Kind.VIDEO_KEY, Kind.VIDEO_DELTA, Kind.VIDEO_DELTA, Kind.AUDIO])


def chunk(number: int, kind: Kind, size: int = 10) -> Chunk:
    return Chunk(kind, number * 1000, 1000, bytes(size))


@given(some.lists(KINDS, max_size=60))
def test_the_cache_holds_exactly_what_came_since_the_last_key_frame(kinds: list[Kind]) -> None:
    cache = GroupCache()
    sent = [chunk(number, kind) for number, kind in enumerate(kinds)]
    for one in sent:
        cache.add(one)
    keys = [number for number, kind in enumerate(kinds) if kind is Kind.VIDEO_KEY]
    assert cache.chunks == (sent[keys[-1] :] if keys else [])
    assert cache.size == sum(len(one.payload) for one in cache.chunks)


@given(some.lists(some.tuples(KINDS, some.integers(0, 3000)), max_size=120), some.booleans())
def test_after_anything_missed_a_viewer_gets_a_key_frame_first(steps: list[tuple[Kind, int]], joined: bool) -> None:
    """``waiting`` jumps at will. A joined viewer has got the group so far, a fresh one nothing."""
    gate = Gate(high=1000, low=250, patience_us=1_000_000)
    if joined:
        gate.open(0)
    in_step = joined
    for number, (kind, waiting) in enumerate(steps):
        verdict = gate.admit(kind, waiting, number * 1000)
        if verdict is Verdict.SEND:
            assert in_step or kind is Kind.VIDEO_KEY
            assert waiting <= 1000
            in_step = True
        else:
            in_step = False


@given(some.lists(KINDS, min_size=1, max_size=100), some.integers(0, 99))
def test_a_viewer_who_joins_at_any_moment_can_decode_everything_it_gets(kinds: list[Kind], at: int) -> None:
    cache, gate = GroupCache(), Gate(high=1000, low=250, patience_us=1)
    got: list[Chunk] = []
    for number, kind in enumerate(kinds):
        one = chunk(number, kind)
        cache.add(one)
        if number == at:
            if cache.chunks:
                got += cache.chunks
                gate.open(0)
        elif number > at and gate.admit(kind, 0, number) is Verdict.SEND:
            got.append(one)
    if got:
        assert got[0].kind is Kind.VIDEO_KEY
        times = [one.time_us // 1000 for one in got]
        assert times == list(range(times[0], times[0] + len(times)))


def test_a_viewer_that_never_drains_is_closed_after_the_patience() -> None:
    gate = Gate(high=1000, low=250, patience_us=5_000_000)
    gate.open(0)
    verdicts = [
        gate.admit(Kind.VIDEO_KEY if number % 30 == 0 else Kind.VIDEO_DELTA, 2000, 1 + number * 100_000)
        for number in range(80)
    ]
    assert Verdict.SEND not in verdicts
    assert verdicts.index(Verdict.CLOSE) == 51


def test_a_slow_viewer_that_recovers_is_forgiven() -> None:
    gate = Gate(high=1000, low=250, patience_us=5_000_000)
    gate.open(0)
    assert gate.admit(Kind.VIDEO_DELTA, 2000, 0) is Verdict.SKIP
    assert gate.admit(Kind.VIDEO_KEY, 0, 4_000_000) is Verdict.SEND
    assert gate.admit(Kind.VIDEO_DELTA, 2000, 4_100_000) is Verdict.SKIP
    assert gate.admit(Kind.VIDEO_DELTA, 2000, 9_000_000) is Verdict.SKIP
    assert gate.admit(Kind.VIDEO_DELTA, 2000, 9_200_000) is Verdict.CLOSE


def test_the_burst_of_a_join_is_no_slowness() -> None:
    gate = Gate(high=1000, low=250, patience_us=1)
    gate.open(5000)
    assert gate.admit(Kind.VIDEO_DELTA, 5500, 0) is Verdict.SEND
    assert gate.admit(Kind.VIDEO_DELTA, 200, 1) is Verdict.SEND
    assert gate.admit(Kind.VIDEO_DELTA, 1200, 2) is Verdict.SKIP


def test_a_group_without_end_is_given_up() -> None:
    cache = GroupCache()
    cache.add(chunk(0, Kind.VIDEO_KEY))
    for number in range(1, gop.MAX_GROUP_CHUNKS + 1):
        cache.add(chunk(number, Kind.VIDEO_DELTA))
    assert cache.chunks == [] and cache.size == 0
    cache.add(chunk(9_999, Kind.VIDEO_DELTA))
    assert cache.chunks == []
