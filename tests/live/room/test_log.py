"""The log in PostgreSQL: numbers, order, checkpoints, and the law that snapshots obey."""

from __future__ import annotations

import pytest
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.fanout.door import Event
from silkroom.live.room.keeper import RoomKeeper, fact_of
from silkroom.live.room.models import RoomCheckpoint, RoomEvent
from silkroom.live.room.queries import events_between, load_state
from silkroom.live.room.rules import empty_state, fold
from silkroom.live.room.services import Draft, append_events, keep_checkpoint
from silkroom.live.room.states import URGENT, EventKind
from tests.live.stage import Stage, make_stage

from .logs import DRAFTS, FIRST, drafts_of

LAWS = settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def stage(db: None) -> Stage:
    return make_stage(garments=1)


def new_broadcast(stage: Stage) -> Broadcast:
    """A show whose log is still empty."""
    return Broadcast.objects.create(shop=stage.shop, host=stage.owner, title="律")


def append(broadcast: Broadcast, *drafts: Draft) -> list[Event]:
    with connection.cursor() as cursor:
        return append_events(cursor, broadcast.pk, drafts)


def fresh(broadcast: Broadcast):
    with connection.cursor() as cursor:
        return load_state(cursor, broadcast.pk)


def tail(broadcast: Broadcast, after: int) -> list[Event]:
    with connection.cursor() as cursor:
        return events_between(cursor, broadcast.pk, after=after)


def test_numbers_follow_each_other_without_holes(stage: Stage):
    broadcast = new_broadcast(stage)
    first = append(broadcast, Draft(EventKind.LIKES, {"count": 1}), Draft(EventKind.UNPINNED, {}))
    second = append(broadcast, Draft(EventKind.LIKES, {"count": 2}))
    assert [event.sequence for event in first + second] == [1, 2, 3]
    broadcast.refresh_from_db()
    assert broadcast.last_sequence == 3
    assert tail(broadcast, 0) == first + second
    assert tail(broadcast, 2) == second


def test_what_is_returned_is_what_stands_in_the_log(stage: Stage):
    broadcast = new_broadcast(stage)
    said = Draft(EventKind.COMMENT, {"name": "阿宁", "text": '真好看 \u2028 \\ " <b>', "person": "K7AAAAAAAA"})
    (event,) = append(broadcast, said)
    row = RoomEvent.objects.get(broadcast=broadcast, sequence=1)
    assert fact_of(event).data == said.data == row.data
    assert event.at_ms == round(row.at.timestamp() * 1000)


def test_urgent_kinds_are_marked(stage: Stage):
    broadcast = new_broadcast(stage)
    events = append(broadcast, Draft(EventKind.STOCK, {"left": []}), Draft(EventKind.LIKES, {"count": 1}))
    assert [event.urgent for event in events] == [True, False]
    assert [event.urgent for event in tail(broadcast, 0)] == [True, False]
    assert {kind.value for kind in URGENT} == {
        "spotlight", "stock", "deal_launched", "deal_changed", "deal_withdrawn"
    }  # fmt: skip


def test_no_room_without_a_broadcast(stage: Stage):
    with connection.cursor() as cursor, pytest.raises(NotFound):
        append_events(cursor, 2**62, [Draft(EventKind.UNPINNED, {})])
    assert RoomEvent.objects.count() == 0


def test_nothing_to_say_is_no_event(stage: Stage):
    broadcast = new_broadcast(stage)
    assert append(broadcast) == []
    assert RoomEvent.objects.filter(broadcast=broadcast).count() == 0


def test_a_later_checkpoint_is_not_replaced_by_an_earlier(stage: Stage):
    broadcast = new_broadcast(stage)
    with connection.cursor() as cursor:
        keep_checkpoint(cursor, broadcast.pk, 9, {"likes": 9})
        keep_checkpoint(cursor, broadcast.pk, 4, {"likes": 4})
        assert RoomCheckpoint.objects.get(broadcast=broadcast).sequence == 9
        keep_checkpoint(cursor, broadcast.pk, 10, {"likes": 10})
    kept = RoomCheckpoint.objects.get(broadcast=broadcast)
    assert (kept.sequence, kept.state) == (10, {"likes": 10})


@pytest.mark.parametrize("kind", list(EventKind))
@LAWS
@given(data=st.data())
def test_snapshot_and_event_are_a_fresh_snapshot(stage: Stage, kind: EventKind, data: st.DataObject):
    """The law, for each kind: whoever has the state before and gets the event has what a late joiner gets."""
    broadcast = new_broadcast(stage)
    append(broadcast, data.draw(FIRST), *data.draw(st.lists(DRAFTS, max_size=8)))
    before = fresh(broadcast)
    (event,) = append(broadcast, data.draw(drafts_of(kind)))
    after = fresh(broadcast)
    assert after.sequence == event.sequence == before.sequence + 1
    assert fold(before.state, [fact_of(event)]) == after.state


@LAWS
@given(data=st.data())
def test_any_checkpoint_and_any_tail_give_the_same_state(stage: Stage, data: st.DataObject):
    broadcast = new_broadcast(stage)
    append(broadcast, data.draw(FIRST))
    keeper = RoomKeeper(0, empty_state())
    for burst in data.draw(st.lists(st.lists(DRAFTS, min_size=1, max_size=6), max_size=6)):
        append(broadcast, *burst)
        if data.draw(st.booleans()):
            seen = fresh(broadcast)
            with connection.cursor() as cursor:
                keep_checkpoint(cursor, broadcast.pk, seen.sequence, seen.state)
        if data.draw(st.booleans()):
            keeper.apply(tail(broadcast, keeper.sequence))
    keeper.apply(tail(broadcast, keeper.sequence))
    whole = fold(empty_state(), map(fact_of, tail(broadcast, 0)))
    assert fresh(broadcast).state == whole == keeper.state
    assert fresh(broadcast).sequence == keeper.sequence


def test_a_snapshot_is_encoded_once_for_many(stage: Stage):
    broadcast = new_broadcast(stage)
    keeper = RoomKeeper(0, empty_state())
    keeper.apply(append(broadcast, Draft(EventKind.LIKES, {"count": 1})))
    first = keeper.snapshot()
    assert keeper.snapshot() is first
    keeper.apply(append(broadcast, Draft(EventKind.LIKES, {"count": 1})))
    assert keeper.snapshot().sequence == 2
    assert keeper.snapshot().data != first.data
