"""A big room does not stop the loop, nor other rooms, and everybody is given the same bytes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from functools import partial

from silkroom.live.fanout.core import Limits
from silkroom.live.fanout.delivery import Delivery, Seats, Turns, Watcher
from tests.live.fanout.conftest import StartHouse
from tests.live.fanout.house import events, wait_for


class Wire(asyncio.Transport):
    """The near end of a connection that goes nowhere: notes what it is given."""

    def __init__(self, notes: list[object], note: object = None) -> None:
        super().__init__()
        self._notes = notes
        self._note = note
        self._is_closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._is_closing:
            raise RuntimeError("the handler is closed")
        self._notes.append(data if self._note is None else self._note)

    def is_closing(self) -> bool:
        return self._is_closing

    def close(self) -> None:
        self._is_closing = True

    def get_write_buffer_size(self) -> int:
        return 0


def fill(seats: Seats, name: str, count: int, notes: list[object]) -> list[Watcher]:
    def forget(watcher: Watcher) -> None:
        seats.give_back(watcher)

    watchers = [Watcher(Wire(notes, name), Limits(), forget) for _ in range(count)]
    for watcher in watchers:
        seats.take(watcher, None)
    return watchers


def room_of(name: str, count: int, notes: list[object], done: Callable[[], None]) -> Delivery:
    seats = Seats()
    fill(seats, name, count, notes)
    return Delivery(b"x", seats.level(), seats, 1000, done)


async def test_a_small_room_does_not_wait_for_a_big_one() -> None:
    notes: list[object] = []
    turns = Turns(100)
    over = asyncio.Event()
    turns.add(room_of("big", 2000, notes, over.set))
    turns.add(room_of("small", 10, notes, lambda: None))
    await over.wait()
    assert Counter(notes) == {"big": 2000, "small": 10}
    assert notes.index("small") == 100, "after one slice of the big room"
    assert turns.written == 2010


async def test_the_loop_gets_its_turn_between_slices() -> None:
    notes: list[object] = []
    turns = Turns(100)
    over = asyncio.Event()
    turns.add(room_of("write", 950, notes, over.set))
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
    notes: list[object] = []
    turns = Turns(100)
    ended: list[int] = []
    for number in range(30):
        turns.add(room_of(str(number), 5, notes, partial(ended.append, number)))
    await asyncio.sleep(0)
    assert 80 <= len(notes) <= 100
    await wait_for(lambda: len(ended) == 30)
    assert sorted(ended) == list(range(30)) and len(notes) == 150


async def test_whoever_leaves_during_a_delivery_gets_nothing_more() -> None:
    notes: list[object] = []
    turns = Turns(10)
    over = asyncio.Event()
    seats = Seats()
    watchers = fill(seats, "seat", 30, notes)
    turns.add(Delivery(b"x", seats.level(), seats, 1000, over.set))
    await asyncio.sleep(0)
    assert len(notes) == 10
    for watcher in watchers[10:15]:
        watcher.leave()
    watchers[15].transport.close()
    await over.wait()
    assert len(notes) == 24
    assert watchers[15].gone and watchers[15].close_code is None
    assert len(seats) == 24 == len(seats.level())


async def test_all_watchers_are_given_one_and_the_same_bytes(start_house: StartHouse) -> None:
    house = await start_house()
    room = await house.open()
    given: list[object] = []
    for _ in range(5):
        await room.join(Wire(given))
    assert len(given) == 5 and len(set(map(id, given))) == 1, "the snapshot"
    given.clear()
    room.offer(house.log.append(events(1, 3)))
    await wait_for(lambda: room.is_quiet)
    assert len(given) == 5 and len(set(map(id, given))) == 1, "the events"
    given.clear()
    room.pulse(b'{"type":"pulse","viewers":5}')
    await wait_for(lambda: room.is_quiet)
    assert given == [b'\x81\x1c{"type":"pulse","viewers":5}'] * 5 and len(set(map(id, given))) == 1


async def test_those_who_come_back_at_one_number_share_their_frame(start_house: StartHouse) -> None:
    house = await start_house()
    house.log.append(events(1, 9))
    room = await house.open()
    given: list[object] = []
    for _ in range(3):
        await room.join(Wire(given), after=4)
    assert len(given) == 3 and len(set(map(id, given))) == 1
    room.offer(house.log.append(events(10, 11)))
    await wait_for(lambda: room.is_quiet)
    given.clear()
    await room.join(Wire(given), after=4)
    (frame,) = given
    assert isinstance(frame, bytes) and [frame.count(b'"n":%d,' % number) for number in (4, 5, 9, 11)] == [0, 1, 1, 1]
