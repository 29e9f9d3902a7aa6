"""Which style is being explained."""

from __future__ import annotations

from django.db import connection

from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.states import OVER

from ..errors import NotOnSale, ShowEnded
from ..queries import load_state
from ..states import EventKind
from .events import Draft, lock_room
from .publishing import tell_room


def put_in_spotlight(*, broadcast: Broadcast, style_id: int | None) -> int | None:
    """None takes the light away. Answers None if it stands there already. Raises NotOnSale, ShowEnded."""
    with connection.cursor() as cursor:
        _, state = lock_room(cursor, broadcast.pk)
        if state in OVER:
            raise ShowEnded
        room = load_state(cursor, broadcast.pk).state
    if style_id is not None and all(one["style"] != style_id for one in room["tray"]):
        raise NotOnSale
    if room["spotlight"] == style_id:
        return None
    return tell_room(broadcast.pk, Draft(EventKind.SPOTLIGHT, {"style": style_id}))
