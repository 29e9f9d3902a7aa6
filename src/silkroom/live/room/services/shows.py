"""The show's own verbs: each changes its row and tells its room, in one transaction that the caller opened."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.core.files.base import File
from django.db import connection

from silkroom.accounts.models import Person
from silkroom.journal.services import append_entry
from silkroom.kit.clock import to_milliseconds
from silkroom.live.broadcasts import services as broadcasts
from silkroom.live.broadcasts.errors import OrderEmpty
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import OVER, BroadcastState
from silkroom.shops.models import Shop

from ..errors import ShowEnded
from ..queries import load_state, tray_of_show
from ..rules import Data
from ..states import EventKind
from .events import Draft, lock_room
from .publishing import tell_room


def plan_show(
    *,
    shop: Shop,
    host: Person,
    title: str,
    style_ids: Sequence[int] = (),
    planned_at: datetime | None = None,
    by: Person | None = None,
) -> Broadcast:
    """A new show with its running order; its room opens at once and waits. Raises TitleUnusable, OrderUnusable."""
    broadcast = broadcasts.create_broadcast(shop=shop, host=host, title=title, planned_at=planned_at)
    broadcasts.set_running_order(broadcast=broadcast, style_ids=style_ids)
    with connection.cursor() as cursor:
        tray = tray_of_show(cursor, broadcast.pk)
    tell_room(broadcast.pk, Draft(EventKind.OPENED, {"broadcast": show_data(broadcast), "tray": tray}))
    _record("planned", broadcast, by or host)
    return broadcast


def show_data(broadcast: Broadcast) -> Data:
    """The show as its room tells it."""
    return {
        "code": broadcast.code,
        "title": broadcast.title,
        "state": str(broadcast.state),
        "planned_at_ms": _milliseconds(broadcast.planned_at),
        "started_at_ms": _milliseconds(broadcast.started_at),
        "ended_at_ms": _milliseconds(broadcast.ended_at),
        "host_name": broadcast.host.name,
        "cover": broadcast.cover.url if broadcast.cover else "",
        "shop": {"slug": broadcast.shop.slug, "name": broadcast.shop.name},
    }


def _milliseconds(moment: datetime | None) -> int | None:
    return to_milliseconds(moment) if moment else None


def change_title(*, broadcast: Broadcast, title: str) -> int | None:
    """Raises TitleUnusable, ShowEnded."""
    _hold_open(broadcast)
    if not broadcasts.set_title(broadcast=broadcast, title=title):
        return None
    return tell_room(broadcast.pk, Draft(EventKind.SHOW_CHANGED, {"title": broadcast.title}))


def change_planned_at(*, broadcast: Broadcast, planned_at: datetime | None) -> int | None:
    """Who waits sees the new time at once. Raises ShowEnded."""
    _hold_open(broadcast)
    if not broadcasts.set_planned_at(broadcast=broadcast, planned_at=planned_at):
        return None
    change = {"planned_at_ms": _milliseconds(broadcast.planned_at)}
    return tell_room(broadcast.pk, Draft(EventKind.SHOW_CHANGED, change))


def change_cover(*, broadcast: Broadcast, picture: File[bytes]) -> int:
    """Raises CoverUnusable, Busy, ShowEnded."""
    name = broadcasts.store_cover(picture)  # before the lock: encoding takes a moment, and the room goes on
    try:
        _hold_open(broadcast)
        broadcasts.set_cover(broadcast=broadcast, name=name)
        return tell_room(broadcast.pk, Draft(EventKind.SHOW_CHANGED, {"cover": broadcast.cover.url}))
    except BaseException:
        broadcasts.forget_cover(name)
        raise


def change_running_order(*, broadcast: Broadcast, style_ids: Sequence[int]) -> int | None:
    """The styles of the show, in this order. Raises OrderUnusable, OrderEmpty, ShowEnded."""
    _hold_open(broadcast)
    if not style_ids and broadcast.state != BroadcastState.PLANNED:
        raise OrderEmpty
    broadcasts.set_running_order(broadcast=broadcast, style_ids=style_ids)
    return renew_tray(broadcast_id=broadcast.pk)


def renew_tray(*, broadcast_id: int) -> int | None:
    """Tell the room what catalog and ledger say now; None if it knows."""
    with connection.cursor() as cursor:
        lock_room(cursor, broadcast_id)
        tray = tray_of_show(cursor, broadcast_id)
        if load_state(cursor, broadcast_id).state["tray"] == tray:
            return None
    return tell_room(broadcast_id, Draft(EventKind.TRAY_CHANGED, {"tray": tray}))


def rehearse(*, broadcast: Broadcast, by: Person) -> int | None:
    """Staff see the picture, nobody else. Raises MoveRefused."""
    return _move(broadcast, BroadcastState.REHEARSING, by)


def stop_rehearsal(*, broadcast: Broadcast, by: Person) -> int | None:
    """Back to waiting. Raises MoveRefused."""
    return _move(broadcast, BroadcastState.PLANNED, by)


def go_live(*, broadcast: Broadcast, by: Person) -> int | None:
    """On air, with the tray as it is this moment. None if it already is. Raises MoveRefused, OrderEmpty."""
    if broadcast.state in (BroadcastState.PLANNED, BroadcastState.REHEARSING):
        renew_tray(broadcast_id=broadcast.pk)
        if not broadcast.running_order.exists():
            raise OrderEmpty
    return _move(broadcast, BroadcastState.ON_AIR, by)


def end_show(*, broadcast: Broadcast, by: Person) -> int | None:
    """Over for good. The caller withdraws open deals in the same transaction. Raises MoveRefused."""
    return _move(broadcast, BroadcastState.ENDED, by)


def cancel_show(*, broadcast: Broadcast, by: Person) -> int | None:
    """A show that has not been on air will not be. Raises MoveRefused."""
    return _move(broadcast, BroadcastState.CANCELLED, by)


def _move(broadcast: Broadcast, state: BroadcastState, by: Person) -> int | None:
    if not broadcasts.move_broadcast(broadcast=broadcast, state=state):
        return None
    _record(state.value, broadcast, by)
    moved = show_data(broadcast)
    changes = {name: moved[name] for name in ("state", "started_at_ms", "ended_at_ms")}
    return tell_room(broadcast.pk, Draft(EventKind.SHOW_CHANGED, changes))


def _hold_open(broadcast: Broadcast) -> None:
    """Lock the room, then look at its state: what the page had read may be old. Raises ShowEnded."""
    broadcasts.hold_broadcast(broadcast)
    if broadcast.state in OVER:
        raise ShowEnded


def _record(fact: str, broadcast: Broadcast, by: Person) -> None:
    append_entry(kind=f"broadcast.{fact}", shop_id=broadcast.shop_id, data={"broadcast": broadcast.code, "by": by.code})
