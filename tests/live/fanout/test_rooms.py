"""Rooms over real sockets: who gets what, who is sent away, who comes back."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Sequence
from pathlib import Path

import pytest
from aiohttp import WSMsgType, WSServerHandshakeError

from silkroom.config.processes.certificates import ensure_certificate
from silkroom.live.fanout.door import (
    TOO_SLOW,
    Event,
    FrameTooLarge,
    Limits,
    LocalBus,
    RoomClosed,
    RoomFull,
    Snapshot,
    publish_committed,
)
from tests.live.fanout.conftest import StartHouse
from tests.live.fanout.house import SECONDS, SHOW, House, Log, Visitor, event, events, wait_for


async def test_a_first_visitor_gets_the_state_and_then_what_happens(start_house: StartHouse) -> None:
    log = Log()
    log.append(events(1, 3))
    house = await start_house(log=log)
    visitor = await house.enter()
    await visitor.read_until(3)
    assert (visitor.snapshots, visitor.steps) == (1, [1, 2, 3])
    room = await house.open()
    room.offer(log.append(events(4, 5)))
    assert (await visitor.read())["type"] == "events"
    assert visitor.steps == [1, 2, 3, 4, 5]
    assert room.watchers == 1


async def test_who_comes_back_with_a_number_gets_only_the_rest(start_house: StartHouse) -> None:
    log = Log()
    log.append(events(1, 20))
    house = await start_house(log=log)
    visitor = await house.enter(after=12)
    await visitor.read_until(20)
    assert (visitor.snapshots, visitor.steps) == (0, list(range(13, 21)))
    up_to_date = await house.enter(after=20)
    room = await house.open()
    room.offer(log.append([event(21)]))
    await up_to_date.read_until(21)
    assert up_to_date.frames == [{"type": "events", "events": visitor_event(21)}]


def visitor_event(sequence: int) -> list[dict[str, object]]:
    return [{"n": sequence, "k": "stepped", "at": 1_700_000_000_000 + sequence, "d": {"step": sequence, "filler": ""}}]


@pytest.mark.parametrize("after", [0, 11, 41, 10**12])
async def test_a_number_out_of_reach_is_answered_with_a_snapshot(start_house: StartHouse, after: int) -> None:
    log = Log()
    log.append(events(1, 40))
    house = await start_house(log=log, limits=Limits(ring_events=28))
    visitor = await house.enter(after=after)
    await visitor.read()
    assert (visitor.snapshots, visitor.steps) == (1, list(range(1, 41)))
    room = await house.open()
    room.offer(log.append([event(41)]))
    await visitor.read_until(41)
    assert visitor.steps[-1] == 41


async def test_a_gap_is_filled_from_the_database_before_anything_after_it_is_shown(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    room = await house.open()
    news = house.log.append(events(1, 6))
    reads = house.log.reads
    room.offer([news[5], news[0], news[3]])
    await visitor.read_until(6)
    assert visitor.steps == [1, 2, 3, 4, 5, 6]
    assert house.log.reads > reads
    assert house.fan.figures()["gaps_filled"] >= 1


async def test_a_young_gap_that_closes_by_itself_costs_no_read(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(gap_patience_ms=50))
    visitor = await house.enter()
    await visitor.read()
    room = await house.open()
    reads = house.log.reads
    one, two = house.log.append(events(1, 2))
    room.offer([two])
    room.offer([one])
    await visitor.read_until(2)
    room.offer(house.log.append([event(3)]))
    await visitor.read_until(3)
    assert house.log.reads == reads


async def test_the_last_event_lost_on_the_way_is_found_by_its_number(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    house.log.append(events(1, 2))
    (await house.open()).heal(2)
    await visitor.read_until(2)
    assert visitor.steps == [1, 2]


async def test_a_database_that_fails_is_asked_again(start_house: StartHouse, caplog: pytest.LogCaptureFixture) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    read, failures = house.log.read, iter([ConnectionError("gone"), TimeoutError("slow")])

    async def read_when_back(broadcast_id: int | str, after: int, upto: int | None) -> object:
        for failure in failures:
            raise failure
        return await read(broadcast_id, after, upto)

    house.fan._load_gap = read_when_back  # type: ignore[assignment]
    house.log.append(events(1, 2))
    (await house.open()).heal(2)
    await visitor.read_until(2)
    assert visitor.steps == [1, 2]
    assert sum("cannot be read now" in line for line in caplog.messages) == 2


async def test_a_snapshot_newer_than_the_room_makes_it_catch_up_without_doubling(start_house: StartHouse) -> None:
    """The state may come from the database, ahead of what this gateway has heard."""
    house = await start_house()
    early = await house.enter()
    await early.read()
    room = await house.open()
    house.log.append(events(1, 5))
    ahead = Snapshot(5, b'{"type":"snapshot","sequence":5,"state":[1,2,3,4,5]}')
    visitor = await house.enter_with(ahead)
    await visitor.read()
    await early.read_until(5)
    room.offer(house.log.append(events(6, 7)))
    await visitor.read_until(7)
    await early.read_until(7)
    assert visitor.steps == early.steps == [1, 2, 3, 4, 5, 6, 7]


async def test_a_snapshot_older_than_the_room_remembers_is_asked_for_again(start_house: StartHouse) -> None:
    log = Log()
    log.append(events(1, 30))
    house = await start_house(log=log, limits=Limits(ring_events=4))
    room = await house.open()
    asked: list[int] = []

    async def snapshot() -> Snapshot:
        asked.append(len(asked))
        return Snapshot(3, b"stale") if len(asked) < 3 else room.keeper.snapshot()  # type: ignore[return-value]

    visitor = await house.enter_with(snapshot)
    await visitor.read()
    assert (len(asked), visitor.sequence) == (3, 30)


async def test_a_burst_becomes_few_frames(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    room = await house.open()
    for sequence in range(1, 201):
        room.offer(house.log.append([event(sequence)]))
    await visitor.read_until(200)
    carrying = [frame["events"] for frame in visitor.frames if frame["type"] == "events"]
    assert [len(one) for one in carrying] == [1, 199]


async def test_pings_both_ways_work_between_frames(start_house: StartHouse) -> None:
    house = await start_house()
    house.heartbeat = 0.05
    visitor = await house.enter(autoping=False)
    room = await house.open()
    seen: set[WSMsgType] = set()
    await visitor.ws.ping(b"are you there")
    sequence = 0
    async with asyncio.timeout(SECONDS):
        while seen != {WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG} or sequence < 20:
            if WSMsgType.TEXT in seen:
                sequence += 1
                room.offer(house.log.append([event(sequence, size=70_000)]))
            message = await visitor.ws.receive()
            assert message.type in (WSMsgType.TEXT, WSMsgType.PING, WSMsgType.PONG), message
            seen.add(message.type)
            if message.type is WSMsgType.PING:
                await visitor.ws.pong(message.data)
            elif message.type is WSMsgType.PONG:
                assert message.data == b"are you there"
            else:
                json.loads(message.data)
    assert room.watchers == 1


async def test_a_keeper_that_fails_does_not_stop_the_room(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    await visitor.read()
    room = await house.open()
    poison = Event(1, "stepped", 1_700_000_000_001, b'{"step":1,"filler":""}')
    apply = room.keeper.apply

    def fail_once(events: Sequence[Event]) -> None:
        room.keeper.apply = apply  # type: ignore[method-assign]
        raise LookupError("a fault")

    room.keeper.apply = fail_once  # type: ignore[method-assign]
    with pytest.raises(LookupError, match="a fault"):
        room.offer(house.log.append([poison]))
    await visitor.read_until(1)
    room.offer(house.log.append([event(2)]))
    await visitor.read_until(2)
    assert visitor.steps == [1, 2]


async def test_replies_keep_their_place_among_the_frames(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    other = await house.enter()
    await visitor.read()
    await visitor.ws.send_str("hello")
    assert await visitor.read() == {"type": "reply", "to": "hello"}
    (await house.open()).offer(house.log.append([event(1)]))
    await other.read_until(1)
    assert all(frame["type"] != "reply" for frame in other.frames)


async def test_too_large_messages_are_refused_and_reach_nobody(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(message_bytes=1000))
    visitor = await house.enter()
    await visitor.read()
    room = await house.open()
    with pytest.raises(FrameTooLarge):
        room.pulse(b"x" * 1001)
    with pytest.raises(FrameTooLarge):
        house.seated[0].send(b"x" * 1001)
    room.pulse(b'{"type":"pulse"}')
    assert await visitor.read() == {"type": "pulse"}


async def test_a_full_room_takes_nobody_until_somebody_leaves(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(room_watchers=2))
    first, second = await house.enter(), await house.enter()
    room = await house.open()
    with pytest.raises(WSServerHandshakeError) as refusal:
        await house.enter()
    assert refusal.value.status == 503
    with pytest.raises(RoomFull):
        await room.join(house.seated[0].transport)
    assert room.watchers == 2
    await first.ws.close()
    await wait_for(lambda: room.watchers == 1)
    third = await house.enter()
    await asyncio.gather(second.read(), third.read())
    assert room.watchers == 2 == house.fan.figures()["watchers"]


async def test_many_doors_at_once_open_a_room_once(start_house: StartHouse) -> None:
    house = await start_house()
    rooms = await asyncio.gather(*(house.open() for _ in range(20)))
    assert len(set(map(id, rooms))) == 1
    assert house.keepers == 1


async def test_a_room_that_cannot_be_opened_says_why_and_can_be_tried_again(start_house: StartHouse) -> None:
    house = await start_house()

    async def fail() -> None:
        raise LookupError("no such show")

    with pytest.raises(LookupError, match="no such show"):
        await house.fan.open(7, fail)  # type: ignore[arg-type]
    assert house.fan.find_room(7) is None
    await (await house.enter()).read()


async def test_what_happens_while_a_room_opens_is_not_lost(start_house: StartHouse) -> None:
    """Committed and told after the database was asked, but before the room was ready."""
    log, bus = Log(), LocalBus()
    house = await start_house(log=log, bus=bus)
    log.append(events(1, 2))

    async def read_then_wait(broadcast_id: int | str, after: int, upto: int | None) -> Sequence[Event]:
        found = list(await log.read(broadcast_id, after, upto))
        if len(log.events) == 2:
            await publish_committed(bus, SHOW, log.append([event(3)]))
            await asyncio.sleep(0)  # the loop's next turn hands the message over
        return found

    house.fan._load_gap = read_then_wait
    visitor = await house.enter()
    await visitor.read_until(3)
    assert visitor.steps == [1, 2, 3]


async def test_a_gap_that_the_database_cannot_fill_is_not_asked_for_without_pause(start_house: StartHouse) -> None:
    house = await start_house()
    room = await house.open()
    reads = house.log.reads
    room.heal(5)
    await wait_for(lambda: house.log.reads >= reads + 3)
    first, second, third = house.log.read_at[reads : reads + 3]
    # The loop's clock counts whole milliseconds, and a difference of two of its numbers is not exact.
    tick = 0.002
    assert second - first >= 0.1 - tick, "a pause after the first try"
    assert third - second >= 0.2 - tick, "a longer one after the second"


async def test_an_empty_room_is_closed_after_a_while_and_opened_anew(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(idle_seconds=0.05))
    visitor = await house.enter()
    await visitor.read()
    first = await house.open()
    empty = await (await start_house(limits=Limits(idle_seconds=0.05))).open()
    await wait_for(lambda: empty.is_closed)
    assert not first.is_closed, "it was there before that one, and somebody is in it"
    await visitor.ws.close()
    await wait_for(lambda: first.is_closed)
    assert house.fan.rooms == []
    with pytest.raises(RoomClosed):
        await first.join(house.seated[0].transport)
    house.log.append(events(1, 2))
    again = await house.enter()
    await again.read()
    assert again.steps == [1, 2]


async def test_closing_the_engine_sends_everybody_away_to_come_back(start_house: StartHouse) -> None:
    house = await start_house()
    visitors = [await house.enter() for _ in range(3)]
    closing = asyncio.create_task(house.fan.close())
    for visitor in visitors:
        await visitor.read()
        message = await visitor.ws.receive(timeout=SECONDS)
        assert message.type is WSMsgType.CLOSE and message.data == 4503
    await closing
    assert house.fan.figures()["watchers"] == 0
    with pytest.raises(RoomClosed):
        await house.open()


async def test_a_line_that_breaks_gives_its_seat_back(start_house: StartHouse) -> None:
    house = await start_house()
    visitor = await house.enter()
    room = await house.open()
    assert visitor.ws._response.connection is not None
    visitor.ws._response.connection.transport.abort()  # type: ignore[union-attr]
    await wait_for(lambda: room.watchers == 0)
    assert not house.seated[0].send(b"{}")
    room.offer(house.log.append([event(1)]))
    await wait_for(lambda: room.is_quiet)


class Sleeper:
    """Shakes hands and then does not read, with a small receive buffer, until told to."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        self._buffer = b""

    async def __aenter__(self) -> Sleeper:
        loop = asyncio.get_running_loop()
        count = len(self._house.seated)
        await loop.sock_connect(self._socket, ("127.0.0.1", self._house.port))
        await loop.sock_sendall(
            self._socket,
            b"GET /gateway/room HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: c2xlZXBlcnNsZWVwZXJzIQ==\r\n\r\n",
        )
        await wait_for(lambda: len(self._house.seated) > count)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._socket.close()

    async def wake(self) -> tuple[Visitor, int]:
        """Read all there is to the end; what was seen, and the close code."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(SECONDS):
            while chunk := await loop.sock_recv(self._socket, 65536):
                self._buffer += chunk
                if self._frames_end_in_close():
                    break
        return self._seen, self._code

    def _frames_end_in_close(self) -> bool:
        self._seen, self._code = Visitor(None, 0), 0  # type: ignore[arg-type]
        data = self._buffer.partition(b"\r\n\r\n")[2]
        while len(data) >= 2:
            length, at = data[1], 2
            if length >= 126:
                at = 4 if length == 126 else 10
                length = int.from_bytes(data[2:at], "big")
            payload, opcode, data = data[at : at + length], data[0] & 15, data[at + length :]
            if len(payload) < length:
                return False
            if opcode == 8:
                self._code = int.from_bytes(payload[:2], "big")
                return True
            for one in json.loads(payload).get("events", ()):
                assert one["n"] == self._seen.sequence + 1
                self._seen.sequence = one["n"]
                self._seen.steps.append(one["d"]["step"])
        return False


async def test_a_slow_watcher_is_dropped_and_resumes_while_nobody_waits_for_it(start_house: StartHouse) -> None:
    limits = Limits(backlog_bytes=64 * 1024, gather_ms=1, urgent_ms=1)
    house = await start_house(limits=limits)
    quick = [await house.enter() for _ in range(3)]
    async with Sleeper(house) as sleeper:
        room = await house.open()
        slow = house.seated[-1]
        sequence = 0
        while not slow.gone:
            sequence += 1
            assert sequence < 500, "the bound of the backlog is not kept"
            room.offer(house.log.append([event(sequence, size=20_000)]))
            for visitor in quick:
                await visitor.read_until(sequence)
        assert slow.close_code == TOO_SLOW
        assert slow.transport.get_write_buffer_size() < limits.backlog_bytes + 25_000
        assert (room.watchers, house.fan.figures()["dropped"]) == (3, 1)
        for _ in range(3):
            sequence += 1
            room.offer(house.log.append([event(sequence)]))
        for visitor in quick:
            await visitor.read_until(sequence)
        seen, code = await sleeper.wake()
    assert code == 4508
    assert seen.steps == list(range(1, seen.sequence + 1)) and 0 < seen.sequence < sequence - 3
    back = await house.enter(after=seen.sequence)
    await back.read_until(sequence)
    assert seen.steps + back.steps == list(range(1, sequence + 1))
    assert back.snapshots == 0
    assert [one.steps for one in quick] == [list(range(1, sequence + 1))] * 3


async def test_over_tls_too_a_slow_watcher_is_dropped_and_told_so(start_house: StartHouse, tmp_path: Path) -> None:
    files = ensure_certificate(tmp_path)
    limits = Limits(backlog_bytes=64 * 1024, gather_ms=1, urgent_ms=1)
    house = await start_house(limits=limits, certificate=files)
    quick, slow = await house.enter(), await house.enter()  # a client that is not read stops reading its socket
    room = await house.open()
    seat = house.seated[-1]
    sequence = 0
    while not seat.gone:
        sequence += 1
        assert sequence < 2000, "the bound of the backlog is not kept"
        room.offer(house.log.append([event(sequence, size=20_000)]))
        await quick.read_until(sequence)
    assert (seat.close_code, room.watchers) == (TOO_SLOW, 1)
    seen = 0
    async for message in slow.ws:
        seen = max([seen, *(one["n"] for one in json.loads(message.data).get("events", ()))])
    assert slow.ws.close_code == TOO_SLOW and 0 < seen < sequence
    await slow.come_back(house)


async def test_who_never_reads_the_goodbye_is_cut_off(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(backlog_bytes=1000, grace_seconds=0.05, gather_ms=1))
    async with Sleeper(house):
        room = await house.open()
        slow = house.seated[0]
        sequence = 0
        while not slow.gone:
            sequence += 1
            room.offer(house.log.append([event(sequence, size=20_000)]))
            await wait_for(lambda: room.is_quiet)
        await wait_for(slow.transport.is_closing)


async def test_a_large_snapshot_is_not_held_against_a_thin_line(start_house: StartHouse) -> None:
    house = await start_house(limits=Limits(backlog_bytes=64 * 1024, gather_ms=1))
    large = Snapshot(0, json.dumps({"type": "snapshot", "sequence": 0, "state": [], "x": "y" * 6_000_000}).encode())
    house.snapshot = lambda: large
    async with Sleeper(house):
        room = await house.open()
        watcher = house.seated[0]
        assert watcher.transport.get_write_buffer_size() > 64 * 1024
        room.offer(house.log.append([event(1)]))
        await wait_for(lambda: room.is_quiet)
        assert not watcher.gone
