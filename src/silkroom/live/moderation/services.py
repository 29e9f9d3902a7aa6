"""Muting, hiding, pinning. Each is told to the room and recorded with who did it."""

from __future__ import annotations

from typing import Any

from django.db import connection

from silkroom.accounts.models import Person
from silkroom.accounts.queries import find_person_by_code
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import role_in
from silkroom.live.broadcasts.rules import may_assist
from silkroom.live.room.queries import find_words, load_state
from silkroom.live.room.rules import Data
from silkroom.live.room.services import Draft, lock_room, tell_room
from silkroom.live.room.states import EventKind

from .errors import StaffStaysHeard
from .models import Mute


def mute_person(*, broadcast: Broadcast, code: str, by: Person) -> int | None:
    """They may watch and buy, not write. None if they are muted already. Raises NotFound, StaffStaysHeard."""
    person = _get_person(code)
    if may_assist(role_in(broadcast, person)):
        raise StaffStaysHeard
    _lock(broadcast)
    _, made = Mute.objects.get_or_create(broadcast=broadcast, person=person, lifted_at=None, defaults={"muted_by": by})
    if not made:
        return None
    _record("muted", broadcast, by, person=code)
    return tell_room(broadcast.pk, Draft(EventKind.MUTED, {"person": code}))


def unmute_person(*, broadcast: Broadcast, code: str, by: Person) -> int | None:
    """None if they are not muted. Raises NotFound."""
    person = _get_person(code)
    _lock(broadcast)
    if not Mute.objects.filter(broadcast=broadcast, person=person, lifted_at=None).update(lifted_at=now()):
        return None
    _record("unmuted", broadcast, by, person=code)
    return tell_room(broadcast.pk, Draft(EventKind.UNMUTED, {"person": code}))


def hide_words(*, broadcast: Broadcast, number: int, by: Person) -> int | None:
    """A comment or question goes from the room. None if it is gone already. Raises NotFound."""
    _lock(broadcast)
    with connection.cursor() as cursor:
        words = find_words(cursor, broadcast.pk, number)
    if words is None:
        return None
    _record("hidden", broadcast, by, n=number)
    return tell_room(broadcast.pk, Draft(EventKind.HIDDEN, {"n": number}))


def pin_words(*, broadcast: Broadcast, number: int, by: Person) -> int | None:
    """A comment or question stays above the others. None if it is pinned already. Raises NotFound."""
    _lock(broadcast)
    with connection.cursor() as cursor:
        words = find_words(cursor, broadcast.pk, number)
        pinned = load_state(cursor, broadcast.pk).state["pinned"]
    if words is None:
        raise NotFound
    if pinned is not None and pinned["n"] == number:
        return None
    _record("pinned", broadcast, by, n=number)
    data: Data = {"n": number, "name": words["name"], "text": words["text"]}
    return tell_room(broadcast.pk, Draft(EventKind.PINNED, data))


def unpin_words(*, broadcast: Broadcast, by: Person) -> int | None:
    """None if nothing is pinned."""
    _lock(broadcast)
    with connection.cursor() as cursor:
        pinned = load_state(cursor, broadcast.pk).state["pinned"]
    if pinned is None:
        return None
    _record("unpinned", broadcast, by, n=pinned["n"])
    return tell_room(broadcast.pk, Draft(EventKind.UNPINNED, {}))


def _get_person(code: str) -> Person:
    person = find_person_by_code(code)
    if person is None:
        raise NotFound
    return person


def _lock(broadcast: Broadcast) -> None:
    with connection.cursor() as cursor:
        lock_room(cursor, broadcast.pk)


def _record(fact: str, broadcast: Broadcast, by: Person, **data: Any) -> None:
    append_entry(
        kind=f"room.{fact}", shop_id=broadcast.shop_id, data={"broadcast": broadcast.code, "by": by.code, **data}
    )
