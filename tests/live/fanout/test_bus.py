"""Two gateways and a web process share a room over a real nats-server."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from silkroom.config.processes.servers import NatsServer, free_port
from silkroom.live.fanout.door import (
    CommittedPublisher,
    Event,
    Limits,
    NatsBus,
    decode_committed,
    encode_committed,
    publish_committed,
    room_subject,
)
from tests.live.fanout.conftest import StartHouse
from tests.live.fanout.house import SECONDS, SHOW, Log, event, events, wait_for

StartBus = Callable[[str], Awaitable[NatsBus]]


@pytest.fixture
async def start_bus() -> AsyncIterator[StartBus]:
    running: list[NatsBus] = []

    async def start(url: str) -> NatsBus:
        bus = NatsBus(url)
        running.append(bus)
        await bus.start()
        return bus

    yield start
    for bus in running:
        await bus.close()


@pytest.fixture
def make_publisher() -> Iterator[Callable[..., CommittedPublisher]]:
    made: list[CommittedPublisher] = []

    def make(url: str, **more: int) -> CommittedPublisher:
        made.append(CommittedPublisher(url, **more))
        return made[-1]

    yield make
    for publisher in made:
        publisher.close(0.5)


async def start(server: NatsServer) -> object:
    return await asyncio.to_thread(server.start)


@given(
    st.lists(
        st.builds(
            Event,
            sequence=st.integers(1, 2**50),
            kind=st.sampled_from(["stock", "comment", "deal.opened"]),
            at_ms=st.integers(0, 2**45),
            data=st.sampled_from([b"{}", b'{"a": [1, 2.5, null]}', '{"text":"丝绸 \\u2764"}'.encode()]),
            urgent=st.booleans(),
        ),
        max_size=20,
    )
)
def test_events_survive_the_bus(sent: list[Event]) -> None:
    assert [one for message in encode_committed(sent) for one in decode_committed(message)] == sent


def test_many_events_are_split_into_messages_that_nats_takes() -> None:
    sent = events(1, 40, size=100_000)
    messages = encode_committed(sent)
    assert len(messages) >= 8 and max(map(len, messages)) < 1024 * 1024
    assert [one for message in messages for one in decode_committed(message)] == sent


def test_an_event_too_large_for_the_bus_is_left_to_the_database(caplog: pytest.LogCaptureFixture) -> None:
    messages = encode_committed([event(1), event(2, size=600_000), event(3)])
    assert [one.sequence for message in messages for one in decode_committed(message)] == [1, 3]
    assert "too large" in caplog.text


@pytest.mark.parametrize("data", [b"", b"[", b'{"a":1}', b'[[0,"x",0,false,{}]]', b'[[1,"x",0,false,3]]', b"\xff"])
def test_a_message_that_is_no_batch_of_events_is_a_value_error(data: bytes) -> None:
    with pytest.raises(ValueError):
        decode_committed(data)


@pytest.mark.parametrize("broadcast_id", ["", "a b", "a.b", "*", ">", "x" * 65, "a\r\nPUB"])
def test_an_id_that_would_be_another_subject_is_refused(broadcast_id: str) -> None:
    with pytest.raises(ValueError, match="broadcast id"):
        room_subject(broadcast_id)


async def test_two_gateways_and_a_web_process_show_one_order(
    start_house: StartHouse, start_bus: StartBus, make_publisher: Callable[..., CommittedPublisher], nats_url: str
) -> None:
    log = Log()
    buses = [await start_bus(nats_url), await start_bus(nats_url)]
    houses = [await start_house(log=log, bus=bus) for bus in buses]
    for bus in buses:
        await asyncio.wait_for(bus.wait_connected(), SECONDS)
    web = make_publisher(nats_url)
    visitors = [await house.enter() for house in houses for _ in range(2)]
    for turn in range(30):
        news = log.append(events(len(log.events) + 1, len(log.events) + 1 + turn % 3))
        if turn % 3 == 2:
            web.publish_committed(SHOW, news)
        else:
            (await houses[turn % 3].open()).offer(news)
            await publish_committed(buses[turn % 3], SHOW, news)
    last = len(log.events)
    for visitor in visitors:
        await visitor.read_until(last)
        assert visitor.steps == list(range(1, last + 1))
    moved = visitors[0]
    log.append(news := [event(last + 1)])
    web.publish_committed(SHOW, news)
    await moved.come_back(houses[1])
    await moved.read_until(last + 1)
    assert moved.steps == list(range(1, last + 2))
    assert web.lost == 0


async def test_an_unreadable_message_on_the_bus_harms_nobody(
    start_house: StartHouse, start_bus: StartBus, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus = await start_bus(nats_url)
    await asyncio.wait_for(bus.wait_connected(), SECONDS)
    house = await start_house(bus=bus)
    visitor = await house.enter()
    await visitor.read()
    await bus.publish(room_subject(SHOW), b"what is this")
    await publish_committed(bus, SHOW, house.log.append([event(1)]))
    await visitor.read_until(1)
    assert "unreadable bus message" in caplog.text


async def test_a_fault_in_a_listener_is_reported_and_it_hears_on(
    start_bus: StartBus, nats_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    bus = await start_bus(nats_url)
    await asyncio.wait_for(bus.wait_connected(), SECONDS)
    heard: list[bytes] = []

    def listen(data: bytes) -> None:
        heard.append(data)
        raise LookupError("a fault")

    subscription = await bus.subscribe("silkroom.fault", listen)
    await bus.publish("silkroom.fault", b"1")
    await bus.publish("silkroom.fault", b"2")
    await wait_for(lambda: heard == [b"1", b"2"])
    assert [record.exc_info[0] for record in caplog.records if record.exc_info] == [LookupError, LookupError]
    await subscription.close()
    await subscription.close()
    others: list[bytes] = []
    await bus.subscribe("silkroom.fault", others.append)
    await bus.publish("silkroom.fault", b"3")
    await wait_for(lambda: others == [b"3"])
    assert heard == [b"1", b"2"]


async def test_rooms_and_publisher_outlive_a_restart_of_nats(
    start_house: StartHouse,
    start_bus: StartBus,
    make_publisher: Callable[..., CommittedPublisher],
    own_nats: NatsServer,
) -> None:
    bus = await start_bus(own_nats.url)
    web = make_publisher(own_nats.url)
    house = await start_house(bus=bus, limits=Limits(gap_patience_ms=1))
    visitor = await house.enter()  # NATS has never been there yet
    await visitor.read()
    web.publish_committed(SHOW, house.log.append([event(1)]))
    child = await start(own_nats)
    await visitor.read_until(1)

    child.process.kill()  # type: ignore[attr-defined]
    await wait_for(lambda: not bus.is_connected)
    house.log.append([event(2)])  # nobody says a word about this one
    web.publish_committed(SHOW, house.log.append([event(3)]))
    (await house.open()).offer(house.log.append([event(4)]))
    await visitor.read_until(4)  # what this gateway wrote itself needs no NATS, and shows the gap
    house.log.append([event(5)])

    await start(own_nats)
    await visitor.read_until(5)  # read as soon as NATS is back, without anybody telling
    web.publish_committed(SHOW, house.log.append([event(6)]))
    await visitor.read_until(6)
    assert visitor.steps == [1, 2, 3, 4, 5, 6]
    assert (visitor.snapshots, web.lost) == (1, 0)


async def test_the_queue_of_the_publisher_is_bounded_and_the_newest_stay(
    start_bus: StartBus, make_publisher: Callable[..., CommittedPublisher], own_nats: NatsServer
) -> None:
    web = make_publisher(own_nats.url, queue_messages=5, queue_bytes=1000)
    for number in range(20):
        web.publish("silkroom.test", b"%d" % number)
    assert (web.waiting, web.lost) == (5, 15)
    web.publish("silkroom.test", b"x" * 999)
    assert (web.waiting, web.lost) == (1, 20)
    web.publish("silkroom.test", b"y")
    bus = await start_bus(own_nats.url)
    heard: list[bytes] = []
    await bus.subscribe("silkroom.test", heard.append)
    await start(own_nats)
    await asyncio.wait_for(bus.wait_connected(), SECONDS)
    await wait_for(lambda: web.waiting == 0)
    web.publish("silkroom.test", b"z")
    await wait_for(lambda: heard[-1:] == [b"z"])


async def test_all_threads_of_a_web_process_are_heard(
    start_bus: StartBus, make_publisher: Callable[..., CommittedPublisher], nats_url: str
) -> None:
    bus = await start_bus(nats_url)
    await asyncio.wait_for(bus.wait_connected(), SECONDS)
    heard: list[bytes] = []
    await bus.subscribe("silkroom.threads", heard.append)
    others = set(threading.enumerate())
    web = make_publisher(nats_url)

    def say(who: int) -> None:
        for number in range(50):
            web.publish("silkroom.threads", b"%d:%d" % (who, number))

    threads = [threading.Thread(target=say, args=(who,)) for who in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    await wait_for(lambda: len(heard) == 400)
    for who in range(8):
        assert [one for one in heard if one.startswith(b"%d:" % who)] == [b"%d:%d" % (who, n) for n in range(50)]
    assert sum(one.name == "committed-publisher" for one in set(threading.enumerate()) - others) == 1
    web.close()
    web.publish("silkroom.threads", b"late")
    assert web.lost == 1


async def test_a_bus_that_never_reached_nats_closes_all_the_same() -> None:
    bus = NatsBus(f"nats://127.0.0.1:{free_port()}")
    await bus.start()
    assert not await bus.publish("silkroom.nobody", b"lost")
    await asyncio.wait_for(bus.close(), SECONDS)


SAY_AND_EXIT = """
import os, sys
from silkroom.live.fanout.door import CommittedPublisher
web = CommittedPublisher(sys.argv[1])
web.publish("silkroom.exit", b"parent")
if os.fork() == 0:
    web.publish("silkroom.exit", b"child")
    sys.exit(0)
os.wait()
"""


async def test_a_process_that_ends_at_once_is_still_heard_and_so_is_its_fork(
    start_bus: StartBus, nats_url: str
) -> None:
    bus = await start_bus(nats_url)
    await asyncio.wait_for(bus.wait_connected(), SECONDS)
    heard: list[bytes] = []
    await bus.subscribe("silkroom.exit", heard.append)
    await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", SAY_AND_EXIT, nats_url],
        check=True,
        timeout=SECONDS,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    await wait_for(lambda: sorted(heard) == [b"child", b"parent"])
