"""Two hosts change one show in the same moment: one after the other, and nobody sees an error."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
from django.db import connection, transaction

from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.room import services as room
from silkroom.live.room.errors import ShowEnded
from tests.live.conftest import events_of, room_of
from tests.live.stage import Stage, make_stage

pytestmark = pytest.mark.django_db(transaction=True)


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """All acts from the same moment on, each in its own thread, connection and transaction."""
    start = threading.Barrier(len(acts))

    def run(act: Callable[[], Any]) -> Any:
        try:
            start.wait(30)
            with transaction.atomic():
                return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return [one.result(60) for one in [pool.submit(run, act) for act in acts]]


def mine(show: Broadcast) -> Broadcast:
    """The show as another page has read it."""
    return Broadcast.objects.select_related("shop", "host").get(pk=show.pk)


def test_two_running_orders_at_once():
    stage = make_stage(garments=4)
    show = stage.plan()
    styles = [one.style.pk for one in stage.garments]
    orders = [styles[::-1], styles[1:] + styles[:1]]
    for _ in range(10):
        at_once(*(partial(room.change_running_order, broadcast=mine(show), style_ids=one) for one in orders))
        kept = list(show.running_order.order_by("position").values_list("style_id", flat=True))
        assert kept in orders
        assert [one["style"] for one in room_of(show)["tray"]] == kept


def test_the_last_title_is_also_what_the_room_heard_last():
    show = make_stage().plan()
    for turn in range(10):
        titles = f"甲{turn}", f"乙{turn}"
        at_once(*(partial(room.change_title, broadcast=mine(show), title=one) for one in titles))
        assert room_of(show)["broadcast"]["title"] == mine(show).title


def test_a_page_that_still_believes_the_show_is_running_changes_nothing():
    stage: Stage = make_stage()
    show = stage.on_air()
    old = mine(show)
    with transaction.atomic():
        room.end_show(broadcast=show, by=stage.owner)
    before = events_of(show)
    with pytest.raises(ShowEnded), transaction.atomic():
        room.change_title(broadcast=old, title="新")
    assert events_of(show) == before
