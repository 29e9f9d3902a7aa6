"""What a room hears of the ledger: absolute numbers, only when they differ."""

from __future__ import annotations

import pytest
from django.db import connection

from silkroom.inventory.models import Sellable
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.deals.rules import Terms
from silkroom.live.deals.services import launch_deal
from silkroom.live.room import services as room
from silkroom.live.room.queries import load_state
from silkroom.live.room.services import LedgerKeeper
from silkroom.sales.models import Offer
from tests.live.conftest import events_of, room_of
from tests.live.stage import Stage


@pytest.fixture
def keeper(show: Broadcast) -> LedgerKeeper:
    with connection.cursor() as cursor:
        loaded = load_state(cursor, show.pk)
    return LedgerKeeper(loaded.sequence, loaded.state)


def tell(show: Broadcast, keeper: LedgerKeeper, *, with_tray: bool = False) -> list[str]:
    with connection.cursor() as cursor:
        return [event.kind for event in room.tell_ledger(cursor, show.pk, keeper, with_tray=with_tray)]


def test_a_room_that_knows_all_hears_nothing(show: Broadcast, keeper: LedgerKeeper):
    before = events_of(show)
    assert tell(show, keeper) == []
    assert tell(show, keeper, with_tray=True) == []
    assert events_of(show) == before


def test_changed_pieces_are_told_once(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    variant = stage.garments[0].first
    Sellable.objects.filter(item=variant.item).update(held=4)
    assert tell(show, keeper) == ["stock"]
    assert events_of(show)[-1] == ("stock", {"left": [[variant.pk, 6]]})
    assert tell(show, keeper) == []
    assert room_of(show)["tray"][0]["variants"][0]["left"] == 6


def test_pieces_elsewhere_do_not_count(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    stage.place.sells_online = False
    stage.place.save()
    assert tell(show, keeper) == ["stock"]
    assert {left for _, left in events_of(show)[-1][1]["left"]} == {0}


def test_taken_pieces_of_a_deal_are_told(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    terms = Terms(stage.garments[0].style.pk, 9900, 60, 5, None)
    launched = launch_deal(broadcast=show, by=stage.owner, terms=terms, lead_seconds=0)
    Offer.objects.update(taken=3)
    assert tell(show, keeper) == ["deal_changed"]
    assert events_of(show)[-1] == ("deal_changed", {"deal": launched.deal_id, "taken": 3})
    assert tell(show, keeper) == []


def test_a_corrected_price_changes_the_tray(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    variant = stage.garments[0].first
    variant.price_minor = 18900
    variant.save()
    assert tell(show, keeper) == []
    assert tell(show, keeper, with_tray=True) == ["tray_changed"]
    tray = room_of(show)["tray"]
    assert tray[0]["price_minor"] == 18900
    assert tell(show, keeper, with_tray=True) == []


def test_an_ended_show_hears_nothing(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    room.end_show(broadcast=show, by=stage.owner)
    Sellable.objects.update(held=1)
    assert tell(show, keeper) == []


def test_events_that_were_undone_are_told_again(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    """The keeper's memory never runs ahead of what was committed."""
    Sellable.objects.filter(item=stage.garments[0].first.item).update(held=4)
    with connection.cursor() as cursor:
        cursor.execute("SAVEPOINT before")
    assert tell(show, keeper) == ["stock"]
    with connection.cursor() as cursor:
        cursor.execute("ROLLBACK TO SAVEPOINT before")
    assert tell(show, keeper) == ["stock"]


@pytest.mark.parametrize(
    ("mark", "before", "after"),
    [
        (room.mark_interrupted, "on_air", "interrupted"),
        (room.mark_interrupted, "planned", "planned"),
        (room.mark_interrupted, "ended", "ended"),
        (room.mark_interrupted, "interrupted", "interrupted"),
        (room.mark_returned, "interrupted", "on_air"),
        (room.mark_returned, "ended", "ended"),
        (room.mark_returned, "on_air", "on_air"),
    ],
)
def test_presence_of_the_picture(show: Broadcast, mark, before: str, after: str):
    Broadcast.objects.filter(pk=show.pk).update(state=before)
    told = len(events_of(show))
    with connection.cursor() as cursor:
        events = mark(cursor, show.pk)
    show.refresh_from_db()
    assert show.state == after
    assert len(events) == len(events_of(show)) - told == (before != after)


def test_only_the_named_items_are_looked_at(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    first, second = (garment.first for garment in stage.garments)
    Sellable.objects.filter(item__in=[first.item, second.item]).update(held=4)
    with connection.cursor() as cursor:
        events = room.tell_ledger(cursor, show.pk, keeper, items={second.item_id})
    assert [event.kind for event in events] == ["stock"]
    assert events_of(show)[-1] == ("stock", {"left": [[second.pk, 6]]})
    assert tell(show, keeper) == ["stock"]
    assert events_of(show)[-1] == ("stock", {"left": [[first.pk, 6]]})


def test_a_keeper_knows_which_items_it_may_show(stage: Stage, show: Broadcast, keeper: LedgerKeeper):
    outside = stage.make_garment().first.item_id
    assert keeper.may_show({outside})  # it has not looked yet
    tell(show, keeper)
    assert not keeper.may_show({outside})
    assert keeper.may_show({outside, stage.garments[1].first.item_id})
    room.change_running_order(broadcast=show, style_ids=[stage.garments[2].style.pk])
    tell(show, keeper)
    assert keeper.may_show({outside})
    assert not keeper.may_show({stage.garments[1].first.item_id})
