"""Muting, hiding, pinning. Each is told to the room and recorded with who did it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils.crypto import salted_hmac

from silkroom.accounts.models import Person
from silkroom.accounts.queries import find_person_by_code
from silkroom.journal.services import append_entry
from silkroom.kit.clock import now
from silkroom.kit.errors import NotFound
from silkroom.live.broadcasts.models import Broadcast
from silkroom.live.broadcasts.queries import role_in
from silkroom.live.broadcasts.rules import may_assist
from silkroom.live.room.queries import find_hidden_words, find_words, load_state
from silkroom.live.room.rules import Data, what_was_hidden
from silkroom.live.room.services import Draft, lock_room, tell_room
from silkroom.live.room.states import EventKind

from .errors import StaffStaysHeard, TooManyNames
from .models import Mute, Newcomer

WARY = timedelta(minutes=30)
"""After a mute."""

NEW_NAMES_IN = timedelta(minutes=10)
MOST_NEW_NAMES = 5
"""New guests of one address in one show, while it is wary of that address."""


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


def carry_mute(*, broadcast: Broadcast, codes: Sequence[str], person: Person) -> int | None:
    """The browser that was ``codes`` is ``person`` now: one of them muted in this show means this one is, too."""
    former = (
        Mute.objects.select_related("muted_by")
        .filter(broadcast=broadcast, person__code__in=codes, lifted_at=None)
        .exclude(person=person)
        .first()
    )
    if former is None or may_assist(role_in(broadcast, person)):
        return None
    return mute_person(broadcast=broadcast, code=person.code, by=former.muted_by)


def admit_newcomer(*, broadcast: Broadcast, guest: Person, address: str) -> None:
    """Remember where a new guest comes from, for a day. Raises TooManyNames.

    Where a guest was muted lately, only a few new names are taken: a whole office or mobile network may share that
    address, so it is slowed and not closed.
    """
    place = salted_hmac("silkroom.newcomer", f"{broadcast.pk} {address}", algorithm="sha256").hexdigest()[:24]
    here = Newcomer.objects.filter(broadcast=broadcast, place=place)
    muted = Mute.objects.filter(
        broadcast=broadcast, lifted_at=None, muted_at__gt=now() - WARY, person__in=here.values("person")
    )
    if here.filter(at__gt=now() - NEW_NAMES_IN).count() >= MOST_NEW_NAMES and muted.exists():
        raise TooManyNames(minutes=round(NEW_NAMES_IN.total_seconds() / 60))
    Newcomer.objects.create(broadcast=broadcast, person=guest, place=place)


def forget_newcomers(*, older_than: timedelta) -> int:
    """Where guests came from is nobody's business later. Returns how many."""
    deleted, _ = Newcomer.objects.filter(at__lt=now() - older_than).delete()
    return deleted


def hide_words(*, broadcast: Broadcast, number: int, by: Person) -> int | None:
    """A comment or question goes from the room. None if it is gone already. Raises NotFound."""
    _lock(broadcast)
    with connection.cursor() as cursor:
        words = find_words(cursor, broadcast.pk, number)
    if words is None:
        return None
    _record("hidden", broadcast, by, n=number)
    return tell_room(broadcast.pk, Draft(EventKind.HIDDEN, {"n": number}))


def unhide_words(*, broadcast: Broadcast, number: int, by: Person) -> int | None:
    """A hidden comment or question comes back to its place. None if it is not hidden."""
    _lock(broadcast)
    with connection.cursor() as cursor:
        hidden = find_hidden_words(cursor, broadcast.pk, number)
    if hidden is None:
        return None
    _record("unhidden", broadcast, by, n=number)
    return tell_room(broadcast.pk, Draft(EventKind.UNHIDDEN, what_was_hidden(*hidden)))


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
