"""Counters of tries lose nothing when many count at once, and end when they were to end."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.core.cache import cache
from django.db import connection

THREADS, TIMES = 10, 20


def expiry() -> object:
    with connection.cursor() as cursor:
        cursor.execute("SELECT expires FROM accounts_counters WHERE cache_key LIKE '%%tries'")
        return cursor.fetchone()[0]


@pytest.mark.django_db(transaction=True)
def test_ten_at_once_lose_no_count() -> None:
    start = threading.Barrier(THREADS)

    def count(_number: int) -> list[int]:
        try:
            start.wait(timeout=20)
            cache.add("tries", 0, timeout=600)
            return [cache.incr("tries") for _ in range(TIMES)]
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as threads:
        counted = [one for many in threads.map(count, range(THREADS)) for one in many]
    assert sorted(counted) == list(range(1, THREADS * TIMES + 1))
    assert cache.get("tries") == THREADS * TIMES


@pytest.mark.django_db
def test_counting_does_not_prolong_the_counter() -> None:
    cache.set("tries", 5, timeout=3)
    ends = expiry()
    assert cache.incr("tries", 2) == 7
    assert cache.decr("tries") == 6
    assert expiry() == ends


@pytest.mark.django_db
def test_a_counter_that_is_over_does_not_count() -> None:
    cache.set("tries", 5, timeout=-1)
    with pytest.raises(ValueError, match="no counter"):
        cache.incr("tries")
