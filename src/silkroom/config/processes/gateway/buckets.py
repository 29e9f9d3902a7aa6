"""Rate limits: token buckets. Time comes in as an argument."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Rate:
    """``burst`` at once, then ``per_second``."""

    per_second: float
    burst: float


class Bucket:
    """One count of one rate."""

    __slots__ = ("_at", "_filled", "_rate")

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._filled = rate.burst
        self._at = now

    def take(self, count: float, now: float) -> float:
        """Take ``count`` and return 0, or take nothing and return the seconds until it would fit."""
        self._filled = min(self._rate.burst, self._filled + (now - self._at) * self._rate.per_second)
        self._at = now
        if count <= self._filled:
            self._filled -= count
            return 0.0
        return (count - self._filled) / self._rate.per_second

    def take_some(self, count: int, now: float) -> int:
        """Take as many of ``count`` as are there."""
        if self.take(0, now) == 0.0 and self._filled >= 1:
            taken = min(count, int(self._filled))
            self._filled -= taken
            return taken
        return 0


class PersonBuckets:
    """Buckets of the people who spoke lately: a second window or a reconnect brings nobody a fresh one."""

    def __init__(self, rate: Rate, *, most: int = 50_000) -> None:
        self._rate = rate
        self._most = most
        self._buckets: OrderedDict[int, Bucket] = OrderedDict()

    def of(self, person_id: int, now: float) -> Bucket:
        """The person's bucket."""
        bucket = self._buckets.get(person_id)
        if bucket is None:
            if len(self._buckets) >= self._most:
                self._buckets.popitem(last=False)
            bucket = self._buckets[person_id] = Bucket(self._rate, now)
        else:
            self._buckets.move_to_end(person_id)
        return bucket
