"""Laws of a room under any course of events: news lost, repeated and shuffled, people coming and going."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from silkroom.live.fanout.door import Limits, LocalBus
from tests.live.fanout.house import House, Log, Visitor, event

LIMITS = Limits(
    ring_events=12, waiting_events=6, gather_ms=3, urgent_ms=1, gap_patience_ms=1, gap_page=5, frame_bytes=300
)

COURSES = st.lists(st.sampled_from(["write", "enter", "return", "leave", "read", "wait"]), min_size=5, max_size=40)


@dataclass
class Evening:
    """One show with its people, acted out by chance."""

    house: House
    chance: random.Random
    visitors: list[Visitor] = field(default_factory=list)

    async def write(self) -> None:
        """Commit some events; some news of them is lost, some comes twice, in any order."""
        log = self.house.log
        first = len(log.events) + 1
        last = first + self.chance.choice([0, 0, 1, 3, 20])
        log.append([event(number, urgent=self.chance.random() < 0.3) for number in range(first, last + 1)])
        news = self.chance.choices(log.events, k=self.chance.randint(0, 4))
        news += [one for one in log.events[first - 1 :] if self.chance.random() < 0.8]
        self.chance.shuffle(news)
        room = await self.house.open()
        for one in news:
            room.offer([one])

    async def enter(self) -> None:
        self.visitors.append(await self.house.enter())

    async def come_back(self) -> None:
        if self.visitors:
            await self.chance.choice(self.visitors).come_back(self.house)

    async def leave(self) -> None:
        if self.visitors:
            await self.visitors.pop(self.chance.randrange(len(self.visitors))).ws.close()

    async def read(self) -> None:
        if self.visitors:
            visitor = self.chance.choice(self.visitors)
            await visitor.read_until(self.chance.randint(0, (await self.house.open()).last_sequence))

    async def wait(self) -> None:
        await asyncio.sleep(self.chance.choice([0, 0.002]))


@settings(max_examples=30, deadline=None)
@given(course=COURSES, seed=st.integers(0, 2**32), past=st.integers(0, 20))
async def test_everyone_who_stays_has_seen_each_event_once_and_in_order(
    course: list[str], seed: int, past: int
) -> None:
    log = Log([event(number) for number in range(1, past + 1)])
    async with House(log, LocalBus(), LIMITS) as house:
        evening = Evening(house, random.Random(seed))
        acts = {
            "write": evening.write,
            "enter": evening.enter,
            "return": evening.come_back,
            "leave": evening.leave,
            "read": evening.read,
            "wait": evening.wait,
        }
        for act in course:
            await acts[act]()
        last = len(log.events)
        room = await house.open()
        room.heal(last)
        latecomer = await house.enter()
        for visitor in [*evening.visitors, latecomer]:
            await visitor.read_until(last)
            assert visitor.steps == list(range(1, last + 1))
        assert room.last_sequence == last == room.keeper.sequence
        assert room.watchers == len(evening.visitors) + 1 == house.fan.figures()["watchers"]
