"""Writing the show's own tables. Whoever calls these tells the room (`silkroom.live.room.services`)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from silkroom.accounts.models import Person
from silkroom.catalog.errors import PictureTooLarge, PictureUnusable
from silkroom.catalog.models import Style
from silkroom.catalog.pictures import forget_picture, store_picture
from silkroom.catalog.states import StyleState
from silkroom.kit.clock import now
from silkroom.shops.models import Shop

from .errors import CoverUnusable, MoveRefused, OrderUnusable
from .models import Broadcast, RunningOrderItem
from .rules import MOST_STYLES, clean_title
from .states import RUNNING, BroadcastState, may_become

LARGEST_COVER = 5_000_000


def create_broadcast(*, shop: Shop, host: Person, title: str, planned_at: datetime | None) -> Broadcast:
    """Raises TitleUnusable."""
    return Broadcast.objects.create(shop=shop, host=host, title=clean_title(title), planned_at=planned_at)


def hold_broadcast(broadcast: Broadcast) -> None:
    """Lock the show's row until the commit; ``broadcast`` gets the fields of the row as locked here.

    Whoever changes a show holds it first: two changes at once become one after the other.
    """
    broadcast.refresh_from_db(from_queryset=Broadcast.objects.select_for_update(of=("self",), no_key=True))


def set_title(*, broadcast: Broadcast, title: str) -> bool:
    """False if it has this title already. Raises TitleUnusable."""
    clean = clean_title(title)
    if broadcast.title == clean:
        return False
    broadcast.title = clean
    broadcast.save(update_fields=["title"])
    return True


def set_planned_at(*, broadcast: Broadcast, planned_at: datetime | None) -> bool:
    """When it is meant to begin; nothing begins by itself. False if that is the time already."""
    if broadcast.planned_at == planned_at:
        return False
    broadcast.planned_at = planned_at
    broadcast.save(update_fields=["planned_at"])
    return True


def store_cover(picture: File[bytes]) -> str:
    """Encoded anew from its pixels, as every picture of a shop: no camera's position data, nothing hidden behind the
    end. Returns its name in the storage. Raises CoverUnusable, Busy."""
    if picture.size > LARGEST_COVER:
        raise _cover_unusable()
    try:
        return store_picture(picture.read()).name
    except (PictureUnusable, PictureTooLarge):
        raise _cover_unusable() from None


def set_cover(*, broadcast: Broadcast, name: str) -> None:
    """A stored cover becomes the show's; the files of its predecessor go after the commit."""
    former = broadcast.cover.name
    broadcast.cover.name = name
    broadcast.save(update_fields=["cover"])
    if former:
        transaction.on_commit(partial(forget_cover, former))


def forget_cover(name: str) -> None:
    """Delete a stored cover, also one from before covers had renditions."""
    forget_picture(name)
    default_storage.delete(name)


def _cover_unusable() -> CoverUnusable:
    return CoverUnusable(megabytes=LARGEST_COVER // 1_000_000)


def set_running_order(*, broadcast: Broadcast, style_ids: Sequence[int]) -> None:
    """The styles of the show in this order. Raises OrderUnusable."""
    wanted = list(style_ids)
    ours = Style.objects.filter(shop_id=broadcast.shop_id, state=StyleState.PUBLISHED, pk__in=wanted)
    if len(wanted) > MOST_STYLES or len(set(wanted)) != len(wanted) or ours.count() != len(wanted):
        raise OrderUnusable(most=MOST_STYLES)
    broadcast.running_order.all().delete()
    RunningOrderItem.objects.bulk_create(
        RunningOrderItem(broadcast=broadcast, style_id=style_id, position=position)
        for position, style_id in enumerate(wanted, start=1)
    )


def move_broadcast(*, broadcast: Broadcast, state: BroadcastState) -> bool:
    """Bring the show into ``state``; False if it is there already. Raises MoveRefused.

    ``broadcast`` gets the fields of the row as locked here: two hosts who press at once make one move.
    """
    hold_broadcast(broadcast)
    if broadcast.state == state or (state is BroadcastState.ON_AIR and broadcast.state in RUNNING):
        return False
    if not may_become(BroadcastState(broadcast.state), state):
        raise MoveRefused(state=broadcast.state)
    broadcast.state = state
    if state is BroadcastState.ON_AIR:
        broadcast.started_at = now()
    if state is BroadcastState.ENDED:
        broadcast.ended_at = now()
    broadcast.save(update_fields=["state", "started_at", "ended_at"])
    return True


def keep_recording(*, broadcast_id: int, name: str, seconds: int, pieces: Sequence[Sequence[int]]) -> None:
    """The recording lies in the storage under ``name``. ``pieces``: see `Broadcast.recording_pieces`."""
    Broadcast.objects.filter(pk=broadcast_id).update(
        recording=name,
        recording_missing=False,
        recording_seconds=seconds,
        recording_pieces=[list(piece) for piece in pieces],
    )


def miss_recording(*, broadcast_id: int) -> None:
    """Nothing was found to make a recording of; the shop is told."""
    Broadcast.objects.filter(pk=broadcast_id).update(recording_missing=True)
