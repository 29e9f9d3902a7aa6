"""A big room does not stop the loop, nor other rooms."""

from __future__ import annotations

import asyncio
from collections import Counter

from silkroom.live.fanout.core import Limits
from silkroom.live.fanout.delivery import Delivery, Turns, Watcher
from tests.live.fanout.house import wait_for


class Wire(asyncio.Transport):
    """The far end of a connection, in memory: notes in which turn of the loop it was written to."""

    def __init__(self, name: str, notes: list[str]) -> None:
        super().__init__()
        self._name = name
        self._notes = notes
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self._notes.append(self._name)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def get_write_buffer_size(self) -> int:
        return 0


def seats(name: str, count: int, notes: list[str]) -> list[Watcher]:
    return [Watcher(Wire(name, notes), Limits(), lambda _: None) for _ in range(count)]


async def test_a_small_room_does_not_wait_for_a_big_one() -> None:
    notes: list[str] = []
    turns = Turns(100)
    over = asyncio.Event()
    turns.add(Delivery(b"x", seats("big", 2000, notes), over.set))
    turns.add(Delivery(b"x", seats("small", 10, notes), lambda: None))
    await over.wait()
    assert Counter(notes) == {"big": 2000, "small": 10}
    assert notes.index("small") == 100, "after one slice of the big room"
    assert turns.written == 2010


async def test_the_loop_gets_its_turn_between_slices() -> None:
    notes: list[str] = []
    turns = Turns(100)
    over = asyncio.Event()
    turns.add(Delivery(b"x", seats("write", 950, notes), over.set))
    loop = asyncio.get_running_loop()

    def turn() -> None:
        notes.append("turn")
        if not over.is_set():
            loop.call_soon(turn)

    loop.call_soon(turn)
    await over.wait()
    slices = "".join("w" if note == "write" else "." for note in notes).split(".")
    assert max(map(len, slices)) == 100
    assert sum(map(len, slices)) == 950


async def test_rooms_that_end_share_a_slice() -> None:
    notes: list[str] = []
    turns = Turns(100)
    ended: list[int] = []
    for number in range(30):
        turns.add(Delivery(b"x", seats(str(number), 5, notes), lambda number=number: ended.append(number)))  # type: ignore[misc]
    await asyncio.sleep(0)
    assert 80 <= len(notes) <= 100
    await wait_for(lambda: len(ended) == 30)
    assert sorted(ended) == list(range(30)) and len(notes) == 150


async def test_whoever_leaves_during_a_delivery_gets_nothing_more() -> None:
    notes: list[str] = []
    turns = Turns(10)
    over = asyncio.Event()
    watchers = seats("seat", 30, notes)
    turns.add(Delivery(b"x", watchers, over.set))
    await asyncio.sleep(0)
    assert len(notes) == 10
    for watcher in watchers[10:15]:
        watcher.leave()
    watchers[15].transport.close()
    await over.wait()
    assert len(notes) == 24
    assert watchers[15].gone and watchers[15].close_code is None
