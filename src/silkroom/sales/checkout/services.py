"""Ordering from a web process: all its threads share one order desk."""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Callable, Sequence
from uuid import UUID

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.utils.crypto import salted_hmac
from psycopg.conninfo import make_conninfo

from silkroom.accounts.models import Person
from silkroom.accounts.services import make_guest
from silkroom.catalog.models import Variant
from silkroom.sales.desk.door import Committed, Desk, OrderLineRequest, OrderReceipt, OrderRequest
from silkroom.sales.desk.errors import VariantUnknown

WEB_CHANNEL = "web"

PATIENCE_SECONDS = 10.0
"""How long a web thread waits for the desk; the desk itself gives up on PostgreSQL earlier."""

SAME_PRESS_SECONDS = 600

_lock = threading.Lock()
_desks: dict[tuple[object, ...], Desk] = {}
_hooks: list[Callable[[Committed], None]] = []


def place_order(
    *, person_id: int, shop_id: int, channel: str, key: UUID, lines: Sequence[OrderLineRequest]
) -> OrderReceipt:
    """Order through this process's desk. Raises the desk's refusals. Not inside a transaction."""
    request = OrderRequest(person_id, shop_id, channel, key, tuple(lines))
    return shared_desk().place_blocking(request, timeout=PATIENCE_SECONDS)


def place_web_order(*, person_id: int, key: UUID, lines: Sequence[OrderLineRequest]) -> OrderReceipt:
    """An order of the web channel; its shop is that of its first garment. One query beside the desk's own."""
    first = lines[0].variant_id if lines else 0
    shop_id = Variant.objects.filter(pk=first).values_list("shop_id", flat=True).first()
    if shop_id is None:
        raise VariantUnknown(variant=first)
    return place_order(person_id=person_id, shop_id=shop_id, channel=WEB_CHANNEL, key=key, lines=lines)


def guest_of_press(*, name: str, press: str) -> Person:
    """A guest for an order. ``press`` names the press of the button in this browser: twice at once, it is the same
    guest, and so the same order. Not inside a transaction. Raises NameUnusable.
    """
    place = f"guest-of-press:{salted_hmac('silkroom.checkout.press', press, algorithm='sha256').hexdigest()}"
    made = cache.get(place)
    if made is None:
        guest = make_guest(name=name)
        if cache.add(place, guest.pk, timeout=SAME_PRESS_SECONDS):
            return guest
        guest.delete()
        made = cache.get(place)
    return Person.objects.get(pk=made, is_guest=True, is_active=True)


def shared_desk() -> Desk:
    """The desk of this process, started when it is first needed: a forked worker makes its own."""
    database = connection.settings_dict
    name = (os.getpid(), database["NAME"], database["HOST"], database["PORT"])
    desk = _desks.get(name)
    if desk is not None:
        return desk
    with _lock:
        desk = _desks.get(name)
        if desk is None:
            environment = settings.ENVIRONMENT
            desk = _desks[name] = Desk(
                database_conninfo(),
                hold_seconds=environment.hold_seconds,
                most_unpaid=environment.most_unpaid_orders,
            )
            for hook in _hooks:
                desk.on_committed(hook)
        return desk


def on_committed(hook: Callable[[Committed], None]) -> None:
    """Be told after each batch of this process's desk; called in the desk's thread (config/processes)."""
    with _lock:
        _hooks.append(hook)
        for desk in _desks.values():
            desk.on_committed(hook)


def close_shared_desk() -> None:
    """Serve what is queued and stop; at the end of the process, and between tests."""
    with _lock:
        mine = [name for name in _desks if name[0] == os.getpid()]
        desks = [_desks.pop(name) for name in mine]
    for desk in desks:
        desk.close()


def database_conninfo() -> str:
    """Django's database as libpq wants it named."""
    database = connection.settings_dict
    named = {
        "dbname": database["NAME"],
        "user": database["USER"],
        "password": database["PASSWORD"],
        "host": database["HOST"],
        "port": database["PORT"],
    }
    not_of_libpq = ("pool", "server_side_binding", "isolation_level", "assume_role", "context")
    more = {name: value for name, value in database["OPTIONS"].items() if name not in not_of_libpq}
    return make_conninfo(**{name: value for name, value in {**named, **more}.items() if value != ""})


atexit.register(close_shared_desk)
